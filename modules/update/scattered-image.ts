/** An image that comes in pieces of any order, each written to its place in a partition. */
import flash, { type Flash } from "embedded:storage/flash";
import { Digest } from "crypt";

/** Bytes read at once. */
export const PIECE = 512;
/** Pieces that lie apart; each takes two slots. An update that alternates between 64 places is none. */
const RUNS_MAX = 64;

export class ScatteredImage {
	readonly #flash: Flash;
	readonly #blockLength: number;
	/** Where the image must end; undefined where that is not known. */
	readonly #byteLength: number | undefined;
	readonly #room: number;
	/** A bit for each sector: erased, since something was written there. */
	readonly #erased: Uint8Array;
	/** Start and end of each run of bytes written, ascending, apart from each other. */
	readonly #runs: number[] = [];
	readonly #piece = new Uint8Array(PIECE);
	/** Whether the flash holds what was written: not after a failure, which may have hit other pieces, too. */
	#isIntact = true;

	constructor(path: string, byteLength: number | undefined) {
		this.#flash = flash.open({ path });
		const { size, blocks, blockLength } = this.#flash.status();
		this.#blockLength = blockLength;
		this.#byteLength = byteLength;
		this.#room = byteLength ?? size;
		this.#erased = new Uint8Array(Math.ceil(blocks / 8));
	}

	/**
	 * Writes and reads back. Throws RangeError where it does not fit, having written nothing, and Error where
	 * the flash does not hold it.
	 */
	write(bytes: Uint8Array, offset: number): void {
		const { length } = bytes;
		if (!(Number.isInteger(offset) && offset >= 0 && length <= this.#room - offset)) {
			throw new RangeError("outside the update");
		}
		this.#checkIntact();
		if (length === 0) return;
		const end = offset + length;
		this.#note(offset, end);
		this.#isIntact = false;
		this.#erase(offset, end);
		this.#flash.write(bytes, offset);
		const given = new Digest("MD5");
		given.write(bytes);
		const stored = new Digest("MD5");
		for (let at = offset; at < end; at += PIECE) stored.write(this.read(at, end));
		this.#isIntact = isSame(given.close(), stored.close());
		this.#checkIntact();
	}

	/** How long the image is. Throws Error where bytes are missing. */
	checkWhole(): number {
		this.#checkIntact();
		const [start = 0, end = 0] = this.#runs;
		const isWhole = this.#runs.length <= 2 && start === 0 && end === (this.#byteLength ?? end);
		if (!isWhole) throw new Error("bytes are missing");
		return end;
	}

	/** The bytes from `start`, PIECE of them or up to `end`, until the next read. */
	read(start: number, end: number): Uint8Array {
		const piece = end - start < PIECE ? this.#piece.subarray(0, end - start) : this.#piece;
		this.#flash.read(piece, start);
		return piece;
	}

	close(): void {
		this.#flash.close();
	}

	#checkIntact(): void {
		if (!this.#isIntact) throw new Error("the flash does not hold what was written");
	}

	/** Erases the sectors under a run that nothing was written to. */
	#erase(start: number, end: number): void {
		for (let block = Math.floor(start / this.#blockLength); block * this.#blockLength < end; block++) {
			const index = block >> 3;
			const bit = 1 << (block & 7);
			const erased = this.#erased[index] ?? 0;
			if (erased & bit) continue;
			this.#flash.eraseBlock(block);
			this.#erased[index] = erased | bit;
		}
	}

	/** Adds a run to those written. Throws RangeError where they are too many, having changed nothing. */
	#note(start: number, end: number): void {
		const runs = this.#runs;
		// The runs from `first` up to `last` touch the new one and become one with it.
		let first = 0;
		while (first < runs.length && (runs[first + 1] ?? 0) < start) first += 2;
		let last = first;
		while (last < runs.length && (runs[last] ?? 0) <= end) last += 2;
		if (first === last) {
			if (runs.length >= 2 * RUNS_MAX) throw new RangeError("too many pieces apart from each other");
			runs.splice(first, 0, start, end);
			return;
		}
		const from = Math.min(start, runs[first] ?? start);
		const to = Math.max(end, runs[last - 1] ?? end);
		runs.splice(first, last - first, from, to);
	}
}

function isSame(one: ArrayBuffer, other: ArrayBuffer): boolean {
	const bytes = new Uint8Array(one);
	const others = new Uint8Array(other);
	return bytes.length === others.length && bytes.every((byte, i) => byte === others[i]);
}
