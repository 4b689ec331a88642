/** Repeatable noise: what the hardware leaves to chance, from a seed, so that a failing run can be run again. */
export class Noise {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** The next 32 bits (splitmix32: every seed, 0 too, gives a full-length sequence). */
	next(): number {
		this.#state = (this.#state + 0x9e3779b9) >>> 0;
		let value = this.#state;
		value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
		value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
		return (value ^ (value >>> 15)) >>> 0;
	}

	/** Fills `bytes` and returns them. */
	fill(bytes: Uint8Array): Uint8Array {
		let word = 0;
		for (let i = 0; i < bytes.length; i++) {
			word = i % 4 === 0 ? this.next() : word >>> 8;
			bytes[i] = word;
		}
		return bytes;
	}
}
