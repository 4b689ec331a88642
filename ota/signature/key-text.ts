/**
 * Public keys as a firmware's configuration has them: `rsa:<modulus>:<exponent>` or `p256:<x><y>`, hexadecimal, the
 * highest byte first; `firmware@` or `filesystem@` before it where it is for one kind only; several joined by
 * spaces. SPEC.md, section 6.
 */
import { hexDigit } from "../hex";
import type { UpdateKind } from "../kind";
import { P256Key } from "./p256-key";
import type { PublicKey } from "./public-key";
import { RSAKey } from "./rsa-key";

/** More would only be tried one after the other, and keep memory. */
export const KEYS_MAX = 4;
const COORDINATE_LENGTH = 32;
/** An exponent that is larger only costs time. */
const EXPONENT_LENGTH_MAX = 4;

/** Throws RangeError where a key is malformed or weak, where there is none, and where there are more than four. */
export function parseKeys(text: string): readonly PublicKey[] {
	const words = text.split(" ").filter((word) => word !== "");
	if (words.length < 1 || words.length > KEYS_MAX)
		throw new RangeError(`1 to ${KEYS_MAX} public keys wanted`);
	return words.map(parseKey);
}

function parseKey(word: string): PublicKey {
	const at = word.indexOf("@");
	const kind = at < 0 ? undefined : word.slice(0, at);
	if (kind !== undefined && kind !== "firmware" && kind !== "filesystem") throw malformed("kind");
	const [type, ...numbers] = word.slice(at + 1).split(":");
	if (type === "rsa" && numbers.length === 2) return rsaKey(kind, numbers[0] ?? "", numbers[1] ?? "");
	if (type === "p256" && numbers.length === 1) return p256Key(kind, numbers[0] ?? "");
	throw malformed("type");
}

function rsaKey(kind: UpdateKind | undefined, modulus: string, exponent: string): PublicKey {
	const e = bytesOf(exponent);
	if (e.length > EXPONENT_LENGTH_MAX) throw malformed("exponent");
	let value = 0;
	for (let i = 0; i < e.length; i++) value = value * 256 + (e[i] ?? 0);
	return new RSAKey(kind, bytesOf(modulus), value);
}

function p256Key(kind: UpdateKind | undefined, point: string): PublicKey {
	const bytes = bytesOf(point);
	if (bytes.length !== 2 * COORDINATE_LENGTH) throw malformed("point");
	return new P256Key(kind, bytes.buffer.slice(0, COORDINATE_LENGTH), bytes.buffer.slice(COORDINATE_LENGTH));
}

/** By bytes: to find a string's length or a character of it the engine goes through it from its start. */
function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
	const digits = new Uint8Array(ArrayBuffer.fromString(hex));
	const bytes = new Uint8Array(digits.length >> 1);
	if (bytes.length === 0 || digits.length % 2 !== 0) throw malformed("digits");
	for (let i = 0; i < bytes.length; i++) {
		const high = hexDigit(digits[2 * i] ?? 0);
		const low = hexDigit(digits[2 * i + 1] ?? 0);
		if (high < 0 || low < 0) throw malformed("digits");
		bytes[i] = (high << 4) | low;
	}
	return bytes;
}

function malformed(what: string): RangeError {
	return new RangeError(`public key: ${what} malformed`);
}
