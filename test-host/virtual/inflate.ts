/**
 * Inflate (RFC 1951) and the gzip header (RFC 1952) with the habits of the decoder in eboot, which decide
 * what a damaged stream leaves in the flash. Node's own decoder refuses such streams as a whole. The habits:
 * - the source never ends, and a full output buffer pauses the stream anywhere;
 * - after the last block's end the next call goes on with that block's codes, in the bits behind it;
 * - a literal code that stands for nothing gives the byte FD, and a distance may reach back before the start,
 *   where the window holds noise;
 * - code lengths that leave codes unused or double are taken as they are; trailer and checksum are never read.
 */
import { GZIP_MAGIC, GZIP_MAGIC_2 } from "../../ota/image";
import { Noise } from "./noise";

const WINDOW = 32768;
const MAX_BITS = 15;
const END_OF_BLOCK = 256;
/** What eboot's decoder stores for a code without a symbol: the low byte of its error -3. */
const UNKNOWN_LITERAL = 0xfd;
const lengthBase = [
	3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
	227, 258,
];
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBase = [
	1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
	6145, 8193, 12289, 16385, 24577,
];
/** In which order a dynamic block gives the lengths of its code length codes. */
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Symbols sorted by their code, and how many codes there are of each length. */
interface Codes {
	counts: Uint16Array;
	symbols: Uint16Array;
}

/** filled: the buffer is full. ended: the stream's end came before that. damaged: this is no deflate. */
export type InflateResult = "filled" | "ended" | "damaged";

export class Inflater {
	readonly #next: () => number;
	readonly #window = new Noise(0x8b1f).fill(new Uint8Array(WINDOW));
	#windowAt = 0;
	#bits = 0;
	#bitCount = 0;
	#last = false;
	/** -1 before the first block; 0 stored, 1 fixed codes, 2 dynamic codes. */
	#type = -1;
	/** Bytes of the match, or of the stored block, that the output has yet to get. */
	#left = 0;
	#stored = false;
	#matchAt = 0;
	#literals = fixedLiterals;
	#distances = fixedDistances;

	/** `next` gives the stream's bytes, one a call, and never runs dry. */
	constructor(next: () => number) {
		this.#next = next;
	}

	/** Reads over a gzip header; false where it is none. */
	gzipHeader(): boolean {
		const next = this.#next;
		if (next() !== GZIP_MAGIC || next() !== GZIP_MAGIC_2 || next() !== 8) return false;
		const flags = next();
		if (flags & 0xe0) return false;
		for (let i = 0; i < 6; i++) next();
		if (flags & 4) for (let extra = next() | (next() << 8); extra > 0; extra--) next();
		if (flags & 8) while (next() !== 0);
		if (flags & 16) while (next() !== 0);
		if (flags & 2) for (let i = 0; i < 2; i++) next();
		return true;
	}

	/** Fills the first `length` bytes of `output`; where it ends early, the rest stays as it was. */
	fill(output: Uint8Array, length: number): InflateResult {
		for (let at = 0; at < length; ) {
			if (this.#type < 0 && !this.#block()) return "damaged";
			const value = this.#type === 0 ? this.#storedByte() : this.#codedByte();
			if (value === "damaged") return value;
			if (value === "ended") {
				if (this.#last) return value;
				this.#type = -1;
				continue;
			}
			this.#window[this.#windowAt] = value;
			this.#windowAt = (this.#windowAt + 1) % WINDOW;
			output[at++] = value;
		}
		return "filled";
	}

	/** Reads a block's header; false where it is damaged. */
	#block(): boolean {
		this.#last = this.#read(1) === 1;
		this.#type = this.#read(2);
		this.#stored = false;
		if (this.#type === 2) return this.#dynamicCodes();
		this.#literals = fixedLiterals;
		this.#distances = fixedDistances;
		return this.#type < 2;
	}

	#storedByte(): number | "ended" | "damaged" {
		if (!this.#stored) {
			const length = this.#next() | (this.#next() << 8);
			const inverse = this.#next() | (this.#next() << 8);
			if (length !== (~inverse & 0xffff)) return "damaged";
			this.#bitCount = 0;
			this.#left = length;
			this.#stored = true;
		}
		if (this.#left === 0) {
			this.#stored = false;
			return "ended";
		}
		this.#left -= 1;
		return this.#next();
	}

	#codedByte(): number | "ended" | "damaged" {
		if (this.#left === 0) {
			const symbol = this.#symbol(this.#literals);
			if (symbol < 0) return UNKNOWN_LITERAL;
			if (symbol < END_OF_BLOCK) return symbol;
			if (symbol === END_OF_BLOCK) return "ended";
			const base = lengthBase[symbol - 257];
			if (base === undefined) return "damaged";
			this.#left = base + this.#read(lengthBits[symbol - 257] ?? 0);
			// With a code for no distance eboot's decoder looks in front of its tables: taken as damage here.
			const distance = this.#symbol(this.#distances);
			const distanceStart = distanceBase[distance];
			if (distanceStart === undefined) return "damaged";
			const back = distanceStart + this.#read(Math.max(0, (distance >> 1) - 1));
			this.#matchAt = (this.#windowAt - back + WINDOW) % WINDOW;
		}
		const value = this.#window[this.#matchAt] ?? 0;
		this.#matchAt = (this.#matchAt + 1) % WINDOW;
		this.#left -= 1;
		return value;
	}

	#dynamicCodes(): boolean {
		const literals = this.#read(5) + 257;
		const total = literals + this.#read(5) + 1;
		const orders = this.#read(4) + 4;
		const orderLengths = new Uint8Array(codeLengthOrder.length);
		for (const symbol of codeLengthOrder.slice(0, orders)) orderLengths[symbol] = this.#read(3);
		const codes = buildCodes(orderLengths);
		const lengths = new Uint8Array(total);
		for (let at = 0; at < total; ) {
			const symbol = this.#symbol(codes);
			if (symbol < 0 || (symbol === 16 && at === 0)) return false;
			if (symbol < 16) {
				lengths[at++] = symbol;
				continue;
			}
			const repeat =
				symbol === 16 ? 3 + this.#read(2) : symbol === 17 ? 3 + this.#read(3) : 11 + this.#read(7);
			if (at + repeat > total) return false;
			lengths.fill(symbol === 16 ? (lengths[at - 1] ?? 0) : 0, at, at + repeat);
			at += repeat;
		}
		this.#literals = buildCodes(lengths.subarray(0, literals));
		this.#distances = buildCodes(lengths.subarray(literals));
		return true;
	}

	/** Decodes a symbol; -1 where 15 bits are no code. */
	#symbol(codes: Codes): number {
		let code = 0;
		let first = 0;
		let index = 0;
		for (let length = 1; length <= MAX_BITS; length++) {
			code |= this.#read(1);
			const count = codes.counts[length] ?? 0;
			if (code - first < count) return codes.symbols[index + code - first] ?? -1;
			index += count;
			first = (first + count) << 1;
			code <<= 1;
		}
		// eboot's decoder notices when it has taken a sixteenth bit.
		this.#read(1);
		return -1;
	}

	#read(count: number): number {
		let value = 0;
		for (let i = 0; i < count; i++) {
			if (this.#bitCount === 0) {
				this.#bits = this.#next();
				this.#bitCount = 8;
			}
			value |= (this.#bits & 1) << i;
			this.#bits >>= 1;
			this.#bitCount -= 1;
		}
		return value;
	}
}

function buildCodes(lengths: Uint8Array): Codes {
	const counts = new Uint16Array(MAX_BITS + 1);
	const symbols = new Uint16Array(lengths.length);
	let at = 0;
	for (let length = 1; length <= MAX_BITS; length++) {
		for (let symbol = 0; symbol < lengths.length; symbol++) {
			if (lengths[symbol] !== length) continue;
			counts[length] = (counts[length] ?? 0) + 1;
			symbols[at++] = symbol;
		}
	}
	return { counts, symbols };
}

const fixedLiterals = buildCodes(
	new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288),
);
const fixedDistances = buildCodes(new Uint8Array(32).fill(5));
