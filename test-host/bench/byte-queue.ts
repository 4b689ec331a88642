/** Bytes of a stream, from an offset on: those that were acknowledged are dropped. */
export class ByteQueue {
	#pieces: Uint8Array[] = [];
	/** Offset of the first byte that is kept. */
	#start = 0;
	#end = 0;

	/** Offset behind the last byte. */
	get end(): number {
		return this.#end;
	}

	push(bytes: Uint8Array): void {
		if (bytes.length > 0) this.#pieces.push(bytes);
		this.#end += bytes.length;
	}

	/** A copy of `length` bytes from `offset` on, all of which are kept. */
	slice(offset: number, length: number): Uint8Array {
		const bytes = new Uint8Array(length);
		let at = this.#start;
		for (const piece of this.#pieces) {
			if (at >= offset + length) break;
			const from = Math.max(offset - at, 0);
			if (from < piece.length) {
				const to = Math.min(piece.length, offset + length - at);
				bytes.set(piece.subarray(from, to), at + from - offset);
			}
			at += piece.length;
		}
		return bytes;
	}

	/** Drops what lies before `offset`. */
	drop(offset: number): void {
		for (let first = this.#pieces[0]; first && this.#start < offset; first = this.#pieces[0]) {
			const count = Math.min(first.length, offset - this.#start);
			this.#start += count;
			if (count < first.length) this.#pieces[0] = first.subarray(count);
			else this.#pieces.shift();
		}
	}
}
