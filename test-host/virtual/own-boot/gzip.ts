/** A gzip (RFC 1952) in flash: boot/gzip.c. One member, no bit that is not used, its trailer tells of what came. */
import { crc32 } from "node:zlib";
import { GZIP_MAGIC, GZIP_MAGIC_2 } from "../../../ota/image";
import type { RomFlash } from "../rom-flash";
import { Inflate } from "./inflate";
import { Input } from "./input";
import { Result } from "./job";

const HEADER_LENGTH = 10;
const TRAILER_LENGTH = 8;
const DEFLATE = 8;
const word = new Uint8Array(4);
const more = new Uint8Array(1);

export class Gzip {
	readonly #flash: RomFlash;
	readonly #input: Input;
	readonly #inflate: Inflate;
	#crc = 0;
	/** Bytes of what the one opened last inflates to, as its trailer says. */
	length = 0;

	constructor(flash: RomFlash) {
		this.#flash = flash;
		this.#input = new Input(flash);
		this.#inflate = new Inflate(this.#input);
	}

	/** Whether one begins at a flash offset. */
	isAt(source: number): boolean {
		this.#flash.readInto(source, word);
		return word[0] === GZIP_MAGIC && word[1] === GZIP_MAGIC_2;
	}

	/** Reads the header of a gzip of `size` bytes. OK or GZIP_HEADER. */
	open(source: number, size: number): Result {
		const input = this.#input;
		if (size < HEADER_LENGTH + TRAILER_LENGTH) return Result.GZIP_HEADER;
		input.open(source + 2, source + size - TRAILER_LENGTH);
		this.#inflate.begin();
		this.#crc = 0;
		const method = input.byte();
		const flags = input.byte();
		input.next = (source + HEADER_LENGTH) >>> 0;
		if (method !== DEFLATE || flags & 0xe0) return Result.GZIP_HEADER;
		if (flags & 4) {
			const extra = input.byte() | (input.byte() << 8);
			input.next += extra;
		}
		if (flags & 8) this.#skipText();
		if (flags & 16) this.#skipText();
		if (flags & 2) input.next += 2;
		this.length = input.wordAt(input.end + 4);
		return input.isDamaged || input.next > input.end ? Result.GZIP_HEADER : Result.OK;
	}

	/** Inflates the next bytes. OK or GZIP_DATA. */
	inflate(to: Uint8Array, length: number): Result {
		if (this.#inflate.some(to, length) < length) return Result.GZIP_DATA;
		this.#crc = crc32(to.subarray(0, length), this.#crc);
		return Result.OK;
	}

	/** Behind the last byte: OK, or GZIP_DATA where more follows, or the trailer does not tell of what came. */
	close(): Result {
		const input = this.#input;
		const isEnd = this.#inflate.some(more, 1) === 0 && this.#inflate.isEnded;
		const isWhole = isEnd && input.next === input.end && input.wordAt(input.end) === this.#crc;
		return isWhole ? Result.OK : Result.GZIP_DATA;
	}

	#skipText(): void {
		while (this.#input.byte() !== 0 && !this.#input.isDamaged);
	}
}
