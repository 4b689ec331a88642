import type { Board } from "./board";
import type { BootStrategy, ImageScanner } from "./boot";
import { DESCRIPTOR_LENGTH, DESCRIPTOR_PLACE, versionIn } from "./descriptor";
import { ErrorCode, errorText, UpdateError } from "./errors";
import { FLASH_SIZE_OFFSET, flashSizeOf, GZIP_MAGIC, GZIP_MAGIC_2, IMAGE_MAGIC, SECTOR } from "./image";
import { inflatedSize } from "./inflated-size";
import type { UpdateKind } from "./kind";
import { refuseKnownImage } from "./known-image";
import type { UpdateReport } from "./report";
import type { Staged } from "./resume";
import type { RunningFirmware } from "./running";
import type { Payload } from "./signature/payload";
import type { Signatures } from "./signature/signatures";
import { Staging } from "./staging";
import { type Expectation, recordExpectation } from "./verdict";

/** DOUT; what the board cannot tell is no mode. */
const FLASH_MODE_MAX = 3;

export interface UpdateOptions {
	kind: UpdateKind;
	/** Bytes to come; not given: as many as come, bounded by the room. */
	byteLength?: number | undefined;
	/** MD5 of all bytes as sent, 32 hexadecimal digits of either case. */
	md5?: string | undefined;
	/** The server's ETag of it. */
	tag?: string | undefined;
	/** The receiver and the peer's address, for the report. */
	from?: string | undefined;
	/** Nobody sent it, a server was asked: what runs already, or the board went back from, is not taken. */
	isAsked?: boolean | undefined;
	/** What is staged of it already: `restore` reads that before the first write. */
	staged?: Staged | undefined;
	onStart?(): void;
	/** `done` bytes were taken of `total` (of the room, where the length is unknown). */
	onProgress?(done: number, total: number): void;
	/** The update is verified and chosen; the next restart takes it. */
	onEnd?(): void;
	/** The update failed and is closed; what ran before will go on running. */
	onError?(error: UpdateError): void;
}

/** What an update works on, handed in by the Updater. */
export interface UpdateContext {
	readonly board: Board;
	readonly boot: BootStrategy;
	readonly running: RunningFirmware;
	/** Who may sign; not given: everything is taken. */
	readonly signatures?: Signatures | undefined;
}

/** One update under way. Made by `Updater.open`. Holds one sector, whatever the image's size. */
export class Update {
	private readonly options: UpdateOptions;
	private readonly context: UpdateContext;
	/** Undefined once closed. */
	private staging: Staging | undefined;
	private sector = new Uint8Array(SECTOR);
	private fill = 0;
	private taken = 0;
	private gzip = false;
	/** MD5 of all that was given, once it is known. */
	private digest = "";
	/** Checks a raw firmware as it streams by. */
	private readonly scanner: ImageScanner;
	private readonly start: number;
	private readonly report: UpdateReport;

	constructor(options: UpdateOptions, context: UpdateContext) {
		this.options = options;
		this.context = context;
		this.start = context.board.uptime;
		const { kind, byteLength, from = "" } = options;
		const { board, boot } = context;
		this.report = { kind, result: "running", error: null, bytes: 0, ms: 0, from };
		const atEnd = kind === "firmware" && boot.stagesAtEnd;
		this.staging = new Staging(kind, byteLength, board, atEnd);
		this.scanner = boot.scanner(this.staging.address);
	}

	get isOpen(): boolean {
		return this.staging !== undefined;
	}

	/** Bytes taken so far. */
	get received(): number {
		return this.taken;
	}

	/** The flash mode in the header as it was sent, where another one was written. */
	get sentMode(): number | undefined {
		return this.staging?.givenMode;
	}

	/** How far it is, or how it ended. */
	get state(): UpdateReport {
		const report = this.report;
		if (report.result === "running") {
			report.bytes = this.taken;
			report.ms = Math.max(this.context.board.uptime - this.start, 0) | 0;
		}
		return report;
	}

	/**
	 * Takes the next bytes, any number. True when a sector was erased and programmed (about 60 ms): let the
	 * event loop turn before the next write. Throws UpdateError SPACE, MAGIC_BYTE, IMAGE, NEW_FLASH_CONFIG,
	 * ERASE, WRITE or READ, and closes the update; CLOSED afterwards.
	 */
	write(bytes: ArrayBuffer | Uint8Array): boolean {
		const staging = this.staging;
		if (!staging) throw new UpdateError(ErrorCode.CLOSED);
		const source = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
		const { length } = source;
		let programmed = false;
		try {
			if (length > staging.size - this.taken) throw new UpdateError(ErrorCode.SPACE);
			if (this.taken === 0 && length > 0) this.checkMagic(source[0]);
			for (let used = 0; used < length; ) {
				const count = Math.min(length - used, SECTOR - this.fill) | 0;
				this.sector.set(count === length ? source : source.subarray(used, used + count), this.fill);
				used += count;
				this.fill += count;
				this.taken += count;
				if (this.fill === SECTOR || this.taken === this.options.byteLength) {
					this.program(staging);
					programmed = true;
				}
			}
		} catch (error) {
			this.fail(error);
		}
		this.options.onProgress?.(this.taken, staging.size);
		return programmed;
	}

	/**
	 * Reads the next sector of what is staged already, as if it came now: before the first write, until it gives
	 * false; the event loop turns between. Throws as `write` does, and closes the update.
	 */
	restore(): boolean {
		const staging = this.staging;
		const { byteLength, flashMode } = this.options.staged ?? { byteLength: 0 };
		if (!staging) throw new UpdateError(ErrorCode.CLOSED);
		if (this.taken >= byteLength) return false;
		try {
			staging.recall(this.sector, this.taken, this.taken === 0 ? flashMode : undefined);
			if (this.taken === 0) this.checkMagic(this.sector[0]);
			this.fill = SECTOR;
			if (this.options.kind === "firmware") this.checkSector(this.taken);
			this.fill = 0;
			this.taken += SECTOR;
		} catch (error) {
			this.fail(error);
		}
		return this.taken < byteLength;
	}

	/**
	 * Verifies what lies in flash and makes it the next to boot. Throws UpdateError NO_DATA, INCOMPLETE, MD5,
	 * IMAGE, RUNS_ALREADY, ROLLED_BACK, SIGN, VERSION_COUNTER, OTHER_BOARD, OTHER_FLASH, SPACE and what `write` throws, closes the update, and
	 * leaves no boot choice. With a key it takes up to some seconds.
	 */
	complete(): void {
		if (!this.staging) throw new UpdateError(ErrorCode.CLOSED);
		try {
			let payload = this.verify(this.staging);
			if (this.options.isAsked && this.options.kind === "firmware") {
				refuseKnownImage(this.digest, this.context.running, this.context.boot.trial);
			}
			if (this.context.signatures?.wants(this.options.kind)) {
				// Its memory is what the signature is verified in; no names, since what verifies goes deep.
				this.sector = new Uint8Array(0);
				const { board } = this.context;
				const signed = this.context.signatures.read(this.options.kind, this.staging, this.taken, board);
				payload = this.context.signatures.verify(signed, board);
				this.context.signatures.checkClaims(this.staging, payload.size, board);
				this.checkWhole(payload.size);
			}
			if (this.options.kind === "firmware") this.choose(this.staging, payload);
			else this.expect({ gzip: false, size: payload.size, md5: payload.md5, version: "" });
		} catch (error) {
			this.fail(error);
		}
		this.state.result = "verified";
		this.close();
		this.options.onEnd?.();
	}

	/**
	 * Abandons the update, or does nothing where it has ended. What runs stays as it is. `reason` is what the
	 * report then says.
	 */
	close(reason?: UpdateError): void {
		const report = this.state;
		if (report.result === "running") {
			const code = reason ? reason.code : ErrorCode.ABANDONED;
			report.result = "failed";
			report.error = { code, text: reason ? reason.message : errorText(code) };
		}
		this.staging?.close();
		this.staging = undefined;
		this.sector = new Uint8Array(0);
	}

	private fail(cause: unknown): never {
		const error = cause instanceof UpdateError ? cause : new UpdateError(ErrorCode.READ);
		this.close(error);
		this.options.onError?.(error);
		throw error;
	}

	private program(staging: Staging): void {
		const position = this.taken - this.fill;
		if (this.options.kind === "firmware") this.checkSector(position);
		const { board, boot } = this.context;
		const { flashMode } = board;
		const isHeader = position === 0 && this.isRawFirmware && boot.ownsHeader;
		const isPatched = isHeader && flashMode <= FLASH_MODE_MAX;
		staging.program(this.sector, this.fill, position, isPatched ? flashMode : undefined);
		this.fill = 0;
	}

	/** The first byte decides before any flash is touched. */
	private checkMagic(first: number | undefined): void {
		if (this.options.kind !== "firmware") return;
		this.gzip = first === GZIP_MAGIC;
		if (first !== IMAGE_MAGIC && !this.gzip) throw new UpdateError(ErrorCode.MAGIC_BYTE);
		if (this.gzip && !this.context.boot.inflates)
			throw new UpdateError(ErrorCode.IMAGE, "gzip, which it cannot inflate");
	}

	/** What would not boot is refused as soon as it is seen, the first sector before any flash is touched. */
	private checkSector(position: number): void {
		const sector = this.sector;
		if (this.gzip) {
			if (position === 0 && sector[1] !== GZIP_MAGIC_2) throw new UpdateError(ErrorCode.MAGIC_BYTE);
			return;
		}
		const { board, boot } = this.context;
		const { flashSize, configuredFlashSize } = board;
		const size = flashSizeOf(sector[FLASH_SIZE_OFFSET] ?? 0);
		// The SDK and the layout go by eboot's header: another size would look for the partitions elsewhere.
		const isOther = boot.ownsHeader && size !== configuredFlashSize;
		if (position === 0 && (size > flashSize || isOther)) {
			throw new UpdateError(ErrorCode.NEW_FLASH_CONFIG, flashSize);
		}
		const fault = this.scanner.write(new DataView(sector.buffer), this.fill);
		if (fault) throw new UpdateError(ErrorCode.IMAGE, fault);
	}

	/** What is to be used of what came, when all came, it is what was announced, and the flash holds it. */
	private verify(staging: Staging): Payload {
		const { byteLength, md5 } = this.options;
		if (this.taken === 0) throw new UpdateError(ErrorCode.NO_DATA);
		if (byteLength !== undefined && this.taken < byteLength) {
			throw new UpdateError(ErrorCode.INCOMPLETE, this.taken, byteLength);
		}
		if (this.fill > 0) this.program(staging);
		const { given, stored } = staging.digests();
		if (md5 !== undefined && md5.toLowerCase() !== given) throw new UpdateError(ErrorCode.MD5, md5, given);
		if (stored !== given) throw new UpdateError(ErrorCode.WRITE);
		this.digest = given;
		this.checkWhole(this.taken);
		return { size: this.taken, md5: given };
	}

	private get isRawFirmware(): boolean {
		return this.options.kind === "firmware" && !this.gzip;
	}

	/** Of a raw firmware: all of the application is within so many bytes. */
	private checkWhole(byteLength: number): void {
		const fault = this.isRawFirmware ? this.scanner.close(byteLength) : undefined;
		if (fault) throw new UpdateError(ErrorCode.IMAGE, fault);
	}

	private choose(staging: Staging, payload: Payload): void {
		const { boot, running } = this.context;
		const gzip = this.gzip;
		const { size, md5 } = payload;
		const inflated = gzip ? inflatedSize(staging, size) : undefined;
		const place = boot.applicationOffset + DESCRIPTOR_PLACE;
		const version = gzip ? "" : versionIn(staging.read(DESCRIPTOR_LENGTH, place));
		const image = { md5: this.digest, version, tag: this.options.tag ?? "" };
		boot.select({ address: staging.address, size, inflated, image });
		if (inflated === undefined) this.expect({ gzip, size, md5, version, flashMode: staging.givenMode });
		else if (running.md5) this.expect({ gzip, size: inflated, md5: running.md5, version });
	}

	private expect(expectation: Pick<Expectation, "gzip" | "size" | "md5" | "version" | "flashMode">): void {
		const { kind, ms, from } = this.state;
		recordExpectation(this.context.board, { kind, ms, from, ...expectation });
	}
}
