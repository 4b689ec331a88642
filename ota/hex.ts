/** Hexadecimal text as ASCII bytes, without a string a byte. */
const DIGITS = Object.freeze([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102]);

/** `bytes` as a lower-case hexadecimal string. */
export function toHex(bytes: ArrayBuffer): string {
	const source = new Uint8Array(bytes);
	const text = new Uint8Array(2 * source.length);
	for (let i = 0; i < source.length; i++) {
		const byte = source[i] ?? 0;
		text[2 * i] = DIGITS[byte >> 4] ?? 0;
		text[2 * i + 1] = DIGITS[byte & 15] ?? 0;
	}
	return String.fromArrayBuffer(text.buffer);
}

/** The value 0 to 15 of an ASCII hexadecimal digit of either case, or -1. */
export function hexDigit(code: number): number {
	if (code >= 48 && code <= 57) return code - 48;
	const letter = code | 32;
	return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Whether `text` is exactly `length` hexadecimal digits. */
export function isHex(text: string, length: number): boolean {
	if (text.length !== length) return false;
	for (let i = 0; i < length; i++) if (hexDigit(text.charCodeAt(i)) < 0) return false;
	return true;
}

/** Writes the bytes that `hex` tells, which is nothing but hexadecimal digits, to `bytes` at `offset`. */
export function putHex(bytes: Uint8Array, offset: number, hex: string): void {
	for (let i = 0; i < hex.length / 2; i++) {
		bytes[offset + i] = (hexDigit(hex.charCodeAt(2 * i)) << 4) | hexDigit(hex.charCodeAt(2 * i + 1));
	}
}
