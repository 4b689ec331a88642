/**
 * ESP8266 images, version 1: an 8-byte header (magic, segment count, flash mode, flash size and frequency,
 * entry), then segments (load address, length, data), padded so that the checksum is the last byte of a
 * 16-byte line. A firmware file is a boot loader image padded to one sector, then the application image.
 */
export const SECTOR = 4096;
export const IMAGE_MAGIC = 0xe9;
export const GZIP_MAGIC = 0x1f;
export const GZIP_MAGIC_2 = 0x8b;
/** Header, an empty block, CRC and length. */
export const GZIP_LENGTH_MIN = 20;
/** Deflate makes no more than this many bytes of one. */
export const GZIP_RATIO_MAX = 1032;
export const HEADER_LENGTH = 8;
/** Where a header has the flash size (high four bits) and frequency (low four bits). */
export const FLASH_SIZE_OFFSET = 3;
export const SEGMENT_HEADER_LENGTH = 8;
export const CHECKSUM_START = 0xef;
/** The application image starts behind the boot loader's sector. */
export const APPLICATION_OFFSET = SECTOR;
/** The least that a firmware has: the boot loader's sector, the headers of an application and of a segment. */
export const FIRMWARE_LENGTH_MIN = APPLICATION_OFFSET + 16;
/** More segments than the mask ROM and esptool allow for is a damaged header (0xFF is erased flash). */
export const SEGMENTS_MAX = 16;

/** Bytes of flash by the size nibble (header byte 3, high four bits). */
const flashSizes: readonly number[] = Object.freeze([
	0x80000, 0x40000, 0x100000, 0x200000, 0x400000, 0x200000, 0x400000, 0, 0x800000, 0x1000000,
]);

/** Flash size in bytes that byte 3 of a header asks for; 0 where the nibble has no meaning. */
export function flashSizeOf(byte3: number): number {
	return flashSizes[byte3 >> 4] ?? 0;
}

/** The core's getSketchSize: the image's end, which is the checksum's 16-byte line, from the end of its last segment. */
export function imageEnd(lastSegmentEnd: number): number {
	return (lastSegmentEnd + 16) & ~15;
}

/** Where the flash cache maps the MiB that the application's image lies in, and how much of it. */
export const MAP_START = 0x40200000;
export const MAP_LENGTH = 0x100000;

export function isMapped(address: number): boolean {
	return address >= MAP_START && address < MAP_START + MAP_LENGTH;
}

export function isInstructionRAM(address: number): boolean {
	return address >= 0x40100000 && address < 0x4010c000;
}

/** Whether eboot (and the mask ROM) copies a segment into memory; the others are mapped or skipped. */
export function isLoaded(address: number): boolean {
	return address < 0x40000000 || isInstructionRAM(address) || address >= 0x60000000;
}

/** In instruction RAM eboot runs from here on, and what it loads ends here; our boot loader has a second stage below. */
const EBOOT_CODE = 0x4010f000;
const OWN_CODE = 0x4010e000;

/** Whether a segment can be loaded: words in data RAM, or in instruction RAM below the boot loader that loads it. */
export function fitsMemory(address: number, length: number, codeEnd = EBOOT_CODE): boolean {
	const end = address + length;
	// Above 0x3FFFC000 lie the mask ROM's data and the boot loader's stack.
	const isData = address >= 0x3ffe8000 && end <= 0x3fffc000;
	const isInstructions = address >= 0x40100000 && end <= codeEnd;
	return address % 4 === 0 && (isData || isInstructions);
}

/** What is wrong with the boot loader's image in a firmware's first sector, or undefined. The mask ROM would hang on it. */
export function bootImageFault(sector: Uint8Array): string | undefined {
	const view = new DataView(sector.buffer, sector.byteOffset, SECTOR);
	const count = view.getUint8(1);
	if (view.getUint8(0) !== IMAGE_MAGIC || count < 1 || count > SEGMENTS_MAX) return "boot loader header";
	let offset = HEADER_LENGTH;
	let checksum = 0;
	for (let i = 0; i < count; i++) {
		if (offset + SEGMENT_HEADER_LENGTH > SECTOR) return "boot loader too long";
		const length = view.getUint32(offset + 4, true);
		offset += SEGMENT_HEADER_LENGTH;
		if (length % 4 !== 0 || length >= SECTOR || offset + length >= SECTOR) return "boot loader segment";
		// By words: a byte costs about 450 instructions in XS, whatever it is xored with.
		for (const end = offset + length; offset < end; offset += 4) checksum ^= view.getInt32(offset, true);
	}
	checksum ^= checksum >>> 16;
	checksum = (checksum ^ (checksum >>> 8) ^ CHECKSUM_START) & 0xff;
	const end = imageEnd(offset);
	if (end > SECTOR || view.getUint8(end - 1) !== checksum) return "boot loader checksum";
	return undefined;
}

/**
 * Walks the application image of a firmware as it streams by, a sector at a time, and finds what would not
 * boot: eboot checks nothing of it, loads what the segment headers say and jumps. Ours does, and refuses it.
 */
export class ApplicationScanner {
	private position = 0;
	/** Where the next header lies in the file. */
	private next = APPLICATION_OFFSET;
	private segmentsLeft = -1;
	private entry = 0;
	private entryLoaded = false;
	/** The first half of a segment header that two sectors share. */
	private address = 0;
	private readonly isOwn: boolean;

	/** `isOwn`: for our boot loader, which has less instruction RAM for code, and takes no segment that is neither loaded nor mapped. */
	constructor(isOwn = false) {
		this.isOwn = isOwn;
	}

	/** Takes the file's next bytes, whole sectors until the last; says what is wrong, or undefined. */
	write(view: DataView, length: number): string | undefined {
		const start = this.position;
		const end = start + length;
		this.position = end;
		while (this.segmentsLeft !== 0) {
			const at = this.next - start;
			if (at >= 0 && this.next + 4 <= end) this.address = view.getUint32(at, true);
			if (this.next + SEGMENT_HEADER_LENGTH > end) break;
			const fault =
				this.segmentsLeft < 0
					? this.header(view, at)
					: this.segment(this.address, view.getUint32(at + 4, true));
			if (fault) return fault;
		}
		return undefined;
	}

	/** After the last byte: says what is wrong with the whole, of which `byteLength` bytes count, or undefined. */
	close(byteLength = this.position): string | undefined {
		if (this.segmentsLeft !== 0 || imageEnd(this.next) > byteLength) return "application cut short";
		if (!this.entryLoaded) return "application entry";
		return undefined;
	}

	private header(view: DataView, at: number): string | undefined {
		const count = view.getUint8(at + 1);
		if (view.getUint8(at) !== IMAGE_MAGIC || count < 1 || count > SEGMENTS_MAX) return "application header";
		this.segmentsLeft = count;
		this.entry = view.getUint32(at + 4, true);
		this.next += HEADER_LENGTH;
		return undefined;
	}

	private segment(address: number, length: number): string | undefined {
		// No length passes the largest flash; what the boot loader cannot load is an exception before the start.
		if (length % 4 !== 0 || length > 0x1000000) return "application segment";
		const codeEnd = this.isOwn ? OWN_CODE : EBOOT_CODE;
		const isPlaced = isLoaded(address)
			? fitsMemory(address, length, codeEnd)
			: !this.isOwn || (isMapped(address) && address + length <= MAP_START + MAP_LENGTH);
		if (!isPlaced) return "application segment";
		if (isInstructionRAM(address) && this.entry >= address && this.entry < address + length) {
			this.entryLoaded = true;
		}
		this.segmentsLeft -= 1;
		this.next += SEGMENT_HEADER_LENGTH + length;
		return undefined;
	}
}
