import flash from "embedded:storage/flash";
import type { ImageIdentity } from "./boot";
import { ErrorCode, UpdateError } from "./errors";
import { isHex } from "./hex";
import { MAP_LENGTH, SECTOR } from "./image";
import { isStaged, type Place, placeOf } from "./kind";
import type { UpdateReport } from "./report";
import { clearResume } from "./resume";
import type { Trial } from "./trial";
import { Update } from "./update";
import type { UpdateContext, UpdateOptions } from "./update-options";
import { clearExpectation } from "./verdict";

/** The strapping value of UART download: a restart would end there, not in the new firmware. */
const BOOT_MODE_UART = 1;

/**
 * Owns updates on this device: one at a time, refused with everything unchanged where one cannot succeed.
 * A receiver opens an update, writes what it receives, and completes or closes it.
 */
export class Updater {
	readonly #context: UpdateContext;
	#update: Update | undefined;
	#last: UpdateReport | undefined;
	/** Something was staged and verified before the update that is the last one. */
	#awaits = false;

	constructor(context: UpdateContext) {
		this.#context = context;
		// The status tells it, and a server is.
		if (context.running.md5 === undefined) context.running.measure(undefined, context.board);
	}

	/** The update under way, or the last one; after a restart what `judge` said of it, where the application told it here. */
	get last(): UpdateReport | undefined {
		return this.#update?.state ?? this.#last;
	}
	set last(report: UpdateReport | undefined) {
		this.#last = report;
	}

	/** What takes the place of what runs: whether it may be a gzip. */
	get inflates(): boolean {
		return this.#context.boot.inflates;
	}

	/** Whether a firmware has to be signed. */
	get verifies(): boolean {
		return this.#context.signatures?.wants("firmware") ?? false;
	}

	/** Whether an update is open. */
	get busy(): boolean {
		return this.#update?.isOpen ?? false;
	}

	/** Whether an update of this kind is staged, for the boot loader; one that is not is written to its place. */
	stages(kind: UpdateOptions["kind"]): boolean {
		return isStaged(this.placeOf(kind));
	}

	/** Whether something verified lies in the staging area, for the restart. */
	get awaitsRestart(): boolean {
		return this.#awaits || this.isChosen("firmware") || this.isChosen("filesystem");
	}

	/** Whether the last update is of this kind, and the boot loader's to take. */
	private isChosen(kind: UpdateOptions["kind"]): boolean {
		const { kind: last, result } = this.#update?.state ?? {};
		return last === kind && result === "verified" && this.stages(kind);
	}

	private placeOf(kind: UpdateOptions["kind"]): Place {
		const { atomicFilesystem, boot } = this.#context;
		// Only a boot loader that copies brings a filesystem from where it is staged to its place.
		return placeOf(kind, atomicFilesystem && boot.copies);
	}

	/** Whether the firmware that runs is on trial: it has to be confirmed. */
	get onTrial(): boolean {
		return this.#context.boot.trial?.isPending ?? false;
	}

	/** Keeps the firmware that runs. Throws UpdateError NO_TRIAL, ERASE or WRITE. */
	confirm(): void {
		this.#trial.confirm();
	}

	/**
	 * Goes back to the firmware before, and takes the one that runs from no server again. Throws UpdateError NO_TRIAL,
	 * NO_WAY_BACK, READ, ERASE or WRITE, and then what runs goes on running.
	 */
	rollback(): never {
		const trial: Trial = this.#trial;
		this.#update?.close();
		trial.rollback();
	}

	/** Whether the board went back from this image. */
	refuses(image: ImageIdentity): boolean {
		return this.#context.boot.trial?.refuses(image) ?? false;
	}

	get #trial(): Trial {
		const { trial, fault } = this.#context.boot;
		if (!trial) throw fault ?? new UpdateError(ErrorCode.NO_TRIAL);
		return trial;
	}

	/** Where in its MiB of flash an image for the free slot is linked to lie; undefined where there are no slots. */
	get slot(): number | undefined {
		if (this.#context.boot.stagesAtEnd) return undefined;
		const partition = flash.open({ path: placeOf("firmware").staging, mode: "r" });
		const { address } = partition.status();
		partition.close();
		return address % MAP_LENGTH;
	}

	/** The sector of the staging area where an update is noted that may be taken up again. */
	get recordSector(): number {
		return this.#context.boot.stagesAtEnd ? 0 : this.freeSpace("firmware") / SECTOR - 1;
	}

	/**
	 * Begins an update. Throws UpdateError RUNNING_ALREADY, UNKNOWN_COMMAND, BOOTSTRAP, SIZE, BAD_MD5,
	 * FLASH_CONFIG, ON_TRIAL, SPACE, READ or what keeps this board from updates, having changed nothing. What is
	 * staged takes back what was completed and has not been restarted into, since the staging area is used again.
	 */
	open(options: UpdateOptions): Update {
		if (this.busy) throw new UpdateError(ErrorCode.RUNNING_ALREADY);
		const { kind, byteLength, md5 } = options;
		const { board, boot } = this.#context;
		const { bootMode, flashSize, configuredFlashSize } = board;
		if (kind !== "firmware" && kind !== "filesystem") throw new UpdateError(ErrorCode.UNKNOWN_COMMAND);
		if (bootMode === BOOT_MODE_UART) throw new UpdateError(ErrorCode.BOOTSTRAP);
		if (byteLength !== undefined && !(byteLength > 0)) throw new UpdateError(ErrorCode.SIZE);
		if (md5 !== undefined && !isHex(md5, 32)) throw new UpdateError(ErrorCode.BAD_MD5);
		if (flashSize < configuredFlashSize) {
			throw new UpdateError(ErrorCode.FLASH_CONFIG, flashSize, configuredFlashSize);
		}
		// It would be written over what the board may have to go back to, or over the boot loader's record of that.
		if (this.stages(kind) && this.onTrial) throw new UpdateError(ErrorCode.ON_TRIAL);
		if (this.stages(kind) && boot.fault) throw boot.fault;
		const awaits = this.awaitsRestart;
		this.#update = this.make(options);
		const staged = this.stages(kind);
		this.#awaits = awaits && !staged;
		// What waits for the restart is gone: the staging area is written again.
		if (staged) {
			boot.clear();
			clearExpectation(board);
		}
		options.onStart?.();
		return this.#update;
	}

	/** What the flash module throws here is no partition that could be read. */
	private make(options: UpdateOptions): Update {
		try {
			if ((options.byteLength ?? 0) > this.freeSpace(options.kind)) throw new UpdateError(ErrorCode.SPACE);
			const update = new Update(options, this.#context, this.placeOf(options.kind));
			// What could have been taken up again is written over.
			if (!options.staged) clearResume(this.recordSector);
			return update;
		} catch (error) {
			throw error instanceof UpdateError ? error : new UpdateError(ErrorCode.READ);
		}
	}

	/** Bytes that an update of this kind may have: the staging area, or the filesystem. */
	freeSpace(kind: UpdateOptions["kind"]): number {
		const partition = flash.open({ path: this.placeOf(kind).staging, mode: "r" });
		const { size } = partition.status();
		partition.close();
		return size;
	}

	/** Restarts the chip, into the update that was completed last or into what runs. */
	restart(): never {
		this.#update?.close();
		if (this.isChosen("filesystem")) this.#context.onFilesystemAway?.();
		this.#context.boot.restart();
	}
}
