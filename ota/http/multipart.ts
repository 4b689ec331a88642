/**
 * A streaming parser of `multipart/form-data` (RFC 7578, RFC 2046): pieces of any size go in, the bytes of the
 * parts come out, nothing larger than one piece is held. States, in order:
 *   preamble  until the first delimiter
 *   mark      behind a delimiter: the end of its line, or `--`, which is the last one's
 *   headers   of a part, line by line
 *   part      its bytes, until the next delimiter
 *   epilogue  behind the last delimiter: dropped
 *
 * The delimiter is looked for from its end (Boyer, Moore, Horspool): of an image about one byte in 40 is looked
 * at, since a byte costs the engine hundreds of instructions.
 */
import { ErrorCode, UpdateError } from "../errors";
import { parameter } from "./parameter";

/** RFC 2046 allows no longer one. */
const BOUNDARY_MAX = 70;
/** One line of a part's headers; a long file name is in it. */
const HEADER_LINE_MAX = 512;
/** All of a part's headers. */
const HEADERS_MAX = 2048;

const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 32;
const TAB = 9;
const DASH = 45;

export interface PartSink {
	/** A part begins. `name`: its field's, empty where it has none. */
	onPart(name: string): void;
	/** Bytes of the part, in the parser's own buffer: of use until `room` or `write` is next used. */
	onData(bytes: Uint8Array): void;
	/** The part has ended. */
	onPartEnd(): void;
}

type State = "preamble" | "mark" | "headers" | "part" | "epilogue";

export class Multipart {
	private readonly sink: PartSink;
	private readonly delimiter: Uint8Array;
	/** By the byte under the delimiter's end: how far the delimiter can be moved. */
	private readonly shifts: Uint8Array;
	/** Bytes held back, that may begin a delimiter, then the new ones. */
	private readonly buffer: Uint8Array;
	private held: number;
	/** Where those that are held back lie. */
	private hold = 0;
	private state: State = "preamble";
	private readonly pieceMax: number;
	/** The header line so far, and the length of those before it. Only while there are headers. */
	private line: Uint8Array | undefined;
	private lineLength = 0;
	private headersLength = 0;
	private name = "";
	private dashes = 0;

	/**
	 * `contentType`: the request's header. `pieceMax`: bytes of the largest piece. Throws UpdateError FORM where
	 * there is no boundary.
	 */
	constructor(contentType: string, pieceMax: number, sink: PartSink) {
		const boundary = parameter(contentType, "boundary") ?? "";
		this.delimiter = new Uint8Array(ArrayBuffer.fromString(`\r\n--${boundary}`));
		const { length } = this.delimiter;
		// Beyond ASCII it would have more bytes than characters.
		if (boundary === "" || boundary.length > BOUNDARY_MAX || length !== boundary.length + 4) {
			throw new UpdateError(ErrorCode.FORM, "no boundary");
		}
		this.sink = sink;
		this.shifts = new Uint8Array(256).fill(length);
		for (let i = 0; i < length - 1; i++) this.shifts[this.delimiter[i] ?? 0] = length - 1 - i;
		this.pieceMax = pieceMax;
		this.buffer = new Uint8Array(pieceMax + length);
		// The first delimiter may stand at the very start: as if a line had ended before it.
		this.buffer[0] = RETURN;
		this.buffer[1] = LINE_FEED;
		this.held = 2;
	}

	/** Whether the last delimiter has come. */
	get complete(): boolean {
		return this.state === "epilogue";
	}

	/** Where the next piece may be put, for `consume`. */
	get room(): Uint8Array {
		this.buffer.copyWithin(0, this.hold, this.hold + this.held);
		this.hold = 0;
		return this.buffer.subarray(this.held, this.held + this.pieceMax);
	}

	/** Takes the next bytes, at most `pieceMax`. Throws UpdateError FORM, and what the sink throws. */
	write(bytes: Uint8Array): void {
		this.room.set(bytes);
		this.consume(bytes.length);
	}

	/** Takes `length` bytes that were put into `room`. Throws as `write` does. */
	consume(length: number): void {
		const end = this.held + length;
		let at = 0;
		this.held = 0;
		while (at < end && this.state !== "epilogue") {
			if (this.state === "preamble" || this.state === "part") at = this.scan(at, end);
			else this.character(this.buffer[at++] ?? 0);
			if (this.held > 0) return;
		}
	}

	/** Passes what lies before the next delimiter; gives the place behind that, or holds what may begin one. */
	private scan(start: number, end: number): number {
		const { buffer, delimiter, shifts } = this;
		const { length } = delimiter;
		const lastByte = delimiter[length - 1];
		let last = start + length - 1;
		while (last < end) {
			const byte = buffer[last] ?? 0;
			if (byte === lastByte && this.matches(last - length + 1)) {
				this.pass(start, last - length + 1);
				if (this.state === "part") this.sink.onPartEnd();
				this.state = "mark";
				this.dashes = 0;
				return last + 1;
			}
			last += shifts[byte] ?? length;
		}
		this.hold = Math.min(last - length + 1, end);
		this.held = end - this.hold;
		this.pass(start, this.hold);
		return end;
	}

	private matches(at: number): boolean {
		const { buffer, delimiter } = this;
		for (let i = delimiter.length - 2; i >= 0; i--) if (buffer[at + i] !== delimiter[i]) return false;
		return true;
	}

	private pass(start: number, end: number): void {
		if (this.state === "part" && end > start) this.sink.onData(this.buffer.subarray(start, end));
	}

	private character(byte: number): void {
		if (this.state === "mark") this.markByte(byte);
		else if (byte === LINE_FEED) this.lineEnd();
		else if (byte !== RETURN) {
			if (this.lineLength === HEADER_LINE_MAX) throw new UpdateError(ErrorCode.FORM, "a header is too long");
			this.line ??= new Uint8Array(HEADER_LINE_MAX);
			this.line[this.lineLength] = byte;
			this.lineLength += 1;
		}
	}

	/** Spaces may stand before the end of the delimiter's line. */
	private markByte(byte: number): void {
		if (byte === DASH) {
			this.dashes += 1;
			if (this.dashes === 2) this.state = "epilogue";
		} else if (this.dashes > 0) throw new UpdateError(ErrorCode.FORM, "a delimiter is damaged");
		else if (byte === LINE_FEED) {
			this.state = "headers";
			this.name = "";
			this.lineLength = this.headersLength = 0;
		} else if (byte !== RETURN && byte !== SPACE && byte !== TAB) {
			throw new UpdateError(ErrorCode.FORM, "a delimiter is damaged");
		}
	}

	private lineEnd(): void {
		if (this.lineLength === 0) {
			this.state = "part";
			this.line = undefined;
			this.sink.onPart(this.name);
			return;
		}
		this.headersLength += this.lineLength;
		if (this.headersLength > HEADERS_MAX) throw new UpdateError(ErrorCode.FORM, "too many headers");
		let header = "";
		for (let i = 0; i < this.lineLength; i++) header += String.fromCharCode(this.line?.[i] ?? 0);
		const colon = header.indexOf(":");
		if (header.slice(0, colon).trim().toLowerCase() === "content-disposition") {
			this.name = parameter(header.slice(colon + 1), "name") ?? "";
		}
		this.lineLength = 0;
	}
}
