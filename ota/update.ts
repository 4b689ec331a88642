import flash from "embedded:storage/flash";
import type { Staged as StagedImage } from "./boot";
import { Content } from "./content";
import { DESCRIPTOR_LENGTH, DESCRIPTOR_PLACE, versionIn } from "./descriptor";
import { ErrorCode, errorText, UpdateError } from "./errors";
import { inflatedSize, storedCRC } from "./gzip-trailer";
import { SECTOR } from "./image";
import { isStaged, type Place } from "./kind";
import { refuseKnownImage } from "./known-image";
import type { UpdateReport } from "./report";
import { acceptCounter, acceptedCounter } from "./signature/accepted-counter";
import type { Payload } from "./signature/payload";
import type { Signatures } from "./signature/signatures";
import { Staging } from "./staging";
import type { UpdateContext, UpdateOptions } from "./update-options";
import { recordExpectation } from "./verdict";

/** One update under way. Made by `Updater.open`. Holds one sector, whatever the image's size. */
export class Update {
	private readonly options: UpdateOptions;
	private readonly context: UpdateContext;
	/** Undefined once closed. */
	private staging: Staging | undefined;
	private sector = new Uint8Array(SECTOR);
	private fill = 0;
	private taken = 0;
	private readonly place: Place;
	private readonly content: Content;
	/** The filesystem was told to be away, and not yet to be back. */
	private isAway = false;
	private readonly start: number;
	private readonly report: UpdateReport;

	constructor(options: UpdateOptions, context: UpdateContext, place: Place) {
		this.options = options;
		this.context = context;
		this.place = place;
		this.start = context.board.uptime;
		const { kind, from = "" } = options;
		this.report = { kind, result: "running", error: null, bytes: 0, ms: 0, from };
		this.staging = new Staging(place, options.byteLength, context);
		this.content = new Content(kind, place, context, this.staging.address);
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
			if (this.taken === 0 && length > 0) this.content.checkMagic(source[0]);
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
	 * For a turn in which no bytes wait: erases the next sector while the sender is waited for (up to 45 ms), where one
	 * was programmed already. Throws nothing.
	 */
	eraseAhead(): void {
		const position = this.taken - this.fill;
		if (position > 0) this.staging?.eraseAhead(position);
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
			if (this.taken === 0) this.content.checkMagic(this.sector[0]);
			this.fill = SECTOR;
			this.content.checkSector(this.sector, this.fill, this.taken);
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
			const digest = payload.md5;
			if (this.options.isAsked && this.options.kind === "firmware") {
				refuseKnownImage(digest, this.context.running, this.context.boot.trial);
			}
			if (this.context.signatures?.wants(this.options.kind)) {
				// Its memory is what the signature is verified in; no names, since what verifies goes deep.
				this.sector = new Uint8Array(0);
				const { board } = this.context;
				const signed = this.context.signatures.read(this.options.kind, this.staging, this.taken, board);
				payload = this.context.signatures.verify(signed, board);
				this.checkClaims(this.context.signatures, payload, this.staging);
				this.content.checkWhole(payload.size);
			}
			this.choose(this.staging, payload, digest);
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
		if (this.isAway) {
			this.isAway = false;
			this.context.onFilesystemBack?.(report.result === "verified");
		}
	}

	private fail(cause: unknown): never {
		const error = cause instanceof UpdateError ? cause : new UpdateError(ErrorCode.READ);
		this.close(error);
		this.options.onError?.(error);
		throw error;
	}

	private program(staging: Staging): void {
		const position = this.taken - this.fill;
		this.content.checkSector(this.sector, this.fill, position);
		if (this.options.kind === "filesystem" && !isStaged(this.place) && !this.isAway) {
			this.context.onFilesystemAway?.();
			this.isAway = true;
		}
		const flashMode = position === 0 ? this.content.flashMode : undefined;
		staging.program(this.sector, this.fill, position, flashMode);
		this.fill = 0;
	}

	/** What is to be used of what came, when all came, it is what was announced, and the flash holds it. */
	private verify(staging: Staging): Payload {
		const { byteLength, md5 } = this.options;
		if (this.taken === 0) throw new UpdateError(ErrorCode.NO_DATA);
		if (byteLength !== undefined && this.taken < byteLength) {
			throw new UpdateError(ErrorCode.INCOMPLETE, this.taken, byteLength);
		}
		if (this.fill > 0) this.program(staging);
		const given = staging.digest();
		if (md5 !== undefined && md5.toLowerCase() !== given) throw new UpdateError(ErrorCode.MD5, md5, given);
		this.content.checkWhole(this.taken);
		return { size: this.taken, md5: given };
	}

	private checkClaims(signatures: Signatures, payload: Payload, staging: Staging): void {
		const accepted = acceptedCounter(this.options.kind);
		payload.versionCounter = signatures.checkClaims(staging, payload.size, this.context.board, accepted);
	}

	/** `digest`: of all that came, signature and all. */
	private choose(staging: Staging, payload: Payload, digest: string): void {
		const { boot } = this.context;
		const version = this.versionOf(staging);
		const choice = isStaged(this.place) ? this.choiceOf(staging, payload, digest, version) : undefined;
		if (choice) boot.check(choice);
		// Before the choice: where the power is cut between the two, the same update is taken again.
		if (payload.versionCounter !== undefined) acceptCounter(this.options.kind, payload.versionCounter);
		if (choice) boot.select(choice);
		this.expect(staging, payload, version);
	}

	/** What the boot loader is to take. Throws UpdateError where a gzip is damaged. */
	private choiceOf(staging: Staging, payload: Payload, digest: string, version: string): StagedImage {
		const { kind, tag = "" } = this.options;
		const { size } = payload;
		if (this.content.gzip) payload.inflatedSize = inflatedSize(staging, size, kind);
		const image = { md5: digest, version, tag };
		const target = flash.open({ path: this.place.target, mode: "r" });
		const { address: destination, size: room } = target.status();
		target.close();
		const { address } = staging;
		return { address, size, destination, room, inflated: payload.inflatedSize, image };
	}

	/** Empty where it has none, or it cannot be seen. */
	private versionOf(staging: Staging): string {
		const place = this.context.boot.applicationOffset + DESCRIPTOR_PLACE;
		return this.content.isRawFirmware ? versionIn(staging.read(DESCRIPTOR_LENGTH, place)) : "";
	}

	/** Keeps for the next start what is meant to lie at the target. */
	private expect(staging: Staging, payload: Payload, version: string): void {
		const { kind, ms, from } = this.state;
		const { gzip, isRawFirmware: isRaw } = this.content;
		const digest = gzip ? storedCRC(staging, payload.size) : payload.md5;
		recordExpectation(this.context.board, {
			kind,
			ms,
			from,
			gzip,
			size: payload.inflatedSize ?? payload.size,
			digest,
			version,
			flashMode: isRaw ? staging.givenMode : undefined,
		});
	}
}
