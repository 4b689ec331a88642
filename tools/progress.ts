/** Progress of an upload in text: a bar that is drawn over itself on a terminal, a line every 10 % elsewhere. */
const BAR_WIDTH = 24;
/** Milliseconds between two drawings. */
const INTERVAL = 100;
const STEP_PERCENT = 10;

export interface ProgressStream {
	readonly isTTY?: boolean | undefined;
	write(text: string): unknown;
}

/** One line without its end: bar, percent, bytes, speed in KB/s (1,000 bytes), remaining time. `elapsed` in ms. */
export function progressLine(done: number, total: number, elapsed: number): string {
	const part = total > 0 ? done / total : 0;
	const bar = "=".repeat(Math.floor(part * BAR_WIDTH)).padEnd(BAR_WIDTH);
	const percent = String(Math.floor(part * 100)).padStart(3);
	const speed = elapsed > 0 ? done / elapsed : 0;
	const rest = speed > 0 ? `, ${duration((total - done) / speed)} left` : "";
	return `[${bar}] ${percent} %  ${done} of ${total} bytes  ${speed.toFixed(1)} KB/s${rest}`;
}

function duration(milliseconds: number): string {
	const seconds = Math.ceil(milliseconds / 1000);
	return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export class Progress {
	readonly #stream: ProgressStream;
	readonly #now: () => number;
	#start: number | undefined;
	#drawn = Number.NEGATIVE_INFINITY;
	#step = 0;
	#width = 0;

	/** `now` gives the time in ms. */
	constructor(stream: ProgressStream, now: () => number = () => performance.now()) {
		this.#stream = stream;
		this.#now = now;
	}

	/** `done` of `total` bytes; the first call starts the clock. */
	update(done: number, total: number): void {
		const now = this.#now();
		this.#start ??= now;
		const line = progressLine(done, total, now - this.#start);
		if (this.#stream.isTTY) {
			if (done < total && now - this.#drawn < INTERVAL) return;
			this.#drawn = now;
			this.#stream.write(`\r${line.padEnd(this.#width)}`);
			this.#width = line.length;
			return;
		}
		const step = total > 0 ? Math.floor((done / total) * (100 / STEP_PERCENT)) : 0;
		if (step <= this.#step) return;
		this.#step = step;
		this.#stream.write(`${line}\n`);
	}

	/** Leaves the drawn line, so that what follows has its own. */
	end(): void {
		if (this.#width > 0) this.#stream.write("\n");
		this.#width = 0;
	}
}
