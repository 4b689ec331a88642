/** A signed file is payload, signature, and the signature's length as a 32-bit number. */
export const LENGTH_WORD = 4;
/** A signature of RSA is as long as its key (2048 to 4096 bits); one of ECDSA over 256 bits is two numbers, raw (64) or DER. */
const RSA_LENGTHS = { min: 256, max: 512 };
export const ECDSA_LENGTHS = { min: 64, max: 72 };

export interface Signature {
	/** Bytes of the signature, without its length word. */
	length: number;
	kind: "RSA" | "ECDSA";
}

/** The signature that the end of `bytes` would be, or undefined; whether it is one, the rest has to tell. */
export function signatureAtEnd(bytes: Uint8Array): Signature | undefined {
	if (bytes.length < LENGTH_WORD) return undefined;
	const end = bytes.length - LENGTH_WORD;
	const length = new DataView(bytes.buffer, bytes.byteOffset + end).getUint32(0, true);
	if (length > end) return undefined;
	if (length >= RSA_LENGTHS.min && length <= RSA_LENGTHS.max) return { length, kind: "RSA" };
	if (length >= ECDSA_LENGTHS.min && length <= ECDSA_LENGTHS.max) return { length, kind: "ECDSA" };
	return undefined;
}

/** Bytes that a signature takes at the end of a file. */
export function trailerLength({ length }: Signature): number {
	return length + LENGTH_WORD;
}
