/** An application's image in a slot as Espressif's RTOS boot loader verifies it: magic, segments, checksum. */
import { CHECKSUM_START, HEADER_LENGTH, IMAGE_MAGIC, isMapped, SEGMENT_HEADER_LENGTH } from "../../ota/image";
import type { NorFlash } from "./nor";
import { hex32 } from "./uart";

/** What the boot loader has room for. */
const SEGMENTS_MAX = 16;
/** Bytes that are read at once. */
const PIECE = 1024;
/** No partition is larger. */
const SIZE_MAX = 0x1000000;

interface Place {
	offset: number;
	size: number;
}

export interface RtosImage {
	entry: number;
	/** Bytes from its start to the end of its last segment. */
	length: number;
}

export interface ImageLog {
	info(text: string): void;
	error(text: string): void;
}

/** The image in a partition, or undefined where it does not boot; says of each segment, and why, as the boot loader does. */
export function readRtosImage(
	flash: NorFlash,
	{ offset, size }: Place,
	log: ImageLog,
): RtosImage | undefined {
	const read = (address: number, length: number): DataView => {
		const bytes = new Uint8Array(length);
		// Beyond the chip's end addresses begin anew.
		for (let i = 0; i < length; i += PIECE) {
			const at = (address + i) % flash.size;
			const count = Math.min(PIECE, length - i, flash.size - at);
			flash.read(at, bytes.subarray(i, i + count));
		}
		return new DataView(bytes.buffer);
	};
	if (size > SIZE_MAX) {
		log.error(`partition size 0x${size.toString(16)} invalid, larger than 16MB`);
		return undefined;
	}
	const header = read(offset, HEADER_LENGTH);
	const count = header.getUint8(1);
	if (header.getUint8(0) !== IMAGE_MAGIC) {
		log.error(`image at 0x${offset.toString(16)} has invalid magic byte`);
		return undefined;
	}
	if (count > SEGMENTS_MAX) {
		log.error(`image at 0x${offset.toString(16)} segment count ${count} exceeds max ${SEGMENTS_MAX}`);
		return undefined;
	}
	let position = offset + HEADER_LENGTH;
	let checksum = CHECKSUM_START;
	for (let i = 0; i < count; i++) {
		const segment = read(position, SEGMENT_HEADER_LENGTH);
		const address = segment.getUint32(0, true);
		const length = segment.getUint32(4, true);
		position += SEGMENT_HEADER_LENGTH;
		if (length % 4 !== 0) {
			log.error(`unaligned segment length 0x${length.toString(16)}`);
			return undefined;
		}
		const place = `paddr=0x${hex32(position)} vaddr=0x${hex32(address)}`;
		const use = isMapped(address) ? "map" : "load";
		const hex = length.toString(16).padStart(5, "0");
		log.info(`segment ${i}: ${place} size=0x${hex} (${String(length).padStart(6)}) ${use}`);
		// A real one reads on for minutes, round and round the chip.
		if (length > SIZE_MAX) return undefined;
		for (let at = 0; at < length; at += PIECE) {
			const words = read(position + at, Math.min(PIECE, length - at));
			for (let word = 0; word < words.byteLength; word += 4) checksum ^= words.getInt32(word, true);
		}
		position += length;
	}
	const length = position - offset;
	const end = (length + 16) & ~15;
	const stored = read(offset + end - 1, 1).getUint8(0);
	const calculated = (checksum ^ (checksum >>> 8) ^ (checksum >>> 16) ^ (checksum >>> 24)) & 0xff;
	if (stored !== calculated) {
		const read0x = `read 0x${stored.toString(16)}`;
		log.error(`Checksum failed. Calculated 0x${calculated.toString(16)} ${read0x}`);
		return undefined;
	}
	if (length > size) {
		log.error(`Image length ${length} doesn't fit in partition length ${size}`);
		return undefined;
	}
	return { entry: header.getUint32(4, true), length };
}
