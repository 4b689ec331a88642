import { write } from "node:fs";

/** Bytes that wait for a reader that is slow; what comes then is lost, and counted. */
const WAITING_MAX = 4 << 20;
/** Milliseconds until a reader that had no room is tried again. */
const PAUSE = 20;
/** Milliseconds for which lines are collected: a call for each would be a tenth of what an answer costs. */
const COLLECT = 10;

/**
 * Lines to a file descriptor, many in one call. In Node process.stdout waits for the reader of a pipe: whoever
 * stops reading the log would stop the server.
 */
export class LineWriter {
	/** Lines that nobody took. */
	lost = 0;
	readonly #descriptor: number;
	#waiting: string[] = [];
	#length = 0;
	#isWriting = false;
	#onIdle: (() => void)[] = [];

	constructor(descriptor: number) {
		this.#descriptor = descriptor;
	}

	/** `text` is one line, without its end. Never throws and never waits. */
	write(text: string): void {
		if (this.#length > WAITING_MAX) {
			this.lost += 1;
			return;
		}
		this.#waiting.push(text);
		this.#length += text.length;
		if (this.#isWriting) return;
		this.#isWriting = true;
		setTimeout(() => this.#next(), COLLECT);
	}

	/** When everything is written or lost. */
	idle(): Promise<void> {
		if (!this.#isWriting) return Promise.resolve();
		return new Promise((resolve) => this.#onIdle.push(resolve));
	}

	#next(): void {
		if (this.#waiting.length === 0) {
			this.#isWriting = false;
			for (const onIdle of this.#onIdle.splice(0)) onIdle();
			return;
		}
		const lines = this.#waiting;
		this.#waiting = [];
		this.#length = 0;
		this.#send(Buffer.from(`${lines.join("\n")}\n`), lines.length);
	}

	#send(bytes: Buffer, lines: number): void {
		write(this.#descriptor, bytes, (error, written) => {
			if (error?.code === "EAGAIN") {
				setTimeout(() => this.#send(bytes, lines), PAUSE);
				return;
			}
			// A reader that has gone, a full disk: the server goes on without.
			if (error) this.lost += lines;
			else if (written < bytes.length) return this.#send(bytes.subarray(written), lines);
			if (this.#waiting.length === 0) this.#next();
			else setTimeout(() => this.#next(), COLLECT);
		});
	}
}
