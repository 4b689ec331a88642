/** Asks for updates from time to time. */
import Timer from "timer";
import type { HTTPUpdate, Outcome, Source } from "./http-update";

/** Seconds: the first check comes when the network has settled. */
const FIRST = 10;
/** Seconds after the first failure; twice as many after each further one, up to an hour or the interval. */
const RETRY = 30;
const RETRY_MAX = 3600;
/** Seconds until an application that had no time is asked again. */
const POSTPONED = 60;
/** Timers count milliseconds in 31 bits. */
const DELAY_MAX = 604_800;
/** What is added or taken away at most: boards that start together shall not ask together. */
const JITTER = 0.1;

export interface PollerOptions {
	client: HTTPUpdate;
	source: Source;
	/** What runs, in the server's words. */
	version?: string | undefined;
	/** Seconds between two checks. */
	interval: number;
	/** Seconds before the first one; 10 where not given. */
	first?: number | undefined;
	/** A check has ended; `next`: seconds until the next one. */
	onOutcome?: ((outcome: Outcome, next: number) => void) | undefined;
}

export class Poller {
	readonly #options: PollerOptions;
	#timer: Timer | undefined;
	#failures = 0;
	/** The check under way is this one's, not the application's own. */
	#checking = false;
	#paused = false;
	#closed = false;

	/** Throws RangeError where the interval is no number of seconds above 0. */
	constructor(options: PollerOptions) {
		if (!(options.interval > 0)) throw new RangeError("interval: seconds wanted");
		this.#options = options;
		this.#wait(options.first ?? FIRST);
	}

	/** Checks at once, where no check is under way; also while paused. */
	checkNow(): void {
		if (this.#closed) return;
		this.#wait(0);
	}

	/** No more checks until `resume`; one under way goes on. */
	pause(): void {
		this.#paused = true;
		Timer.clear(this.#timer);
		this.#timer = undefined;
	}

	resume(): void {
		if (!this.#paused || this.#closed) return;
		this.#paused = false;
		this.#wait(this.#options.first ?? FIRST);
	}

	/** No more checks; one under way is abandoned. */
	close(): void {
		this.#closed = true;
		this.pause();
		this.#options.client.close();
	}

	#wait(seconds: number): void {
		Timer.clear(this.#timer);
		this.#timer = Timer.set(() => this.#check(), 1000 * Math.min(seconds, DELAY_MAX));
	}

	#check(): void {
		const { client, source, version, interval } = this.#options;
		// The outcome sets another one; there is none where the application closes the client.
		this.#wait(interval);
		if (this.#checking && client.busy) return;
		this.#checking = true;
		client.update(source, version, (outcome) => this.#checked(outcome));
	}

	#checked(outcome: Outcome): void {
		if (this.#closed) return;
		this.#checking = false;
		this.#failures = outcome.result === "failed" ? this.#failures + 1 : 0;
		const next = delayAfter(outcome, this.#failures, this.#options.interval, Math.random());
		if (this.#paused) Timer.clear(this.#timer);
		else this.#wait(next);
		this.#options.onOutcome?.(outcome, next);
	}
}

/** Seconds until the next check, after so many failures in a row; `random` from 0 to 1. */
export function delayAfter(
	{ result, retryAfter = 0 }: Outcome,
	failures: number,
	interval: number,
	random: number,
): number {
	let delay = interval;
	if (result === "failed") {
		delay = Math.min(RETRY * 2 ** Math.min(failures - 1, 20), Math.max(interval, RETRY_MAX));
	} else if (result === "postponed") delay = Math.min(interval, POSTPONED);
	delay *= 1 + JITTER * (2 * random - 1);
	return Math.max(delay, retryAfter);
}
