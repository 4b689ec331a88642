/** What is intended and how far it is, in a sector of its own: boot/record.c; SPEC.md, section 11. */
import { crc32 } from "../../../ota/eboot";
import { SECTOR } from "../../../ota/image";
import type { RomFlash } from "../rom-flash";

const MAGIC = 0x4941544f;
const VERSION = 1;
const HEADER_WORDS = 16;
const HEADER_LENGTH = 4 * HEADER_WORDS;
/** Words from the record's start. */
const STATES = 2 * HEADER_WORDS;
const STARTS = STATES + 8;
const STARTS_MAX = 8;
const BEFORE = STARTS + STARTS_MAX;
const RESULT = BEFORE + 4;
const WORDS = RESULT + 2;

export const KEEPING_PROGRESS = 0x100;
export const RESTORING_PROGRESS = 0x140;
export const INSTALLING_PROGRESS = 0x800;

export const Flag = Object.freeze({ TRIAL: 1, ONLY_RESTORE: 2, CRC_UNKNOWN: 4, GZIP: 8 } as const);
export const State = Object.freeze({
	REFUSED: 0,
	BEGUN: 1,
	KEPT: 2,
	INSTALLED: 3,
	CONFIRMED: 4,
	RESTORE: 5,
	RESTORED: 6,
	RESTORING: 7,
} as const);
export type State = (typeof State)[keyof typeof State];

export interface Header {
	sequence: number;
	flags: number;
	source: number;
	destination: number;
	/** Bytes as staged. */
	size: number;
	/** Bytes of the result. */
	length: number;
	crc: number;
	/** That a trial has. */
	starts: number;
}

const NO_HEADER: Header = Object.freeze({
	sequence: 0,
	flags: 0,
	source: 0,
	destination: 0,
	size: 0,
	length: 0,
	crc: 0,
	starts: 0,
});

/** One for all starts: each begins with reading it. */
const words = new Uint32Array(WORDS);
const bytes = new Uint8Array(words.buffer);

export class BootRecord {
	readonly #flash: RomFlash;
	readonly #address: number;
	/** As it lies in flash; without one all 0, and no state is set. */
	header = NO_HEADER;
	exists = false;

	constructor(flash: RomFlash, address: number) {
		this.#flash = flash;
		this.#address = address;
	}

	read(): void {
		this.#flash.readInto(this.#address, bytes);
		this.exists = isWhole(0);
		if (!this.exists) {
			words.copyWithin(0, HEADER_WORDS, 2 * HEADER_WORDS);
			this.exists = isWhole(0);
		}
		this.header = this.exists ? decodeHeader() : NO_HEADER;
		if (!this.exists) words.fill(0xffffffff, STATES);
	}

	/** A new one; false where the flash does not hold it. */
	write(header: Partial<Header>): boolean {
		const flash = this.#flash;
		const encoded = encodeHeader({ ...NO_HEADER, ...header, sequence: this.header.sequence + 1 });
		flash.eraseSector(this.#address / SECTOR);
		flash.write(this.#address, encoded);
		flash.write(this.#address + HEADER_LENGTH, encoded);
		this.read();
		return this.exists;
	}

	is(state: State): boolean {
		return isSet(STATES + state);
	}

	set(state: State): void {
		if (!this.is(state)) this.#clear(STATES + state);
	}

	get startsUsed(): number {
		let used = 0;
		for (let i = 0; i < STARTS_MAX; i++) if (isSet(STARTS + i)) used += 1;
		return used;
	}

	useStart(): void {
		for (let i = 0; i < STARTS_MAX; i++) {
			if (isSet(STARTS + i)) continue;
			this.#clear(STARTS + i);
			return;
		}
	}

	/** Of the application before, whether there is a copy of it or not; a CRC only where both are sure. */
	get before(): { length: number; crc: number; isKnown: boolean } {
		const [length = 0, crc = 0, lengthInverted = 0, crcInverted = 0] = words.subarray(BEFORE, BEFORE + 4);
		return { length, crc, isKnown: length === ~lengthInverted >>> 0 && crc === ~crcInverted >>> 0 };
	}

	noteBefore(length: number, crc: number): void {
		words.set([length, crc, ~length, ~crc], BEFORE);
		this.#keep(BEFORE, 4);
	}

	/** CRC of the result, where the header does not know it. */
	get result(): { crc: number; isKnown: boolean } {
		const [crc = 0, inverted = 0] = words.subarray(RESULT, RESULT + 2);
		return { crc, isKnown: crc === ~inverted >>> 0 };
	}

	noteResult(crc: number): void {
		words.set([crc, ~crc], RESULT);
		this.#keep(RESULT, 2);
	}

	#clear(word: number): void {
		words[word] = 0;
		this.#keep(word, 1);
	}

	/** Programs words to their place in flash. */
	#keep(word: number, count: number): void {
		this.#flash.write(this.#address + 4 * word, bytes.subarray(4 * word, 4 * (word + count)));
	}
}

function isWhole(start: number): boolean {
	if (words[start] !== MAGIC || words[start + 1] !== VERSION) return false;
	const length = HEADER_LENGTH - 4;
	return crc32(bytes.subarray(4 * start), length) === words[start + HEADER_WORDS - 1];
}

/** A word is programmed to 0: one that was torn, or has lost a bit, counts by most of its bits. */
function isSet(word: number): boolean {
	let zeros = 0;
	for (let bits = ~(words[word] ?? 0); bits !== 0; bits &= bits - 1) zeros += 1;
	return zeros > 16;
}

function decodeHeader(): Header {
	const [
		,
		,
		sequence = 0,
		flags = 0,
		source = 0,
		destination = 0,
		size = 0,
		length = 0,
		crc = 0,
		starts = 0,
	] = words;
	return { sequence, flags, source, destination, size, length, crc, starts };
}

function encodeHeader(header: Header): Uint8Array {
	const { sequence, flags, source, destination, size, length, crc, starts } = header;
	const encoded = new Uint32Array(HEADER_WORDS);
	encoded.set([MAGIC, VERSION, sequence, flags, source, destination, size, length, crc, starts]);
	const encodedBytes = new Uint8Array(encoded.buffer);
	encoded[HEADER_WORDS - 1] = crc32(encodedBytes, HEADER_LENGTH - 4);
	return encodedBytes;
}
