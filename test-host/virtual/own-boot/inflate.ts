/** Inflates a stream (RFC 1951), some bytes at a time, as strictly as boot/inflate.c. */
import { Codes, DISTANCES_MAX, LITERALS_MAX } from "./codes";
import type { Input } from "./input";

const WINDOW = 0x8000;
const END_OF_BLOCK = 256;
const LAST_LENGTH = 28;
const LAST_DISTANCE = 29;
/** In which order a block gives the lengths of its code length codes. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** One of each for all starts. */
const window = new Uint8Array(WINDOW);
const literals = new Codes();
const distances = new Codes();
const lengths = new Uint8Array(LITERALS_MAX + DISTANCES_MAX);

export class Inflate {
	readonly #input: Input;
	/** Bytes given. */
	#total = 0;
	#matchDistance = 0;
	/** Bytes of the match, or of the stored block, that have yet to be given. */
	#left = 0;
	#block: "new" | "stored" | "coded" = "new";
	#isLast = false;

	constructor(input: Input) {
		this.#input = input;
	}

	begin(): void {
		this.#total = 0;
		this.#left = 0;
		this.#block = "new";
		this.#isLast = false;
	}

	/** Whether the stream came to its end as it should. */
	get isEnded(): boolean {
		return this.#isLast && this.#block === "new" && !this.#input.isDamaged;
	}

	/** Gives up to `length` bytes; how many: fewer where the stream ends before, or is damaged. */
	some(to: Uint8Array, length: number): number {
		const input = this.#input;
		let done = 0;
		while (done < length) {
			if (this.#block === "new") {
				if (!this.#beginBlock()) break;
			} else if (this.#left > 0) {
				// Damage is looked for at the end of these, as the loader does.
				done = this.#block === "stored" ? this.#store(to, done, length) : this.#match(to, done, length);
				continue;
			} else if (this.#block === "stored") this.#block = "new";
			else {
				const symbol = literals.symbol(input);
				if (symbol < END_OF_BLOCK) {
					window[this.#total++ % WINDOW] = symbol;
					to[done++] = symbol;
				} else if (symbol === END_OF_BLOCK) this.#block = "new";
				else if (!this.#beginMatch(symbol - END_OF_BLOCK - 1)) break;
			}
			if (input.isDamaged) break;
		}
		return done;
	}

	#store(to: Uint8Array, done: number, length: number): number {
		const count = Math.min(this.#left, length - done);
		for (let i = 0; i < count; i++) to[done + i] = window[this.#total++ % WINDOW] = this.#input.take(8);
		this.#left -= count;
		return done + count;
	}

	#match(to: Uint8Array, done: number, length: number): number {
		const count = Math.min(this.#left, length - done);
		let total = this.#total;
		for (let i = 0; i < count; i++) {
			const byte = window[(total - this.#matchDistance) % WINDOW] ?? 0;
			window[total++ % WINDOW] = byte;
			to[done + i] = byte;
		}
		this.#total = total;
		this.#left -= count;
		return done + count;
	}

	#beginBlock(): boolean {
		const input = this.#input;
		if (this.#isLast) return false;
		this.#isLast = input.take(1) === 1;
		const type = input.take(2);
		this.#block = "coded";
		if (type === 0) {
			this.#block = "stored";
			input.dropBits();
			this.#left = input.take(16);
			return this.#left === (input.take(16) ^ 0xffff);
		}
		if (type === 1) makeFixedCodes();
		return type === 1 || (type === 2 && this.#readCodes());
	}

	#readCodes(): boolean {
		const input = this.#input;
		const literalCount = 257 + input.take(5);
		const count = literalCount + 1 + input.take(5);
		const orderCount = 4 + input.take(4);
		for (let i = 0; i < ORDER.length; i++) lengths[ORDER[i] ?? 0] = i < orderCount ? input.take(3) : 0;
		if (!literals.make(lengths, 0, ORDER.length)) return false;
		for (let i = 0; i < count; ) {
			const symbol = literals.symbol(input);
			if (symbol < 16) {
				lengths[i++] = symbol;
				continue;
			}
			let repeat: number;
			if (symbol === 16) repeat = 3 + input.take(2);
			else repeat = symbol === 17 ? 3 + input.take(3) : 11 + input.take(7);
			if (symbol > 18 || (symbol === 16 && i === 0) || i + repeat > count) return false;
			lengths.fill(symbol === 16 ? (lengths[i - 1] ?? 0) : 0, i, i + repeat);
			i += repeat;
		}
		return (
			lengths[END_OF_BLOCK] !== 0 &&
			literals.make(lengths, 0, literalCount) &&
			distances.make(lengths, literalCount, count - literalCount)
		);
	}

	/** A match begins; false where there is none like that. */
	#beginMatch(length: number): boolean {
		const input = this.#input;
		if (length < 8) this.#left = length + 3;
		else if (length < LAST_LENGTH) {
			const extra = (length >> 2) - 1;
			this.#left = ((4 + (length & 3)) << extra) + 3 + input.take(extra);
		} else this.#left = 258;
		let distance = distances.symbol(input);
		if (length > LAST_LENGTH || distance > LAST_DISTANCE) return false;
		if (distance > 3) {
			const extra = (distance >> 1) - 1;
			distance = ((2 + (distance & 1)) << extra) + input.take(extra);
		}
		this.#matchDistance = distance + 1;
		return this.#matchDistance <= this.#total;
	}
}

function makeFixedCodes(): void {
	lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, LITERALS_MAX);
	literals.make(lengths, 0, LITERALS_MAX);
	distances.make(lengths.fill(5, 0, DISTANCES_MAX), 0, DISTANCES_MAX);
}
