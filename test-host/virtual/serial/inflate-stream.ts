/** zlib's format (RFC 1950), inflated piece by piece as it comes. */
import { createInflate, type Inflate } from "node:zlib";

export class InflateStream {
	readonly #stream: Inflate = createInflate();
	readonly #pieces: Uint8Array[] = [];
	#wake: (() => void) | undefined;
	#failed = false;
	#ended = false;

	constructor() {
		this.#stream.on("data", (piece: Uint8Array) => this.#pieces.push(piece));
		this.#stream.on("end", () => {
			this.#ended = true;
		});
		this.#stream.on("error", () => {
			this.#failed = true;
			this.#wake?.();
		});
	}

	/** The stream's end has come, and something behind it, by which zlib knows. */
	get ended(): boolean {
		return this.#ended;
	}

	/** What `bytes` inflate to, with those before. Undefined where this is no such stream. */
	async push(bytes: Uint8Array): Promise<Uint8Array | undefined> {
		if (!this.#failed && !this.#ended) {
			await new Promise<void>((taken) => {
				this.#wake = taken;
				this.#stream.write(bytes, () => taken());
			});
			// What the stream has ready it hands out in turns of its own.
			await new Promise(setImmediate);
		}
		return this.#failed ? undefined : Buffer.concat(this.#pieces.splice(0));
	}
}
