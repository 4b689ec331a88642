import flash from "embedded:storage/flash";
import { ErrorCode, UpdateError } from "./errors";
import { isHex } from "./hex";
import { isStaged, type Place, placeOf } from "./kind";
import type { UpdateReport } from "./report";
import { clearResume } from "./resume";
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
		if (context.running.md5 === undefined) context.running.measure();
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
		return placeOf(kind, this.#context.atomicFilesystem);
	}

	/**
	 * Begins an update. Throws UpdateError RUNNING_ALREADY, UNKNOWN_COMMAND, BOOTSTRAP, SIZE, BAD_MD5,
	 * FLASH_CONFIG, SPACE or READ, having changed nothing. What is staged takes back what was completed and has
	 * not been restarted into, since the staging area is used again.
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
			const update = new Update(options, this.#context);
			// What could have been taken up again is written over.
			if (!options.staged) clearResume();
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
