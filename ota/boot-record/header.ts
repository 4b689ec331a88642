/** The header of our boot loader's record: what is intended. SPEC.md, section 11. */
import { crc32 } from "../eboot";

export const HEADER_LENGTH = 64;

/** TRIAL: to be confirmed. CRC_UNKNOWN: of what the result is. GZIP: so it is staged. */
export const RecordFlag = Object.freeze({ TRIAL: 1, ONLY_RESTORE: 2, CRC_UNKNOWN: 4, GZIP: 8 } as const);

/** Offsets of the states, a word each: all ones, until it is programmed to 0. */
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
export type RecordState = (typeof RecordState)[keyof typeof RecordState];

/** "OTAI", little-endian. */
const MAGIC = 0x4941544f;
const FORMAT = 1;
const CRC_OFFSET = HEADER_LENGTH - 4;

export interface RecordHeader {
	sequence: number;
	/** Bits of RecordFlag. */
	flags: number;
	/** Where it is staged, and where it goes: flash offsets. */
	source: number;
	destination: number;
	/** Bytes as staged, and of the result. */
	size: number;
	length: number;
	/** zlib's CRC-32 of what of the result is written; 0 where it is not known. */
	crc: number;
	/** How often it may start without being confirmed. */
	starts: number;
}

/** Writes 64 bytes to `view`. */
export function encodeHeader(view: DataView, header: RecordHeader): void {
	for (let i = 0; i < HEADER_LENGTH; i += 4) view.setUint32(i, 0, true);
	view.setUint32(0, MAGIC, true);
	view.setUint32(4, FORMAT, true);
	view.setUint32(8, header.sequence, true);
	view.setUint32(12, header.flags, true);
	view.setUint32(16, header.source, true);
	view.setUint32(20, header.destination, true);
	view.setUint32(24, header.size, true);
	view.setUint32(28, header.length, true);
	view.setUint32(32, header.crc, true);
	view.setUint32(36, header.starts, true);
	view.setUint32(CRC_OFFSET, crc32(new Uint8Array(view.buffer, view.byteOffset, CRC_OFFSET)), true);
}

/** The header in 64 bytes of `view` at `at`, or undefined where there is none, or a torn one. */
export function decodeHeader(view: DataView, at = 0): RecordHeader | undefined {
	if (view.getUint32(at, true) !== MAGIC || view.getUint32(at + 4, true) !== FORMAT) return undefined;
	const checked = new Uint8Array(view.buffer, view.byteOffset + at, CRC_OFFSET);
	if (view.getUint32(at + CRC_OFFSET, true) !== crc32(checked)) return undefined;
	return {
		sequence: view.getUint32(at + 8, true),
		flags: view.getUint32(at + 12, true),
		source: view.getUint32(at + 16, true),
		destination: view.getUint32(at + 20, true),
		size: view.getUint32(at + 24, true),
		length: view.getUint32(at + 28, true),
		crc: view.getUint32(at + 32, true),
		starts: view.getUint32(at + 36, true),
	};
}
