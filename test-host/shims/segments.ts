/** Received segments, each of which takes its part of a TCP's window until all of it is read. */
export class Segments {
	/** Bytes that may be read, and those that take part of the window. */
	available = 0;
	held = 0;
	readonly #segments: Uint8Array[] = [];
	/** Bytes read of the first one. */
	#consumed = 0;

	push(segment: Uint8Array): void {
		this.#segments.push(segment);
		this.available += segment.length;
		this.held += segment.length;
	}

	/** Fills `target`, which is no larger than what is available. `onFree`: all of a segment is read. */
	read(target: Uint8Array, onFree?: () => void): void {
		this.available -= target.length;
		for (let filled = 0; filled < target.length; ) {
			const first = this.#segments[0] ?? new Uint8Array(0);
			const part = first.subarray(this.#consumed, this.#consumed + target.length - filled);
			target.set(part, filled);
			filled += part.length;
			this.#consumed += part.length;
			if (this.#consumed < first.length) break;
			this.#segments.shift();
			this.#consumed = 0;
			this.held -= first.length;
			onFree?.();
		}
	}
}
