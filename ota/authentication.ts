import { Digest } from "crypt";
import type { Board } from "./board";
import { toHex } from "./hex";
import type { Authentication, Invitation } from "./invitation";

const NONCE_LENGTH = 32;
/** SHA-256 works on blocks of this many bytes; the key, an MD5 in hexadecimal, is shorter. */
const BLOCK = 64;
/** An espota waits 10 s for an answer: more patience than this would lock out the owner. */
const DELAY_MAX = 8000;
const DELAY_FIRST = 1000;

/** Milliseconds that a next attempt has to wait after so many failures in a row. */
export function delayAfter(failures: number): number {
	return failures === 0 ? 0 : Math.min(DELAY_FIRST << Math.min(failures - 1, 7), DELAY_MAX);
}

interface PasswordOptions {
	board: Board;
	/** MD5 of the password, 32 lower-case hexadecimal digits. */
	hash: string;
	/** Takes no MD5 answer. */
	strong: boolean;
}

/**
 * The password's guard. An answer proves the password for one nonce, which is drawn from the hardware's random
 * source. Two answers are understood:
 *   MD5     (espota)  md5(hash ":" nonce ":" cnonce), 32 digits each
 *   strong  (ours)    HMAC-SHA256(hash, nonce ":" cnonce ":" command ":" size ":" md5), 64 digits each,
 *                     which also binds what is about to be sent
 */
export class PasswordGuard {
	readonly #board: Board;
	readonly #hash: string;
	readonly #strong: boolean;
	#failures = 0;

	constructor(options: PasswordOptions) {
		this.#board = options.board;
		this.#hash = options.hash;
		this.#strong = options.strong;
	}

	/** Milliseconds that a next attempt has to wait: grows with each failure in a row. */
	get delay(): number {
		return delayAfter(this.#failures);
	}

	/** A new nonce, 64 hexadecimal digits. It may be verified against once. */
	challenge(): string {
		const random = new Uint8Array(NONCE_LENGTH);
		this.#board.random(random);
		return toHex(random.buffer);
	}

	/** Whether the answer to `nonce` proves the password, for this invitation where it is a strong one. */
	verify(answer: Authentication, nonce: string, invitation: Invitation): boolean {
		const strong = answer.response.length === 64;
		let proved = false;
		if (strong || !this.#strong) {
			const expected = strong
				? this.#strongResponse(nonce, answer.cnonce, invitation)
				: this.#md5Response(nonce, answer.cnonce);
			proved = equalsConstantTime(expected, answer.response);
		}
		this.#failures = proved ? 0 : this.#failures + 1;
		return proved;
	}

	#md5Response(nonce: string, cnonce: string): string {
		return digestOf("MD5", `${this.#hash}:${nonce}:${cnonce}`);
	}

	#strongResponse(nonce: string, cnonce: string, { command, size, md5 }: Invitation): string {
		return hmacSHA256(this.#hash, `${nonce}:${cnonce}:${command}:${size}:${md5}`);
	}
}

/** HMAC-SHA256 (RFC 2104) in hexadecimal; `key` has at most 64 ASCII characters. */
export function hmacSHA256(key: string, message: string): string {
	const pad = new Uint8Array(BLOCK);
	for (let i = 0; i < BLOCK; i++) pad[i] = (i < key.length ? key.charCodeAt(i) : 0) ^ 0x36;
	const digest = new Digest("SHA256");
	digest.write(pad);
	digest.write(message);
	const inner = digest.close();
	for (let i = 0; i < BLOCK; i++) pad[i] = (pad[i] ?? 0) ^ (0x36 ^ 0x5c);
	digest.reset();
	digest.write(pad);
	digest.write(inner);
	return toHex(digest.close());
}

/** Compares texts of equal length in a time that does not depend on where they differ. */
export function equalsConstantTime(a: string, b: string): boolean {
	let difference = a.length ^ b.length;
	for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
	return difference === 0;
}

/** The digest of a text in hexadecimal. */
export function digestOf(algorithm: "MD5" | "SHA256", text: string): string {
	const digest = new Digest(algorithm);
	digest.write(text);
	return toHex(digest.close());
}

/** MD5 of a password, as ArduinoOTA keeps it. */
export function passwordHash(password: string): string {
	return digestOf("MD5", password);
}
