import type { UpdateKind } from "../../ota/kind";
import { KEYS_MAX } from "../../ota/signature/key-text";
import { type Key, publicKey, unusable } from "./keys";

/**
 * A public key (PEM) as the firmware's setting `publicKeys` has it: `rsa:<modulus>:<exponent>` or `p256:<x><y>`,
 * hexadecimal, the highest byte first; `firmware@` or `filesystem@` before it where it is for one kind only.
 * SPEC.md, section 6. Throws UpdateError KEY; `name` is what that calls the key.
 */
export function deviceKey(pem: string, kind?: UpdateKind, name = "public.key"): string {
	return deviceKeys([{ key: publicKey(pem, name), kind }]);
}

/** A key, and the kind of image that it is for, where it is not for both. */
export interface EmbeddedKey {
	key: Key;
	kind?: UpdateKind | undefined;
}

/** Several as one setting. Throws UpdateError KEY where they are more than a board takes. */
export function deviceKeys(keys: readonly EmbeddedKey[]): string {
	const surplus = keys[KEYS_MAX];
	if (surplus) throw unusable(surplus.key.name, `a board has room for ${KEYS_MAX} keys`);
	return keys
		.map(({ key, kind }) => (kind === undefined ? keyNumbers(key) : `${kind}@${keyNumbers(key)}`))
		.join(" ");
}

/** The numbers of a public key, the same however they were written. */
export function keyNumbers({ type, object }: Key): string {
	// As a JWK (RFC 7518) a modulus has no byte too many, and a coordinate of P-256 always 32.
	const { n = "", e = "", x = "", y = "" } = object.export({ format: "jwk" });
	return type === "rsa" ? `rsa:${hex(n)}:${hex(e)}` : `p256:${hex(x)}${hex(y)}`;
}

function hex(base64url: string): string {
	return Buffer.from(base64url, "base64url").toString("hex");
}
