/** The module `board` on the virtual chip. */
import { randomFillSync } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Board } from "../../ota/board";
import { COMMAND_LENGTH } from "../../ota/eboot";
import { flashSizeOf } from "../../ota/image";
import { chip } from "../virtual/chip";

function header(): Uint8Array {
	const bytes = new Uint8Array(4);
	chip().flash.read(0, bytes);
	return bytes;
}

function macText(mac: Uint8Array): string {
	return Buffer.from(mac).toString("hex").replace(/..\B/g, "$&:").toUpperCase();
}

/** Milliseconds: a thread has a start of its own. */
const start = Math.floor(performance.now());
/** What an application with ArduinoOTA leaves to C, about. */
const FREE_HEAP = 40_000;
/** The SDK's in version 2.3.0 of the Arduino core. */
const SDK_VERSION = "1.5.3(aec24ac9)";

const board: Board = {
	get chipId() {
		const [, , , high = 0, middle = 0, low = 0] = chip().mac;
		return (high << 16) | (middle << 8) | low;
	},
	get stationMAC() {
		return macText(chip().mac);
	},
	get accessPointMAC() {
		// The SDK makes it from the station's: locally administered.
		const [first = 0, ...rest] = chip().mac;
		return macText(Uint8Array.of(first | 2, ...rest));
	},
	get flashSize() {
		return chip().flash.size;
	},
	get configuredFlashSize() {
		return flashSizeOf(header()[3] ?? 0);
	},
	get flashMode() {
		return header()[2] ?? 0;
	},
	get bootMode() {
		return chip().bootMode;
	},
	get resetReason() {
		return chip().resetReason;
	},
	get freeHeap() {
		return FREE_HEAP;
	},
	get uptime() {
		return Math.floor(performance.now()) - start;
	},
	get sdkVersion() {
		return SDK_VERSION;
	},
	random(bytes) {
		randomFillSync(bytes);
	},
	readRTC(bytes, offset) {
		chip().rtc.read(offset, bytes);
	},
	writeRTC(bytes, offset) {
		if (offset < COMMAND_LENGTH) throw new RangeError("the boot loader's memory is written by handOver");
		chip().rtc.write(offset, bytes);
	},
	handOver(command) {
		if (command.length !== COMMAND_LENGTH) throw new RangeError("a command has 128 bytes");
		chip().rtc.write(0, command);
		return chip().restart();
	},
	restart() {
		return chip().restart();
	},
	feedWatchdog() {
		chip().flash.control.beat();
	},
	gzipCRC(bytes, crc) {
		return crc32(bytes, crc);
	},
	led(on) {
		chip().led?.(on);
	},
};

export default board;
