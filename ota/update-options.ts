import type { Board } from "./board";
import type { BootStrategy } from "./boot";
import type { UpdateError } from "./errors";
import type { UpdateKind } from "./kind";
import type { Staged } from "./resume";
import type { RunningFirmware } from "./running";
import type { Signatures } from "./signature/signatures";

export interface UpdateOptions {
	kind: UpdateKind;
	/** Bytes to come; not given: as many as come, bounded by the room. */
	byteLength?: number | undefined;
	/** MD5 of all bytes as sent, 32 hexadecimal digits of either case. */
	md5?: string | undefined;
	/** The server's ETag of it. */
	tag?: string | undefined;
	/** Nobody sent it, a server was asked: what runs already, or the board went back from, is not taken. */
	isAsked?: boolean | undefined;
	/** The receiver and the peer's address, for the report. */
	from?: string | undefined;
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
	/**
	 * Whether a filesystem is staged, and brought to its place by the boot loader, so that a failure leaves the one
	 * before. It then has to fit the staging area, and may be a gzip. False where not given: it is written to its place.
	 */
	readonly atomicFilesystem?: boolean | undefined;
	/**
	 * The filesystem goes away: it is time to close its files. Called before its first sector is erased; of an atomic
	 * update before the restart.
	 */
	readonly onFilesystemAway?: (() => void) | undefined;
	/**
	 * The filesystem can be used again: the new one where `verified`; else what the update has left of both. Of an
	 * atomic update the restart comes in its place, and the verdict tells.
	 */
	readonly onFilesystemBack?: ((verified: boolean) => void) | undefined;
}
