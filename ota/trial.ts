/**
 * A new firmware runs on trial until the application confirms it: not confirmed until the next start, or until a
 * deadline, the board goes back to the firmware before, and does not take the image again from a server.
 */
import Timer from "timer";
import type { Board } from "./board";
import type { ImageIdentity } from "./boot";
import type { Updater } from "./updater";

/** What a boot strategy can do that keeps the firmware before. */
export interface Trial {
	/** Whether what runs is not confirmed yet. */
	readonly isPending: boolean;
	/**
	 * To be called at each start, before anything that may fail: notes that the application has started. Where it did
	 * so before without having been confirmed, the board goes back and restarts. Throws nothing.
	 */
	begin(): void;
	/** Keeps what runs for good. Throws UpdateError ERASE or WRITE. */
	confirm(): void;
	/**
	 * Chooses the firmware before, remembers the image that runs as refused, and restarts. Throws UpdateError
	 * NO_WAY_BACK, READ, ERASE or WRITE, and then what runs goes on running.
	 */
	rollback(): never;
	/** Whether the board went back from this image. Throws nothing. */
	refuses(image: ImageIdentity): boolean;
}

/** Milliseconds between two looks at the conditions. */
const INTERVAL = 1000;
/** Seconds for an application to show that it is well. */
const DEADLINE = 300;

export interface HealthCheckOptions {
	updater: Updater;
	board: Board;
	/** What must hold, all at the same time; the names are for the log: `{ "Wi-Fi joined": () => … }`. */
	conditions: Readonly<Record<string, () => boolean>>;
	/** Bytes of memory that must be free. */
	freeHeap?: number | undefined;
	/** Seconds from the start until the board goes back; 300 where not given. */
	deadline?: number | undefined;
	onConfirmed?(): void;
	/** The deadline is over, and this did not hold; the board goes back now. */
	onFailed?(condition: string): void;
	/** It cannot: what runs goes on running. */
	onError?(error: unknown): void;
}

/** Confirms a firmware on trial when it is well, or rolls it back at the deadline. Without a trial it does nothing. */
export class HealthCheck {
	private readonly options: HealthCheckOptions;
	private timer: Timer | undefined;
	private elapsed = 0;

	constructor(options: HealthCheckOptions) {
		this.options = options;
		if (options.updater.onTrial) this.timer = Timer.repeat(() => this.look(), INTERVAL);
	}

	/** Looks no more: the application confirms by itself. */
	close(): void {
		Timer.clear(this.timer);
		this.timer = undefined;
	}

	private look(): void {
		const { updater, deadline = DEADLINE } = this.options;
		this.elapsed += INTERVAL;
		if (!updater.onTrial) {
			this.close();
			return;
		}
		const failed = this.failed();
		if (failed !== undefined && this.elapsed < 1000 * deadline) return;
		this.close();
		try {
			if (failed === undefined) {
				updater.confirm();
				this.options.onConfirmed?.();
				return;
			}
			this.options.onFailed?.(failed);
			updater.rollback();
		} catch (error) {
			this.options.onError?.(error);
		}
	}

	/** The first condition that does not hold; one that throws does not. */
	private failed(): string | undefined {
		const { board, conditions, freeHeap = 0 } = this.options;
		if (board.freeHeap < freeHeap) return "free memory";
		for (const name of Object.keys(conditions)) {
			try {
				if (!conditions[name]?.()) return name;
			} catch {
				return name;
			}
		}
		return undefined;
	}
}
