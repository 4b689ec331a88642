const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 (RFC 4648) of a short text's UTF-8 bytes: the SDK's module for it is deprecated, and its engine's own is new. */
export function toBase64(text: string): string {
	const bytes = new Uint8Array(ArrayBuffer.fromString(text));
	const { length } = bytes;
	let encoded = "";
	for (let i = 0; i < length; i += 3) {
		const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
		for (let digit = 0; digit < 4; digit++) {
			encoded += i + digit > length ? "=" : DIGITS.charAt((bits >> (18 - 6 * digit)) & 63);
		}
	}
	return encoded;
}
