/** Claims in an image file: SPEC.md, section 6. */
import {
	CLAIMS_ALIGNMENT,
	CLAIMS_LENGTH,
	type Claims,
	findGzipClaims,
	readClaims,
	writeClaims,
} from "../../ota/claims";
import { isGzip } from "./gzip";
import { concat, withHeader } from "./gzip-header";

/** The payload (an image, raw or as one gzip member) with these claims. Throws RangeError for impossible ones. */
export function withClaims(payload: Uint8Array, claims: Claims): Uint8Array {
	if (isGzip(payload)) return withHeader(payload, claims);
	const block = new Uint8Array(CLAIMS_LENGTH);
	writeClaims(new DataView(block.buffer), 0, claims);
	return concat(payload, new Uint8Array(paddingFor(payload.length)), block);
}

/** The claims in a payload, which is a file without its signature; undefined where it makes none. */
export function claimsOf(payload: Uint8Array): Claims | undefined {
	const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
	if (!isGzip(payload)) return readClaims(view, payload.length - CLAIMS_LENGTH);
	const offset = findGzipClaims(view);
	return offset === undefined ? undefined : readClaims(view, offset);
}

/** Bytes behind the raw image in `bytes` that end at `end` and belong to its claims: 0 where there are none. */
export function claimsBehind(bytes: Uint8Array, end: number): number {
	const block = end + paddingFor(end);
	const claims = readClaims(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), block);
	return claims ? block + CLAIMS_LENGTH - end : 0;
}

/** Zeros up to where the block may begin. */
function paddingFor(length: number): number {
	return (CLAIMS_ALIGNMENT - (length % CLAIMS_ALIGNMENT)) % CLAIMS_ALIGNMENT;
}
