/** eboot's copy command: the staged image over the running one, sector by sector, raw or inflated. */
import type { EbootCommand } from "../../ota/eboot";
import { GZIP_MAGIC, GZIP_MAGIC_2, SECTOR } from "../../ota/image";
import { Inflater } from "./inflate";
import type { RomFlash } from "./rom-flash";
import type { Print } from "./uart";

/** The number behind `cp:`. */
export const CopyResult = Object.freeze({
	OK: 0,
	ALIGNMENT: 1,
	ERASE: 2,
	READ: 3,
	WRITE: 4,
	GZIP_HEADER: 5,
	GZIP_DATA: 6,
} as const);
export type CopyResult = (typeof CopyResult)[keyof typeof CopyResult];

/** The boot loader goes round in circles; its watchdog is off during a copy. */
export class CopyHang extends Error {}

/** Bytes read again and again behind the chip's end, past which no flash is left that output could fill. */
const STALE_MAX = 0x1000000;

/** Copies as the command says. Throws PowerCut, and CopyHang where it would never end. */
export function copyRaw(flash: RomFlash, command: EbootCommand, print: Print): CopyResult {
	const { source, destination, size } = command;
	if (source % SECTOR !== 0 || destination % SECTOR !== 0) return CopyResult.ALIGNMENT;
	const byteAt = byteReader(flash);
	const gzip = byteAt(source) === GZIP_MAGIC && byteAt(source + 1) === GZIP_MAGIC_2;
	// Both lengths count as signed numbers: a negative one copies nothing, and is a success.
	let left = (size + SECTOR - 1) & ~(SECTOR - 1);
	if (gzip) {
		left = 0;
		for (let i = 4; i > 0; i--) left |= byteAt((source + size - i) >>> 0) << (8 * (4 - i));
	}
	const inflater = new Inflater(streamReader(flash, source));
	if (gzip && !inflater.gzipHeader()) return CopyResult.GZIP_HEADER;

	let buffer: Uint8Array = new Uint8Array(SECTOR);
	for (let offset = 0; left > 0; offset += SECTOR, left -= SECTOR) {
		if (gzip) {
			const length = Math.min(left, SECTOR);
			// Where the stream ended early, the rest is what the sector before left in the buffer.
			if (inflater.fill(buffer, length) === "damaged") return CopyResult.GZIP_DATA;
			buffer.fill(0xff, length);
		} else {
			const sector = flash.read((source + offset) >>> 0, SECTOR);
			if (!sector) return CopyResult.READ;
			buffer = sector;
		}
		const to = (destination + offset) >>> 0;
		if (to === 0 && holds(flash, buffer)) {
			print("B");
			continue;
		}
		if (!flash.eraseSector(to / SECTOR)) return CopyResult.ERASE;
		if (!flash.write(to, buffer)) return CopyResult.WRITE;
	}
	return CopyResult.OK;
}

/** Whether flash 0, the boot loader's own sector, is the same already: then it is spared. */
function holds(flash: RomFlash, sector: Uint8Array): boolean {
	const present = flash.read(0, SECTOR);
	return present?.every((byte, i) => byte === sector[i]) === true;
}

/** Single bytes, through the word that holds them; behind the chip's end the word read before stays. */
function byteReader(flash: RomFlash): (address: number) => number {
	let word: Uint8Array = new Uint8Array(4);
	return (address) => {
		word = flash.read((address & ~3) >>> 0, 4) ?? word;
		return word[address & 3] ?? 0;
	};
}

/** The bytes from `address` on, beyond the staged image too; behind the chip's end the last 4,096 over and over. */
function streamReader(flash: RomFlash, address: number): () => number {
	let buffer: Uint8Array = new Uint8Array(SECTOR);
	let at = SECTOR;
	let next = address;
	let stale = 0;
	return () => {
		if (at === SECTOR) {
			const sector = flash.read(next, SECTOR);
			stale = sector ? 0 : stale + SECTOR;
			if (stale > STALE_MAX) throw new CopyHang("the gzip stream never ends");
			buffer = sector ?? buffer;
			next = (next + SECTOR) >>> 0;
			at = 0;
		}
		return buffer[at++] ?? 0;
	};
}
