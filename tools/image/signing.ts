/** Signatures of image files: the Arduino core's, and with a P-256 key ours. SPEC.md, section 6. */
import { constants, createHash, privateEncrypt, publicDecrypt, sign, verify } from "node:crypto";
import { concat } from "./gzip-header";
import { type Key, unusable } from "./keys";
import { ECDSA_LENGTHS, LENGTH_WORD } from "./signature";

/** How a signature was made. `rsa-legacy` is the core's up to 2.5.2. */
export type Scheme = "rsa" | "rsa-legacy" | "ecdsa-raw" | "ecdsa-der";

export const schemeTexts: Readonly<Record<Scheme, string>> = {
	rsa: "RSASSA-PKCS1-v1_5 with SHA-256",
	"rsa-legacy": "legacy, RSA padding around SHA-256 alone",
	"ecdsa-raw": "ECDSA P-256 with SHA-256, raw",
	"ecdsa-der": "ECDSA P-256 with SHA-256, DER",
};

const PADDING = constants.RSA_PKCS1_PADDING;

/** The payload with its signature and the signature's length behind it. Throws UpdateError KEY where the key cannot. */
export function signed(payload: Uint8Array, key: Key, legacy = false): Uint8Array {
	const signature = signatureOf(payload, key, legacy);
	const length = new Uint8Array(LENGTH_WORD);
	new DataView(length.buffer).setUint32(0, signature.length, true);
	return concat(payload, signature, length);
}

/** What signing with this key is. Throws UpdateError KEY where it cannot be done so. */
export function schemeFor(key: Key, legacy: boolean): Scheme {
	if (key.type === "rsa") return legacy ? "rsa-legacy" : "rsa";
	if (legacy) throw unusable(key.name, "legacy signatures are RSA's, and this key is of P-256");
	return "ecdsa-raw";
}

function signatureOf(payload: Uint8Array, key: Key, legacy: boolean): Uint8Array {
	const { object } = key;
	const scheme = schemeFor(key, legacy);
	if (scheme === "rsa-legacy") return privateEncrypt({ key: object, padding: PADDING }, sha256(payload));
	return sign("sha256", payload, scheme === "rsa" ? object : { key: object, dsaEncoding: "ieee-p1363" });
}

/** How this key made the signature of this payload; undefined where it did not. */
export function matchingScheme(
	payload: Uint8Array,
	signature: Uint8Array,
	{ type, object }: Key,
): Scheme | undefined {
	if (type === "rsa") {
		if (verify("sha256", payload, object, signature)) return "rsa";
		const content = rsaContent(signature, object);
		return content && sha256(payload).equals(content) ? "rsa-legacy" : undefined;
	}
	const raw = signature.length === ECDSA_LENGTHS.min;
	const key = { key: object, dsaEncoding: raw ? "ieee-p1363" : "der" } as const;
	if (!verify("sha256", payload, key, signature)) return undefined;
	return raw ? "ecdsa-raw" : "ecdsa-der";
}

/** Whether this RSA key made the signature, be it of other bytes: another key leaves no padding. */
export function isBy(signature: Uint8Array, { type, object }: Key): boolean {
	return type === "rsa" && rsaContent(signature, object) !== undefined;
}

/** Whether signatures of this key can have `length` bytes. */
export function canBeBy(length: number, { type, bits }: Key): boolean {
	return type === "rsa"
		? length === Math.ceil(bits / 8)
		: length >= ECDSA_LENGTHS.min && length <= ECDSA_LENGTHS.max;
}

/** What lies in the padding of type 1 (RFC 8017, EMSA-PKCS1-v1_5). */
function rsaContent(signature: Uint8Array, key: Key["object"]): Buffer | undefined {
	try {
		return publicDecrypt({ key, padding: PADDING }, signature);
	} catch {
		return undefined;
	}
}

function sha256(bytes: Uint8Array): Buffer {
	return createHash("sha256").update(bytes).digest();
}
