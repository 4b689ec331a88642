/** The chip's RAM: data RAM that bytes, half words and words reach, instruction RAM for words only. */
import { Noise } from "../../virtual/noise";
import type { Window } from "./instruction";

/** Seeds whose noise is kept. */
const NOISES_MAX = 16;

export class Ram {
	readonly data: Window;
	readonly instructions: Window;
	/** Data RAM, by width. */
	readonly d8: Uint8Array;
	readonly d16: Uint16Array;
	readonly d32: Int32Array;
	/** Instruction RAM. */
	readonly i8: Uint8Array;
	readonly i32: Int32Array;
	#noise: Uint8Array | undefined;
	/** By its seed, of a few that come again. */
	readonly #noises = new Map<number, Uint8Array>();

	constructor(data: Window, instructions: Window) {
		this.data = data;
		this.instructions = instructions;
		const buffer = new ArrayBuffer(data.length);
		this.d8 = new Uint8Array(buffer);
		this.d16 = new Uint16Array(buffer);
		this.d32 = new Int32Array(buffer);
		this.i8 = new Uint8Array(instructions.length);
		this.i32 = new Int32Array(this.i8.buffer);
	}

	/** As after power-up: noise that is another for each seed. */
	scramble(seed: number): void {
		const length = this.d8.length + this.i8.length;
		const noise = this.#noises.get(seed) ?? new Noise(seed).fill(new Uint8Array(length));
		if (this.#noises.size < NOISES_MAX) this.#noises.set(seed, noise);
		this.#noise = noise;
		this.d8.set(noise.subarray(0, this.d8.length));
		this.i8.set(noise.subarray(this.d8.length));
	}

	/** Whether bytes are as `scramble` left them. */
	untouched(address: number, length: number): boolean {
		const now = this.view(address, length);
		const { start } = this.#regionOf(address) === this.d8 ? this.data : this.instructions;
		const from = address - start + (this.#regionOf(address) === this.d8 ? 0 : this.d8.length);
		return now !== undefined && Buffer.compare(now, this.#noise?.subarray(from, from + length) ?? now) === 0;
	}

	/** The bytes there, not copied; undefined where they do not all lie in one RAM. */
	view(address: number, length: number): Uint8Array | undefined {
		const region = this.#regionOf(address);
		if (!region) return undefined;
		const offset = address - (region === this.d8 ? this.data : this.instructions).start;
		return offset + length <= region.length ? region.subarray(offset, offset + length) : undefined;
	}

	/** Whether an address is one of instruction RAM. */
	isInstruction(address: number): boolean {
		return this.#regionOf(address) === this.i8;
	}

	#regionOf(address: number): Uint8Array | undefined {
		if (contains(this.data, address)) return this.d8;
		return contains(this.instructions, address) ? this.i8 : undefined;
	}
}

function contains({ start, length }: Window, address: number): boolean {
	return address >= start && address < start + length;
}
