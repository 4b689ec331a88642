/**
 * RTC user memory: 512 bytes that survive every reset, and hold noise after power-up. In shared memory, so that
 * the board's threads, which end with each reset, find what the one before left.
 */
import { decodeCommand } from "../../ota/eboot";
import { Noise } from "./noise";

export const RTC_LENGTH = 512;

export interface RtcOptions {
	/** Another thread's memory; without it a new one, as after power-up. */
	buffer?: SharedArrayBuffer;
	/** Chooses the noise. */
	seed?: number;
}

export class RtcMemory {
	/** Give it to another thread: `new RtcMemory({ buffer })` there is the same memory. */
	readonly buffer: SharedArrayBuffer;
	readonly #bytes: Uint8Array;
	readonly #noise: Noise;

	constructor(options: RtcOptions = {}) {
		this.buffer = options.buffer ?? new SharedArrayBuffer(RTC_LENGTH);
		this.#bytes = new Uint8Array(this.buffer);
		this.#noise = new Noise(options.seed ?? 1);
		if (!options.buffer) this.powerOff();
	}

	/** Fills `buffer` from byte `offset` on. Throws RangeError where offset or length is no whole word inside. */
	read(offset: number, buffer: Uint8Array): void {
		checkWords(offset, buffer.length);
		buffer.set(this.#bytes.subarray(offset, offset + buffer.length));
	}

	/** Writes `bytes` from byte `offset` on. Throws RangeError where offset or length is no whole word inside. */
	write(offset: number, bytes: Uint8Array): void {
		checkWords(offset, bytes.length);
		this.#bytes.set(bytes, offset);
	}

	/** The power goes: what is read after the next power-up is noise, other noise each time, and no command. */
	powerOff(): void {
		do this.#noise.fill(this.#bytes);
		while (decodeCommand(this.#bytes));
	}
}

/** The bus to this memory knows words only. */
function checkWords(offset: number, length: number): void {
	if (offset < 0 || offset % 4 !== 0 || length % 4 !== 0 || offset + length > RTC_LENGTH) {
		throw new RangeError(`RTC memory offset ${offset}, ${length} bytes: words inside ${RTC_LENGTH} wanted`);
	}
}
