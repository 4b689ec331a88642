import {
	APPLICATION_OFFSET,
	CHECKSUM_START,
	FLASH_SIZE_OFFSET,
	flashSizeOf,
	HEADER_LENGTH,
	IMAGE_MAGIC,
	imageEnd,
	SEGMENT_HEADER_LENGTH,
	SEGMENTS_MAX,
} from "../../ota/image";
import { PACKER_WORDS_LENGTH, PACKER_WORDS_OFFSET } from "./packer";

const FLASH_MODE_OFFSET = 2;
const ENTRY_OFFSET = 4;
/** By byte 2 of a header. */
export const FLASH_MODES: readonly string[] = ["QIO", "QOUT", "DIO", "DOUT"];
/** By the low four bits of byte 3. */
export const FLASH_FREQUENCIES: Readonly<Record<number, string>> = {
	0: "40 MHz",
	1: "26 MHz",
	2: "20 MHz",
	15: "80 MHz",
};

/** irom is flash that the cache maps; the others are memory that the boot loader fills. */
export type Memory = "irom" | "IRAM" | "DRAM" | "other";

export interface Segment {
	/** Load address. */
	address: number;
	/** Bytes. */
	length: number;
	memory: Memory;
}

/** One ESP image within a file. */
export interface ImagePart {
	/** Where it begins in the file. */
	offset: number;
	/** Bytes, from the header to the checksum. */
	size: number;
	entry: number;
	/** `QIO`, `QOUT`, `DIO`, `DOUT` or `unknown`. */
	flashMode: string;
	/** Bytes; 0 is unknown. */
	flashSize: number;
	/** `20 MHz` to `80 MHz`, or `unknown`. */
	flashFrequency: string;
	segments: Segment[];
	/** `missing` where the file ends before it. */
	checksum: "right" | "wrong" | "missing";
}

/** The image at `offset`, as far as the file has it; undefined where no image begins there. */
export function readPart(bytes: Uint8Array, offset: number): ImagePart | undefined {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	if (offset + HEADER_LENGTH > bytes.length || view.getUint8(offset) !== IMAGE_MAGIC) return undefined;
	const count = view.getUint8(offset + 1);
	if (count < 1 || count > SEGMENTS_MAX) return undefined;
	const flash = view.getUint8(offset + FLASH_SIZE_OFFSET);
	const segments: Segment[] = [];
	let end = offset + HEADER_LENGTH;
	let checksum = CHECKSUM_START;
	while (segments.length < count && end + SEGMENT_HEADER_LENGTH <= bytes.length) {
		const address = view.getUint32(end, true);
		const length = view.getUint32(end + 4, true);
		segments.push({ address, length, memory: memoryAt(address) });
		end += SEGMENT_HEADER_LENGTH;
		checksum ^= xor(bytes.subarray(end, end + length));
		end += length;
	}
	const size = imageEnd(end - offset);
	const whole = segments.length === count && offset + size <= bytes.length;
	const right = whole && matches(checksum, bytes, offset, size);
	return {
		offset,
		size,
		entry: view.getUint32(offset + ENTRY_OFFSET, true),
		flashMode: FLASH_MODES[view.getUint8(offset + FLASH_MODE_OFFSET)] ?? "unknown",
		flashSize: flashSizeOf(flash),
		flashFrequency: FLASH_FREQUENCIES[flash & 15] ?? "unknown",
		segments,
		checksum: whole ? (right ? "right" : "wrong") : "missing",
	};
}

function matches(checksum: number, bytes: Uint8Array, offset: number, size: number): boolean {
	const stored = bytes[offset + size - 1];
	if (stored === checksum) return true;
	if (offset !== APPLICATION_OFFSET) return false;
	// The Arduino packer fills its two words in after the checksum was made, when they were 0.
	const words = bytes.subarray(PACKER_WORDS_OFFSET, PACKER_WORDS_OFFSET + PACKER_WORDS_LENGTH);
	return stored === (checksum ^ xor(words));
}

function xor(bytes: Uint8Array): number {
	let result = 0;
	for (const byte of bytes) result ^= byte;
	return result;
}

/** The ESP8266's memory map: 96 KiB of data RAM below the ROM, 64 KiB of instruction RAM, 1 MiB of mapped flash. */
function memoryAt(address: number): Memory {
	if (address >= 0x40200000 && address < 0x40300000) return "irom";
	if (address >= 0x40100000 && address < 0x40110000) return "IRAM";
	if (address >= 0x3ffe8000 && address < 0x40000000) return "DRAM";
	return "other";
}
