import type { UpdateKind } from "../../ota/kind";
import { type Key, publicKey } from "./keys";

/**
 * A public key (PEM) as the firmware's setting `publicKeys` has it: `rsa:<modulus>:<exponent>` or `p256:<x><y>`,
 * hexadecimal, the highest byte first; `firmware@` or `filesystem@` before it where it is for one kind only.
 * SPEC.md, section 6. Throws UpdateError KEY; `name` is what that calls the key.
 */
export function deviceKey(pem: string, kind?: UpdateKind, name = "public.key"): string {
	const text = keyNumbers(publicKey(pem, name));
	return kind === undefined ? text : `${kind}@${text}`;
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
