/**
 * The head of an HTTP message, byte by byte. The SDK's server and client gather every line in memory, however
 * long, and keep every header: here what somebody reads is kept, within a limit, and what would be understood in
 * two ways is refused. States, in order:
 *   start    empty lines, then the first line
 *   name     of a header, until its colon
 *   value    of a header that is wanted
 *   skip     the rest of one that is not
 *   end      the empty line has come
 */

/** The whole head, what is not kept included: browsers send 1,000 bytes and their cookies. */
export const HEAD_MAX = 8192;
/** Ten digits hold every 32-bit number, and stay exact. */
const LENGTH_DIGITS_MAX = 10;
/** A line's end, and the head's. */
const ENDS = 4;

/** What a byte brought; a number from 400 on is the HTTP status of a fault. */
export const Head = Object.freeze({
	MORE: 0,
	/** The head is complete. */
	END: 1,
	/** For a line, from `firstLine` and `header`: it is not kept. */
	DROP: 2,
} as const);

export const BAD_REQUEST = 400;
const TOO_LARGE = 431;
export const NOT_IMPLEMENTED = 501;

const TAB = 9;
const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 32;
const COLON = 58;
const DELETE = 127;

export abstract class HeadReader {
	/** What is kept of the head: `length` bytes. */
	readonly kept: Uint8Array;
	length = 0;
	/** Bytes of the body: 0 or what its length said; undefined where it is chunked. */
	bodyLength: number | undefined = 0;
	protected hasLength = false;
	private readonly wanted: readonly string[];
	private state: "start" | "name" | "value" | "skip" | "end" = "start";
	private total = 0;
	private lineStart = 0;
	private valueStart = 0;
	private name = "";
	private returned = false;

	/** `wanted`: names of headers that are kept, in lower case, in `keptMax` bytes. */
	constructor(wanted: readonly string[], keptMax: number) {
		this.wanted = wanted;
		this.kept = new Uint8Array(keptMax);
	}

	/** Takes the next byte: Head.MORE, Head.END, or the status of a fault. */
	write(byte: number): number {
		this.total += 1;
		if (this.total > HEAD_MAX) return TOO_LARGE;
		const returned = this.returned;
		this.returned = byte === RETURN;
		if (byte === LINE_FEED) return this.lineEnd();
		if (returned) return BAD_REQUEST;
		if (byte === RETURN) return Head.MORE;
		if ((byte < SPACE && byte !== TAB) || byte === DELETE) return BAD_REQUEST;
		if (this.state === "skip") return Head.MORE;
		if (this.length >= this.kept.length - ENDS) return TOO_LARGE;
		this.kept[this.length] = byte;
		this.length += 1;
		return this.state === "name" ? this.nameByte(byte) : Head.MORE;
	}

	/** Judges the first line: Head.MORE, Head.DROP, or the status of a fault. */
	protected abstract firstLine(line: string): number;
	/** Judges a wanted header, in the same way. */
	protected abstract header(name: string, value: string): number;
	/** Judges the whole: Head.END; Head.MORE where another head follows, which is then kept in its place. */
	protected abstract last(): number;

	/** Replaces the first line, before it is kept. */
	protected replace(line: string): void {
		for (let i = 0; i < line.length; i++) this.kept[i] = line.charCodeAt(i);
		this.length = line.length;
	}

	/** Judges what says how long the body is: once and clearly. */
	protected bodyHeader(name: string, value: string): number {
		if (name === "transfer-encoding") {
			if (this.hasLength || this.bodyLength === undefined) return BAD_REQUEST;
			if (value.toLowerCase() !== "chunked") return NOT_IMPLEMENTED;
			this.bodyLength = undefined;
		} else {
			const length = Number(value);
			if (value.length > LENGTH_DIGITS_MAX || !isDigits(value)) return BAD_REQUEST;
			if (this.bodyLength === undefined || (this.hasLength && length !== this.bodyLength)) return BAD_REQUEST;
			this.hasLength = true;
			this.bodyLength = length;
		}
		return Head.MORE;
	}

	private nameByte(byte: number): number {
		if (byte === SPACE || byte === TAB) return BAD_REQUEST;
		if (byte !== COLON) return Head.MORE;
		this.valueStart = this.length;
		this.name = this.text(this.lineStart, this.length - 1).toLowerCase();
		if (this.name === "") return BAD_REQUEST;
		this.state = this.wanted.includes(this.name) ? "value" : "skip";
		if (this.state === "skip") this.length = this.lineStart;
		return Head.MORE;
	}

	private lineEnd(): number {
		const { state } = this;
		if (state === "start" && this.length === 0) return Head.MORE;
		this.state = "name";
		if (state === "start") return this.keep(this.firstLine(this.text(0, this.length)));
		if (state === "value") return this.keep(this.header(this.name, this.value()));
		if (state === "skip") return Head.MORE;
		if (this.length > this.lineStart) return BAD_REQUEST;
		const result = this.last();
		if (result === Head.END) {
			this.state = "end";
			this.keep(Head.MORE);
		} else if (result === Head.MORE) {
			this.state = "start";
			this.length = this.lineStart = 0;
		}
		return result;
	}

	/** Gives the line the end that the SDK looks for, or drops it. */
	private keep(result: number): number {
		if (result === Head.DROP) {
			this.length = this.lineStart;
			return Head.MORE;
		}
		this.kept[this.length] = RETURN;
		this.kept[this.length + 1] = LINE_FEED;
		this.length += 2;
		this.lineStart = this.length;
		return result;
	}

	/** Without the spaces around it. What else String's `trim` takes away is not nothing to others. */
	private value(): string {
		const kept = this.kept;
		let start = this.valueStart;
		let end = this.length;
		while (start < end && (kept[start] === SPACE || kept[start] === TAB)) start += 1;
		while (start < end && (kept[end - 1] === SPACE || kept[end - 1] === TAB)) end -= 1;
		return this.text(start, end);
	}

	/** Bytes that are kept, each a character. */
	private text(start: number, end: number): string {
		let text = "";
		for (let i = start; i < end; i++) text += String.fromCharCode(this.kept[i] ?? 0);
		return text;
	}
}

export function isDigits(text: string): boolean {
	for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 48 || text.charCodeAt(i) > 57) return false;
	return text !== "";
}
