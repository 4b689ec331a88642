/**
 * The two numbers of an ECDSA signature in DER: 30 length, 02 length r, 02 length s. Strict: lengths in one byte,
 * positive numbers, no byte too many anywhere, so that each signature has one form.
 */
const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** 32, and a zero before a highest bit that is set. */
const NUMBER_LENGTH_MAX = 33;

/** r and s as they stand, the highest byte first; undefined where it is something else. */
export function readDER(bytes: Uint8Array): { r: ArrayBuffer; s: ArrayBuffer } | undefined {
	if (bytes[0] !== SEQUENCE || bytes[1] !== bytes.length - 2) return undefined;
	const middle = numberEnd(bytes, 2);
	if (middle === undefined || numberEnd(bytes, middle) !== bytes.length) return undefined;
	return { r: bytes.slice(4, middle).buffer, s: bytes.slice(middle + 2).buffer };
}

/** Where the number at `start` ends. */
function numberEnd(bytes: Uint8Array, start: number): number | undefined {
	const length = bytes[start + 1] ?? 0;
	const first = bytes[start + 2] ?? 0;
	const end = start + 2 + length;
	if (bytes[start] !== INTEGER || length < 1 || length > NUMBER_LENGTH_MAX || end > bytes.length)
		return undefined;
	if (first >= 0x80) return undefined;
	if (first === 0 && length > 1 && (bytes[start + 3] ?? 0) < 0x80) return undefined;
	return end;
}
