/**
 * The datagrams of ArduinoOTA, decimal and hexadecimal ASCII, fields parted by spaces, a line feed at the end:
 *   invitation      `<command> <tcp port> <size> <md5, 32 digits>`
 *   authentication  `200 <cnonce> <response>`, 32 digits each, or 64 each from our own uploader
 * What does not parse is not a message.
 */
import { hexDigit } from "./hex";

/** Longest datagram that can be a message (an authentication with 64-digit fields has 134 bytes). */
export const MESSAGE_LENGTH_MAX = 160;
const COMMAND_AUTHENTICATION = 200;
/** Ten digits hold every 32-bit number, and stay exact. */
const NUMBER_DIGITS_MAX = 10;
const SPACE = 32;

export interface Invitation {
	command: number;
	/** Where the uploader listens for the device's TCP connection. */
	port: number;
	/** Bytes to come. */
	size: number;
	md5: string;
}

export interface Authentication {
	cnonce: string;
	response: string;
}

export function parseInvitation(message: Uint8Array): Invitation | undefined {
	const fields = new Fields(message);
	const command = fields.number();
	const port = fields.number();
	const size = fields.number();
	const md5 = fields.hex(32);
	if (command < 0 || command === COMMAND_AUTHENTICATION || port < 1 || port > 65535 || size < 0)
		return undefined;
	return md5 !== undefined && fields.atEnd() ? { command, port, size, md5 } : undefined;
}

export function parseAuthentication(message: Uint8Array): Authentication | undefined {
	const fields = new Fields(message);
	if (fields.number() !== COMMAND_AUTHENTICATION) return undefined;
	const cnonce = fields.hex(32, 64);
	if (cnonce === undefined) return undefined;
	const response = fields.hex(cnonce.length);
	return response !== undefined && fields.atEnd() ? { cnonce, response } : undefined;
}

class Fields {
	readonly #bytes: Uint8Array;
	#position = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	/** The next field as a number, or -1. */
	number(): number {
		this.#skipSpaces();
		const start = this.#position;
		let value = 0;
		for (;;) {
			const digit = (this.#bytes[this.#position] ?? SPACE) - 48;
			if (digit < 0 || digit > 9) break;
			value = 10 * value + digit;
			this.#position += 1;
		}
		const digits = this.#position - start;
		return digits > 0 && digits <= NUMBER_DIGITS_MAX && this.#bytes[this.#position] === SPACE ? value : -1;
	}

	/** The next field in lower case, when it is hexadecimal and has one of these lengths. */
	hex(...lengths: readonly number[]): string | undefined {
		this.#skipSpaces();
		const start = this.#position;
		while (hexDigit(this.#bytes[this.#position] ?? 0) >= 0) this.#position += 1;
		const length = this.#position - start;
		if (!lengths.includes(length)) return undefined;
		return String.fromArrayBuffer(this.#bytes.slice(start, this.#position).buffer).toLowerCase();
	}

	/** Whether nothing but the end of the line follows. */
	atEnd(): boolean {
		for (; this.#position < this.#bytes.length; this.#position++) {
			const byte = this.#bytes[this.#position];
			if (byte !== SPACE && byte !== 10 && byte !== 13) return false;
		}
		return true;
	}

	#skipSpaces(): void {
		while (this.#bytes[this.#position] === SPACE) this.#position += 1;
	}
}
