/** Whether a file is signed by one of some keys, and how. What the board does, with better reasons. */
import { type Key, keyTypeText } from "./keys";
import { LENGTH_WORD, signatureAtEnd, trailerLength } from "./signature";
import { canBeBy, isBy, matchingScheme, type Scheme } from "./signing";
import { whyNoSignature } from "./unsigned";

export type Verification =
	| { ok: true; scheme: Scheme; key: Key; payload: Uint8Array; signatureLength: number }
	| { ok: false; reason: string };

/** Tries the keys in their order; `legacy` takes the core's old padding too. */
export function verifyFile(bytes: Uint8Array, keys: readonly Key[], legacy = false): Verification {
	const found = signatureAtEnd(bytes);
	const candidates = found ? keys.filter((key) => canBeBy(found.length, key)) : [];
	if (!found || candidates.length === 0) return { ok: false, reason: whyNoSignature(bytes, keys) };
	const payload = bytes.subarray(0, bytes.length - trailerLength(found));
	const signature = bytes.subarray(payload.length, bytes.length - LENGTH_WORD);
	const reasons: string[] = [];
	for (const key of candidates) {
		const scheme = matchingScheme(payload, signature, key);
		if (scheme && (legacy || scheme !== "rsa-legacy")) {
			return { ok: true, scheme, key, payload, signatureLength: found.length };
		}
		reasons.push(`${key.name}: ${whyNot(signature, key, scheme)}`);
	}
	for (const key of keys) {
		if (!candidates.includes(key)) {
			reasons.push(`${key.name}: its signatures (${keyTypeText(key)}) have another length`);
		}
	}
	return { ok: false, reason: reasons.join("; ") };
}

function whyNot(signature: Uint8Array, key: Key, scheme: Scheme | undefined): string {
	if (scheme) return "it signed the file in the legacy way, which is not taken without --legacy";
	if (isBy(signature, key)) return "it made the signature, but the file was changed since";
	return "the signature is of another key, or was damaged, or the file was changed";
}
