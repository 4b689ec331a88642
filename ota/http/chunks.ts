/**
 * What lies between the chunks of a body (RFC 9112, section 7.1), byte by byte. States, in order:
 *   size       the hexadecimal digits of the next chunk's length
 *   extension  what may follow them on their line
 *   data       the chunk itself, which is not read here
 *   close      the line end behind it
 *   trailer    the lines behind the last chunk, which are dropped
 *   end
 */
import { hexDigit } from "../hex";

/** Characters of a chunk's line, and of all trailers. */
const LINE_MAX = 64;
const TRAILER_MAX = 1024;
/** Eight digits hold every 32-bit number. */
const DIGITS_MAX = 8;

const TAB = 9;
const LINE_FEED = 10;
const RETURN = 13;
const SPACE = 32;
const SEMICOLON = 59;

/** What a byte brought; a number above 0 is the length of the chunk that follows. */
export const Chunk = Object.freeze({ MORE: 0, END: -1, FAULT: -2 } as const);

export class Chunks {
	private state: "size" | "extension" | "close" | "trailer" | "end" = "size";
	private size = 0;
	private digits = 0;
	/** Bytes of the line, or of all trailers; those of the trailer's line that are no line end. */
	private count = 0;
	private filled = 0;

	/** Takes the next byte that is no data. */
	write(byte: number): number {
		this.count += 1;
		if (this.count > (this.state === "trailer" ? TRAILER_MAX : LINE_MAX)) return Chunk.FAULT;
		switch (this.state) {
			case "size":
				return this.sizeByte(byte);
			case "extension":
				return byte === LINE_FEED ? this.lineEnd() : Chunk.MORE;
			case "close":
				if (byte !== LINE_FEED) return byte === RETURN && this.count === 1 ? Chunk.MORE : Chunk.FAULT;
				this.state = "size";
				this.size = this.digits = this.count = 0;
				return Chunk.MORE;
			case "trailer":
				return this.trailerByte(byte);
			default:
				return Chunk.FAULT;
		}
	}

	private sizeByte(byte: number): number {
		const digit = hexDigit(byte);
		if (digit >= 0) {
			this.size = 16 * this.size + digit;
			this.digits += 1;
			return this.digits > DIGITS_MAX ? Chunk.FAULT : Chunk.MORE;
		}
		if (this.digits === 0) return Chunk.FAULT;
		if (byte === LINE_FEED) return this.lineEnd();
		if (byte === RETURN) return Chunk.MORE;
		this.state = "extension";
		return byte === SEMICOLON || byte === SPACE || byte === TAB ? Chunk.MORE : Chunk.FAULT;
	}

	private lineEnd(): number {
		this.count = 0;
		this.state = this.size > 0 ? "close" : "trailer";
		return this.size;
	}

	private trailerByte(byte: number): number {
		if (byte === RETURN) return Chunk.MORE;
		if (byte !== LINE_FEED) {
			this.filled += 1;
			return Chunk.MORE;
		}
		const isEmpty = this.filled === 0;
		this.filled = 0;
		if (isEmpty) this.state = "end";
		return isEmpty ? Chunk.END : Chunk.MORE;
	}
}
