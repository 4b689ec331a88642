/** Images in bytes: the counterpart of part.ts and packer.ts. */
import { crc32 } from "../../ota/eboot";
import {
	APPLICATION_OFFSET,
	CHECKSUM_START,
	HEADER_LENGTH,
	IMAGE_MAGIC,
	imageEnd,
	SEGMENT_HEADER_LENGTH,
	SEGMENTS_MAX,
} from "../../ota/image";
import { PACKER_WORDS_LENGTH, PACKER_WORDS_OFFSET } from "./packer";

/** What the Arduino packer fills the boot loader's sector with. */
const BOOT_PADDING = 0xaa;

export interface Segment {
	/** Where the boot loader puts it. */
	address: number;
	/** Padded with zeros to whole words. */
	data: Uint8Array;
}

export interface ImageHeader {
	/** 0 QIO, 1 QOUT, 2 DIO (the usual one), 3 DOUT. */
	flashMode?: number;
	/** The size nibble: 4 (the usual one) is 4 MiB. */
	flashSize?: number;
	/** The frequency nibble: 0 (the usual one) is 40 MHz. */
	flashFrequency?: number;
}

export interface ImageOptions extends ImageHeader {
	/** At most 16. */
	segments: readonly Segment[];
	entry: number;
}

/** One ESP image, version 1. Throws RangeError for more segments than the boot loaders take. */
export function buildImage(options: ImageOptions): Uint8Array {
	const { segments, entry, flashMode = 2, flashSize = 4, flashFrequency = 0 } = options;
	if (segments.length > SEGMENTS_MAX) throw new RangeError(`more than ${SEGMENTS_MAX} segments`);
	let length = HEADER_LENGTH;
	for (const { data } of segments) length += SEGMENT_HEADER_LENGTH + wholeWords(data.length);
	const image = new Uint8Array(imageEnd(length));
	const view = new DataView(image.buffer);
	image.set([IMAGE_MAGIC, segments.length, flashMode, (flashSize << 4) | flashFrequency]);
	view.setUint32(4, entry, true);
	let offset = HEADER_LENGTH;
	let checksum = CHECKSUM_START;
	for (const { address, data } of segments) {
		view.setUint32(offset, address, true);
		view.setUint32(offset + 4, wholeWords(data.length), true);
		image.set(data, offset + SEGMENT_HEADER_LENGTH);
		offset += SEGMENT_HEADER_LENGTH + wholeWords(data.length);
		for (const byte of data) checksum ^= byte;
	}
	image[image.length - 1] = checksum;
	return image;
}

/** A firmware file: the boot loader's image, padded to its sector, and the application's behind it. */
export function joinImages(bootLoader: Uint8Array, application: Uint8Array): Uint8Array {
	const file = new Uint8Array(APPLICATION_OFFSET + application.length).fill(
		BOOT_PADDING,
		0,
		APPLICATION_OFFSET,
	);
	file.set(bootLoader);
	file.set(application, APPLICATION_OFFSET);
	return file;
}

/**
 * Fills in the packer's two words of a firmware file: its length, and its CRC with both words 0, as they are
 * expected to be. Neither is in the application's checksum.
 */
export function fillPackerWords(file: Uint8Array): void {
	const crc = crc32(file);
	const view = new DataView(file.buffer, file.byteOffset + PACKER_WORDS_OFFSET, PACKER_WORDS_LENGTH);
	view.setUint32(0, file.length, true);
	view.setUint32(4, crc, true);
}

export function wholeWords(length: number): number {
	return (length + 3) & ~3;
}
