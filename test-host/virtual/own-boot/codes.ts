/** Codes of a deflate stream: boot/inflate.c. */
import type { Input } from "./input";

const BITS_MAX = 15;
export const LITERALS_MAX = 288;
export const DISTANCES_MAX = 32;

/** Symbols ordered by their codes, and how many codes there are of each length. */
export class Codes {
	readonly #counts = new Uint16Array(BITS_MAX + 1);
	readonly #symbols = new Uint16Array(LITERALS_MAX);
	readonly #offsets = new Uint16Array(BITS_MAX + 2);

	/** False where the lengths are those of no code. One that is not complete may have one symbol only. */
	make(lengths: Uint8Array, start: number, count: number): boolean {
		const counts = this.#counts;
		const offsets = this.#offsets;
		counts.fill(0);
		for (let i = 0; i < count; i++) {
			const length = lengths[start + i] ?? 0;
			counts[length] = (counts[length] ?? 0) + 1;
		}
		counts[0] = 0;
		offsets[1] = 0;
		let left = 1;
		for (let i = 1; i <= BITS_MAX; i++) {
			const ofLength = counts[i] ?? 0;
			left = 2 * left - ofLength;
			if (left < 0) return false;
			offsets[i + 1] = (offsets[i] ?? 0) + ofLength;
		}
		const used = offsets[BITS_MAX + 1] ?? 0;
		for (let i = 0; i < count; i++) {
			const length = lengths[start + i] ?? 0;
			if (length === 0) continue;
			const at = offsets[length] ?? 0;
			this.#symbols[at] = i;
			offsets[length] = at + 1;
		}
		return left === 0 || used <= 1;
	}

	/** The next symbol; LITERALS_MAX where 15 bits are no code. */
	symbol(input: Input): number {
		const counts = this.#counts;
		let held = input.bits;
		let heldCount = input.bitCount;
		let code = 0;
		let first = 0;
		let value = LITERALS_MAX;
		for (let length = 1; length <= BITS_MAX; length++) {
			if (heldCount === 0) {
				held = input.byte();
				heldCount = 8;
			}
			code += held & 1;
			held >>>= 1;
			heldCount -= 1;
			const count = counts[length] ?? 0;
			if (code < count) {
				value = this.#symbols[first + code] ?? 0;
				break;
			}
			first += count;
			code = (code - count) << 1;
		}
		input.bits = held;
		input.bitCount = heldCount;
		return value;
	}
}
