/** Bytes and bits of what is staged, the lowest bit of a byte first: boot/input.c. */
import { SECTOR } from "../../../ota/image";
import type { RomFlash } from "../rom-flash";

/** One for all starts. */
const buffer = new Uint8Array(SECTOR);
const NONE = -1;

export class Input {
	readonly #flash: RomFlash;
	/** Flash offset of what is read next, and of the end. */
	next = 0;
	end = 0;
	/** Number of the sector that was read last. */
	#loaded = NONE;
	bits = 0;
	bitCount = 0;
	/** It was read beyond its end. */
	isDamaged = false;

	constructor(flash: RomFlash) {
		this.#flash = flash;
	}

	open(start: number, end: number): void {
		this.next = start >>> 0;
		this.end = end >>> 0;
		this.#loaded = NONE;
		this.bits = 0;
		this.bitCount = 0;
		this.isDamaged = false;
	}

	/** A word at a flash offset, on no boundary. */
	wordAt(address: number): number {
		const low = this.#byteAt(address) | (this.#byteAt(address + 1) << 8);
		return (low | (this.#byteAt(address + 2) << 16) | (this.#byteAt(address + 3) << 24)) >>> 0;
	}

	/** 0 behind the end. */
	byte(): number {
		if (this.next < this.end) return this.#byteAt(this.next++);
		this.isDamaged = true;
		return 0;
	}

	/** At most 16. */
	take(count: number): number {
		while (this.bitCount < count) {
			this.bits |= this.byte() << this.bitCount;
			this.bitCount += 8;
		}
		const value = this.bits & ((1 << count) - 1);
		this.bits >>>= count;
		this.bitCount -= count;
		return value;
	}

	dropBits(): void {
		this.bits = 0;
		this.bitCount = 0;
	}

	#byteAt(address: number): number {
		const number = address >>> 12;
		if (number !== this.#loaded) {
			this.#loaded = number;
			this.#flash.readInto(number * SECTOR, buffer);
		}
		return buffer[address & (SECTOR - 1)] ?? 0;
	}
}
