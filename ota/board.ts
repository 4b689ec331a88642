/**
 * What an update needs of the chip beyond the SDK's modules. The module `board` of the device and the
 * virtual board implement it; the application hands it in.
 */
export interface Board {
	/** The lower three bytes of the station's MAC address. */
	readonly chipId: number;
	/** The MAC address of the station, and of the access point: `18:FE:34:AB:CD:EF`. */
	readonly stationMAC: string;
	readonly accessPointMAC: string;
	/** Bytes of flash that the chip really has. */
	readonly flashSize: number;
	/** Bytes of flash that the header at flash 0 tells the SDK. */
	readonly configuredFlashSize: number;
	/** The flash mode that the device runs with, as byte 2 of an image header: 0 QIO, 1 QOUT, 2 DIO, 3 DOUT. */
	readonly flashMode: number;
	/** The strapping read at reset (GPI bits 16 to 19); 1 is UART download. */
	readonly bootMode: number;
	/** Why the chip started, in a few words. */
	readonly resetReason: string;
	/** Bytes of memory that C can still have. XS has its own, set aside at the start. */
	readonly freeHeap: number;
	/** Milliseconds since the start; from 0 again after 49 days. */
	readonly uptime: number;
	/** The version text of Espressif's SDK. */
	readonly sdkVersion: string;
	/** Fills `bytes` from the hardware's random source. */
	random(bytes: Uint8Array): void;
	/** Reads RTC user memory (512 bytes) from `offset`; offset and length are multiples of 4. */
	readRTC(bytes: Uint8Array, offset: number): void;
	/** Writes RTC user memory; offset and length are multiples of 4. The first 128 bytes belong to `handOver`. */
	writeRTC(bytes: Uint8Array, offset: number): void;
	/** Writes `command` (128 bytes) to the start of RTC user memory and restarts; no script runs in between. */
	handOver(command: Uint8Array): never;
	/** Restarts. */
	restart(): never;
	/** Tells the watchdog that a long computation is no hang: it waits 3 seconds. */
	feedWatchdog(): void;
	/**
	 * CRC-32 as gzip has it (RFC 1952), of `bytes` behind those that gave `crc`; 0 at the beginning. In C, since script
	 * takes thousands of instructions a byte.
	 */
	gzipCRC(bytes: Uint8Array, crc: number): number;
	/** Lights the board's LED, or not. */
	led(on: boolean): void;
}

/** The name on the network of a board that was given none. */
export function defaultHostName(board: Board): string {
	return `esp8266-${board.chipId.toString(16).padStart(6, "0")}`;
}
