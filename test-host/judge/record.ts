/** The record that tells the boot loader what to do, as the device's Updater leaves it: SPEC.md, section 11. */
import { crc32 } from "node:zlib";
import { encodeHeader, HEADER_LENGTH, RecordFlag } from "../../ota/boot-record/header";
import { SECTOR } from "../../ota/image";

export { RecordFlag, RecordState } from "../../ota/boot-record/header";

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
	const crc = isKnown ? crc32(result.subarray(destination === 0 ? SECTOR : 0)) : 0;
	const bytes = new Uint8Array(2 * HEADER_LENGTH);
	const { length: size } = staged;
	const { length } = result;
	const header = { sequence, flags, source, destination, size, length, crc, starts };
	encodeHeader(new DataView(bytes.buffer), header);
	bytes.copyWithin(HEADER_LENGTH, 0, HEADER_LENGTH);
	return bytes;
}
