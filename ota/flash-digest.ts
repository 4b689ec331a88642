import flash, { type Flash } from "embedded:storage/flash";
import { Digest } from "crypt";
import Timer from "timer";
import { toHex } from "./hex";
import { SECTOR } from "./image";

/** Bytes read at once; a buffer of this size is all the memory that a digest takes. */
const PIECE = 1024;
/** Bytes digested before the event loop turns: about 5 ms of flash and MD5. */
const SLICE = 4 * SECTOR;

interface FlashDigestOptions {
	/** The name of the partition, and where in it to begin; at its start where not given. */
	partition: string;
	start?: number | undefined;
	/** Bytes. */
	length: number;
	/** Counts byte 2, the flash mode, as this value: an updater may have changed it in flash. */
	flashMode?: number | undefined;
	/** What counts the bytes; the SDK's MD5 where not given. */
	digest?: { write(bytes: Uint8Array): void; close(): ArrayBuffer } | undefined;
	/** Gets the digest, lower-case hexadecimal; undefined when the flash could not be read. */
	onDone(digest: string | undefined): void;
}

/** Digest of what lies in flash, in slices between which the event loop turns. */
export class FlashDigest {
	readonly #options: FlashDigestOptions;
	#flash: Flash | undefined;
	readonly #digest: NonNullable<FlashDigestOptions["digest"]>;
	readonly #piece = new Uint8Array(PIECE);
	#position = 0;
	#timer: Timer | undefined;

	/** Kept, since many slices come. */
	readonly #next = (): void => this.#slice();

	constructor(options: FlashDigestOptions) {
		this.#options = options;
		this.#digest = options.digest ?? new Digest("MD5");
		this.#timer = Timer.set(this.#next);
	}

	/** Stops without a result. */
	close(): void {
		Timer.clear(this.#timer);
		this.#timer = undefined;
		this.#flash?.close();
	}

	#slice(): void {
		const { length, flashMode, onDone, start = 0 } = this.#options;
		const end = Math.min(length, this.#position + SLICE);
		try {
			this.#flash ??= flash.open({ path: this.#options.partition, mode: "r" });
			while (this.#position < end) {
				const count = Math.min(PIECE, end - this.#position);
				const piece = count === PIECE ? this.#piece : this.#piece.subarray(0, count);
				this.#flash.read(piece, start + this.#position);
				if (this.#position === 0 && flashMode !== undefined) piece[2] = flashMode;
				this.#digest.write(piece);
				this.#position += count;
			}
		} catch {
			this.close();
			onDone(undefined);
			return;
		}
		if (end < length) {
			this.#timer = Timer.set(this.#next);
			return;
		}
		this.close();
		onDone(toHex(this.#digest.close()));
	}
}
