/** The record that tells the boot loader what to do, as the device's Updater leaves it: SPEC.md, section 11. */
import { crc32 as zlibCRC } from "node:zlib";
import { crc32 } from "../../ota/eboot";
import { SECTOR } from "../../ota/image";

const HEADER_LENGTH = 64;
export const RecordFlag = Object.freeze({ TRIAL: 1, ONLY_RESTORE: 2, CRC_UNKNOWN: 4, GZIP: 8 } as const);
/** Offsets of the states, of a word each. */
export const RecordState = Object.freeze({
	REFUSED: 0x80,
	BEGUN: 0x84,
	KEPT: 0x88,
	INSTALLED: 0x8c,
	CONFIRMED: 0x90,
	RESTORE: 0x94,
	RESTORED: 0x98,
	RESTORING: 0x9c,
} as const);

export interface Intention {
	sequence?: number;
	flags: number;
	source: number;
	destination: number;
	/** As it is staged. */
	staged: Uint8Array;
	/** What is to come of it. */
	result: Uint8Array;
	starts?: number;
}

/** Header and copy. */
export function encodeIntention(intention: Intention): Uint8Array {
	const { sequence = 1, flags, source, destination, staged, result, starts = 1 } = intention;
	const isKnown = (flags & RecordFlag.CRC_UNKNOWN) === 0;
	const crc = isKnown ? zlibCRC(result.subarray(destination === 0 ? SECTOR : 0)) : 0;
	const words = [
		0x4941544f,
		1,
		sequence,
		flags,
		source,
		destination,
		staged.length,
		result.length,
		crc,
		starts,
	];
	const bytes = new Uint8Array(2 * HEADER_LENGTH);
	const view = new DataView(bytes.buffer);
	words.forEach((word, i) => {
		view.setUint32(4 * i, word, true);
	});
	view.setUint32(HEADER_LENGTH - 4, crc32(bytes, HEADER_LENGTH - 4), true);
	bytes.copyWithin(HEADER_LENGTH, 0, HEADER_LENGTH);
	return bytes;
}
