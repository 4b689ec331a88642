import flash, { type Flash } from "embedded:storage/flash";
import { Digest } from "crypt";
import type { Board } from "./board";
import { ErrorCode, UpdateError } from "./errors";
import { toHex } from "./hex";
import { SECTOR } from "./image";
import { isStaged, type Place } from "./kind";
import type { UpdateContext } from "./update-options";

/** Where a header has the flash mode that the chip reads itself with. */
const FLASH_MODE_OFFSET = 2;

const NONE = -1;

/** The part of the flash that one update is written to, sector by sector, each compared with what was given. */
export class Staging {
	private readonly flash: Flash;
	private readonly board: Board;
	/** First byte in the partition, on a sector. */
	private readonly start: number;
	/** What was given; that the flash holds it is seen sector by sector. */
	private readonly given = new Digest("MD5");
	/** Bytes that fit. */
	readonly size: number;
	/** The flash mode that was given in the header, where another one was written. */
	givenMode: number | undefined;
	/** The block that was erased before its bytes came. */
	private erased = NONE;
	/** The flash had held the last sector already: perhaps the next one too. */
	private wasEqual = false;

	/** `byteLength` undefined: not known yet. */
	constructor(place: Place, byteLength: number | undefined, context: UpdateContext) {
		this.board = context.board;
		this.flash = flash.open({ path: place.staging });
		const { size } = this.flash.status();
		// An integer to the engine: others cost it much of its stack when they become text.
		this.size = (byteLength ?? size) | 0;
		// Under eboot it ends right below what follows its area, where the Arduino core would put it.
		const isBelow = context.boot.stagesAtEnd && isStaged(place) && byteLength !== undefined;
		this.start = isBelow ? size - Math.ceil(byteLength / SECTOR) * SECTOR : 0;
	}

	/** Flash offset of the first byte. */
	get address(): number {
		return this.flash.status().address + this.start;
	}

	/**
	 * Erases a sector where that is due, programs the first `length` bytes of `sector` where the flash does not hold them
	 * already, and compares them with what it then holds.
	 * `position`: bytes from the start, on a sector. `flashMode`: written into the header in place of what is
	 * there; the digest counts the header as given, as the Arduino core does.
	 * Throws UpdateError ERASE, WRITE or READ.
	 */
	program(sector: Uint8Array, length: number, position: number, flashMode?: number): void {
		const bytes = length === SECTOR ? sector : sector.subarray(0, length);
		const address = this.start + position;
		this.given.write(bytes);
		const given = sector[FLASH_MODE_OFFSET];
		const patched = flashMode !== undefined && given !== flashMode;
		if (patched) sector[FLASH_MODE_OFFSET] = flashMode;
		let failure: ErrorCode = ErrorCode.READ;
		this.board.led(true);
		try {
			this.wasEqual = this.flash.equals(bytes, address);
			if (!this.wasEqual) {
				failure = ErrorCode.ERASE;
				this.erase(address / SECTOR);
				failure = ErrorCode.WRITE;
				this.flash.write(bytes, address);
				failure = ErrorCode.READ;
			}
			// In C: a digest of what is read back would cost as much again as that of what was given.
			failure = this.wasEqual || this.flash.equals(bytes, address) ? ErrorCode.OK : ErrorCode.WRITE;
		} catch {
			throw new UpdateError(failure);
		} finally {
			this.board.led(false);
		}
		if (failure !== ErrorCode.OK) throw new UpdateError(failure);
		if (patched && given !== undefined) {
			this.givenMode = given;
			sector[FLASH_MODE_OFFSET] = given;
		}
	}

	/**
	 * Erases the sector at `position` before its bytes come, while the flash has nothing to do. Throws nothing: what
	 * fails is tried again when they are there.
	 */
	eraseAhead(position: number): void {
		const block = (this.start + position) / SECTOR;
		if (this.wasEqual || block === this.erased || position >= this.size) return;
		this.board.led(true);
		try {
			this.erase(block);
			this.erased = block;
		} catch {
			this.erased = NONE;
		}
		this.board.led(false);
	}

	private erase(block: number): void {
		if (block !== this.erased && !this.flash.isErased(block)) this.flash.eraseBlock(block);
		this.erased = NONE;
	}

	/**
	 * Reads a sector that was programmed before a restart into `sector`, and counts it as given;
	 * `flashMode`: the one that its header was given with. Throws UpdateError READ.
	 */
	recall(sector: Uint8Array, position: number, flashMode?: number): void {
		try {
			this.flash.read(sector, this.start + position);
		} catch {
			throw new UpdateError(ErrorCode.READ);
		}
		if (flashMode !== undefined) {
			this.givenMode = flashMode;
			sector[FLASH_MODE_OFFSET] = flashMode;
		}
		this.given.write(sector);
	}

	/** Reads what was programmed. Throws UpdateError READ. */
	read(byteLength: number, position: number): DataView {
		try {
			return new DataView(this.flash.read(byteLength, this.start + position));
		} catch {
			throw new UpdateError(ErrorCode.READ);
		}
	}

	/** Fills `bytes` with what was programmed, the flash mode as it was given. Throws UpdateError READ. */
	readGiven(bytes: Uint8Array, position: number): void {
		try {
			this.flash.read(bytes, this.start + position);
		} catch {
			throw new UpdateError(ErrorCode.READ);
		}
		const at = FLASH_MODE_OFFSET - position;
		if (this.givenMode !== undefined && at >= 0 && at < bytes.length) bytes[at] = this.givenMode;
	}

	/** MD5 of all bytes, as given. Once only. */
	digest(): string {
		return toHex(this.given.close());
	}

	close(): void {
		this.flash.close();
	}
}
