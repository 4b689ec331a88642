/** The module `board` on the ESP8266. */
import type { Board } from "../../ota/board";

/** By the number that the SDK gives, in the words of the Arduino core. */
const resetReasons = Object.freeze([
	"Power On",
	"Hardware Watchdog",
	"Exception",
	"Software Watchdog",
	"Software/System restart",
	"Deep-Sleep Wake",
	"External System",
]);

const STATION = 0;
const ACCESS_POINT = 1;

const board: Board = Object.freeze({
	get chipId(): number {
		return native("xs_esp8266_board_chipId").call(this);
	},
	get stationMAC(): string {
		return macOf(STATION);
	},
	get accessPointMAC(): string {
		return macOf(ACCESS_POINT);
	},
	get flashSize(): number {
		return native("xs_esp8266_board_flashSize").call(this);
	},
	get configuredFlashSize(): number {
		return native("xs_esp8266_board_configuredFlashSize").call(this);
	},
	get flashMode(): number {
		return native("xs_esp8266_board_flashMode").call(this);
	},
	get bootMode(): number {
		return native("xs_esp8266_board_bootMode").call(this);
	},
	get resetReason(): string {
		return resetReasons[resetReasonNumber()] ?? "Unknown";
	},
	get freeHeap(): number {
		return native("xs_esp8266_board_freeHeap").call(this);
	},
	get uptime(): number {
		return native("xs_esp8266_board_uptime").call(this);
	},
	get sdkVersion(): string {
		return native("xs_esp8266_board_sdkVersion").call(this);
	},
	random(bytes: Uint8Array): void {
		native("xs_esp8266_board_random").call(this, bytes);
	},
	readRTC(bytes: Uint8Array, offset: number): void {
		native("xs_esp8266_board_readRTC").call(this, bytes, offset);
	},
	writeRTC(bytes: Uint8Array, offset: number): void {
		native("xs_esp8266_board_writeRTC").call(this, bytes, offset);
	},
	handOver(command: Uint8Array): never {
		return native("xs_esp8266_board_handOver").call(this, command) as never;
	},
	restart(): never {
		return native("xs_esp8266_board_restart").call(this) as never;
	},
	feedWatchdog(): void {
		native("xs_esp8266_board_feedWatchdog").call(this);
	},
	gzipCRC(bytes: Uint8Array, crc: number): number {
		return native("xs_esp8266_board_gzipCRC").call(this, bytes, crc);
	},
	led(on: boolean): void {
		native("xs_esp8266_board_led").call(this, on);
	},
});

function macOf(this: void, networkInterface: number): string {
	return native("xs_esp8266_board_mac").call(this, networkInterface);
}

function resetReasonNumber(this: void): number {
	return native("xs_esp8266_board_resetReason").call(this);
}

export default board;
