/** What is intended and how far it is, in a sector of its own: boot/record.c; SPEC.md, section 11. */
import {
	decodeHeader,
	encodeHeader,
	HEADER_LENGTH,
	type RecordHeader,
	type RecordState,
} from "../../../ota/boot-record/header";
import { SECTOR } from "../../../ota/image";
import type { RomFlash } from "../rom-flash";

/** Words from the record's start. */
const STATES = 32;
const STARTS = STATES + 8;
const STARTS_MAX = 8;
const BEFORE = STARTS + STARTS_MAX;
const RESULT = BEFORE + 4;
const WORDS = RESULT + 2;

export const KEEPING_PROGRESS = 0x100;
export const RESTORING_PROGRESS = 0x140;
export const INSTALLING_PROGRESS = 0x800;

const NO_HEADER: RecordHeader = Object.freeze({
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
const view = new DataView(words.buffer);

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
		const header = decodeHeader(view) ?? decodeHeader(view, HEADER_LENGTH);
		this.exists = header !== undefined;
		this.header = header ?? NO_HEADER;
		if (!this.exists) words.fill(0xffffffff, STATES);
	}

	/** A new one; false where the flash does not hold it. */
	write(header: Partial<RecordHeader>): boolean {
		const flash = this.#flash;
		const encoded = new Uint8Array(HEADER_LENGTH);
		const sequence = this.header.sequence + 1;
		encodeHeader(new DataView(encoded.buffer), { ...NO_HEADER, ...header, sequence });
		flash.eraseSector(this.#address / SECTOR);
		flash.write(this.#address, encoded);
		flash.write(this.#address + HEADER_LENGTH, encoded);
		this.read();
		return this.exists;
	}

	is(state: RecordState): boolean {
		return isSet(state / 4);
	}

	set(state: RecordState): void {
		if (!this.is(state)) this.#clear(state / 4);
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

/** A word is programmed to 0: one that was torn, or has lost a bit, counts by most of its bits. */
function isSet(word: number): boolean {
	let zeros = 0;
	for (let bits = ~(words[word] ?? 0); bits !== 0; bits &= bits - 1) zeros += 1;
	return zeros > 16;
}
