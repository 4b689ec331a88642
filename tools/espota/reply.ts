/**
 * What a device writes during a transfer: for each piece that it took the count in decimal, nothing between
 * them ("14601460"), and in the end `OK`, or at any time `ERROR[<number>]: <text>` and a line feed. It comes
 * in pieces of any size, so that `1460OK` and `O`, `K` are as likely as whole words.
 */
import { printable } from "./text";

const SUCCESS = "OK";
const ERROR = "ERROR[";
/** An error text that is longer is taken as complete. */
const ERROR_LENGTH_MAX = 256;
/** A device takes 1,460 bytes at once, rarely more than its receive window of 5,840: counts of four digits. */
const COUNT_DIGITS = 4;

export type Reply =
	/** Nothing decided yet. */
	| { kind: "pending" }
	| { kind: "success" }
	/** The device's error, in its own words. */
	| { kind: "error"; text: string }
	/** Neither counts nor a result. */
	| { kind: "unknown"; text: string };

export class ReplyReader {
	/** What follows the counts. */
	#text = "";
	#digits = 0;
	#acknowledged = 0;

	/** Digits of counts that came so far; a count of n bytes has at most n digits. */
	get digits(): number {
		return this.#digits;
	}

	/**
	 * About how many bytes the device has taken. Counts that came in one piece run together, so that this may
	 * be off: it is for a progress bar, not for a decision.
	 */
	get acknowledged(): number {
		return this.#acknowledged;
	}

	/** Takes what the device wrote next. */
	write(text: string): Reply {
		const all = this.#text + text;
		this.#text = all.replace(/^[\d\s]+/, "");
		const counts = all.slice(0, all.length - this.#text.length).replace(/\s/g, "");
		this.#digits += counts.length;
		const single = counts.length <= COUNT_DIGITS + 1;
		for (const count of single ? [counts] : (counts.match(/.{1,4}/g) ?? []))
			this.#acknowledged += Number(count);
		if (this.#text.startsWith(SUCCESS)) return { kind: "success" };
		if (this.#text === "" || SUCCESS.startsWith(this.#text) || ERROR.startsWith(this.#text)) {
			return { kind: "pending" };
		}
		if (!this.#text.startsWith(ERROR)) return { kind: "unknown", text: printable(this.#text) };
		const complete = this.#text.includes("\n") || this.#text.length > ERROR_LENGTH_MAX;
		return complete ? this.#error() : { kind: "pending" };
	}

	/** The device writes no more: an error without its line feed is one all the same. */
	close(): Reply {
		return this.#text.startsWith(ERROR) ? this.#error() : { kind: "pending" };
	}

	#error(): Reply {
		return { kind: "error", text: printable(this.#text.split("\n", 1)[0] ?? "") };
	}
}
