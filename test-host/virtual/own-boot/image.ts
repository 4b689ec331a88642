/** An application's image, read as words from its start on: boot/image.c. */
import {
	APPLICATION_OFFSET,
	CHECKSUM_START,
	IMAGE_MAGIC,
	isLoaded,
	MAP_LENGTH,
	MAP_START,
	SECTOR,
	SEGMENTS_MAX,
} from "../../../ota/image";
import { FLASH_MAX, isInside } from "./numbers";
import type { Sector } from "./sector";

/** The Arduino packer changes these words of the first segment when the checksum is made: length of the file, and CRC. */
const PACKER_WORD = 4;
const LINE = 16;
const DATA_RAM = 0x3ffe8000;
const DATA_RAM_LENGTH = 0x14000;
const CODE_RAM = 0x40100000;
/** Below the second stage. */
const CODE_RAM_LENGTH = 0xe000;

type Expected = "header" | "entry" | "address" | "length" | "data" | "checksum" | "done" | "bad";

export class ImageReader {
	readonly #sector: Sector;
	#expected: Expected = "header";
	/** Bytes read. */
	#position = 0;
	#segments = 0;
	#entry = 0;
	#isEntryLoaded = false;
	#address = 0;
	/** Words of the segment's data. */
	#left = 0;
	#sum = 0;
	#packerLength = 0;
	#packerCRC = 0;

	constructor(sector: Sector) {
		this.#sector = sector;
	}

	begin(): void {
		this.#expected = "header";
		this.#position = 0;
		this.#isEntryLoaded = false;
		this.#sum = 0;
	}

	/** Takes the image's next `count` words. */
	read(words: Int32Array, count: number): void {
		if (this.#position === 0 && count > PACKER_WORD + 1) {
			this.#packerLength = words[PACKER_WORD] ?? 0;
			this.#packerCRC = words[PACKER_WORD + 1] ?? 0;
		}
		for (let i = 0; i < count && !this.#isOver; ) {
			if (this.#expected === "data") {
				const last = Math.min(count, i + this.#left);
				this.#position += 4 * (last - i);
				this.#left -= last - i;
				let sum = this.#sum;
				for (; i < last; i++) sum ^= words[i] ?? 0;
				this.#sum = sum;
				if (this.#left === 0) this.#expected = this.#segments > 0 ? "address" : "checksum";
				continue;
			}
			this.#expected = this.#next((words[i++] ?? 0) >>> 0);
			this.#position += 4;
		}
	}

	/** Bytes of the image up to the end of its checksum's line; 0 while it is not complete, or where it is none. */
	get length(): number {
		return this.#expected === "done" ? this.#position : 0;
	}

	/** Reads the image at a flash offset; its length, 0 where there is none before `end`. */
	verify(start: number, end: number): number {
		const sector = this.#sector;
		this.begin();
		for (let address = start; !this.#isOver && address < end; address += SECTOR) {
			sector.read(address);
			this.read(sector.words, SECTOR / 4);
		}
		return this.length;
	}

	get #isOver(): boolean {
		return this.#expected === "done" || this.#expected === "bad";
	}

	/** What comes behind this word. */
	#next(word: number): Expected {
		switch (this.#expected) {
			case "header":
				this.#segments = (word >> 8) & 0xff;
				if ((word & 0xff) !== IMAGE_MAGIC || this.#segments < 1 || this.#segments > SEGMENTS_MAX)
					return "bad";
				return "entry";
			case "entry":
				this.#entry = word;
				return "address";
			case "address":
				this.#address = word;
				return "length";
			case "length":
				if (!this.#isGoodSegment(word)) return "bad";
				this.#left = word / 4;
				this.#segments -= 1;
				if (word > 0) return "data";
				return this.#segments > 0 ? "address" : "checksum";
			case "checksum":
				if (this.#position % LINE !== LINE - 4) return "checksum";
				return this.#isEntryLoaded && this.#isChecked(word >>> 24) ? "done" : "bad";
			default:
				return this.#expected;
		}
	}

	#isGoodSegment(length: number): boolean {
		const address = this.#address;
		if (length % 4 !== 0 || length > FLASH_MAX) return false;
		if (!isLoaded(address)) return isInside(address, length, MAP_START, MAP_LENGTH);
		if (isInside(address, length, CODE_RAM, CODE_RAM_LENGTH)) {
			if ((this.#entry - address) >>> 0 < length) this.#isEntryLoaded = true;
		} else if (!isInside(address, length, DATA_RAM, DATA_RAM_LENGTH)) return false;
		return address % 4 === 0;
	}

	#isChecked(expected: number): boolean {
		if (isChecksum(this.#sum, expected)) return true;
		const isPacked = this.#packerLength === APPLICATION_OFFSET + this.#position + 4;
		return isPacked && isChecksum(this.#sum ^ this.#packerLength ^ this.#packerCRC, expected);
	}
}

function isChecksum(sum: number, expected: number): boolean {
	const half = sum ^ (sum >>> 16);
	return (((half ^ (half >>> 8)) & 0xff) ^ CHECKSUM_START) === expected;
}
