/** Lines out of what a serial line brings. What is no text, as at another baud rate, shows as dots. */

/** A line without an end is cut here. */
const LENGTH_MAX = 1024;

export class Lines {
	readonly #onLine: (line: string) => void;
	readonly #decoder = new TextDecoder();
	#line = "";

	constructor(onLine: (line: string) => void) {
		this.#onLine = onLine;
	}

	push(bytes: Uint8Array): void {
		for (const character of this.#decoder.decode(bytes, { stream: true })) {
			if (character === "\n") this.flush();
			else if (character !== "\r") {
				// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would obey them.
				this.#line += /[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd]/.test(character) ? "." : character;
				if (this.#line.length >= LENGTH_MAX) this.flush();
			}
		}
	}

	/** The line so far counts as one, where it has something. */
	flush(): void {
		const line = this.#line;
		this.#line = "";
		if (line.trim() !== "") this.#onLine(line);
	}
}
