/** A write of the stub, from its BEGIN to its END: it erases as it goes, and tells a failure with the next block. */
import type { NorFlash } from "../nor";
import { RomFlash } from "../rom-flash";
import { InflateStream } from "./inflate-stream";
import { StubError } from "./status";
import { StubErase } from "./stub-erase";

/** Behind the last byte a compressed stream has a checksum of so many bytes, which may come in a block of its own. */
const STREAM_CHECKSUM_LENGTH = 4;

export interface StubWritingOptions {
	flash: NorFlash;
	/** Bytes that the ROM's functions take the chip for. */
	flashSize: number;
	offset: number;
	/** Bytes that get into the flash. */
	size: number;
	compressed: boolean;
}

export class StubWriting {
	/** What went wrong so far, 0 for nothing. */
	error = 0;
	/** Bytes that are still to come. */
	left: number;
	readonly #rom: RomFlash;
	readonly #erase: StubErase;
	readonly #inflate: InflateStream | undefined;
	#at: number;

	constructor({ flash, flashSize, offset, size, compressed }: StubWritingOptions) {
		this.#rom = new RomFlash(flash, flashSize);
		this.#erase = new StubErase(flash, offset, size);
		this.#inflate = compressed ? new InflateStream() : undefined;
		this.#at = offset;
		this.left = size;
	}

	/** One block. Throws PowerCut. */
	async take(block: Uint8Array): Promise<void> {
		const inflate = this.#inflate;
		if (!inflate) {
			this.#write(block);
			return;
		}
		if (this.left === 0) {
			if (block.length > STREAM_CHECKSUM_LENGTH) this.error = StubError.TOO_MUCH;
			return;
		}
		const bytes = await inflate.push(block);
		if (!bytes) {
			this.error = StubError.INFLATE;
			return;
		}
		this.#write(bytes);
		if (inflate.ended && this.left > 0) this.error = StubError.TOO_LITTLE;
	}

	/** What is more than announced is padding. What could not be erased shows when it is read: nobody looks here. */
	#write(bytes: Uint8Array): void {
		const length = Math.min(bytes.length, this.left);
		if (length === 0) return;
		const words = new Uint8Array(4 * Math.ceil(length / 4)).fill(0xff);
		words.set(bytes.subarray(0, length));
		this.#erase.upTo(this.#at + length);
		if (!this.#rom.write(this.#at, words)) this.error = StubError.FLASH;
		this.#at += length;
		this.left -= length;
	}
}
