/** The header of the gzips that are made here: neither name nor time, so that the same input gives the same file. */
import {
	CLAIMS_LENGTH,
	CLAIMS_SUBFIELD,
	type Claims,
	GZIP_EXTRA,
	GZIP_EXTRA_OFFSET,
	writeClaims,
} from "../../ota/claims";
import { GZIP_MAGIC, GZIP_MAGIC_2 } from "../../ota/image";
import { FIXED_HEADER_LENGTH, FLAGS_OFFSET, headerLength, METHOD_DEFLATE } from "./gzip";

/** Byte 8: compressed as well as it can be. Byte 9: made on a system that does not matter. */
const BEST_COMPRESSION = 2;
const SYSTEM_UNKNOWN = 255;
/** Id and length of a subfield. */
const SUBFIELD_HEADER = 4;

/** A header, with claims where there are any. */
export function gzipHeader(claims?: Claims): Uint8Array {
	const extra = SUBFIELD_HEADER + CLAIMS_LENGTH;
	const header = new Uint8Array(FIXED_HEADER_LENGTH + (claims ? 2 + extra : 0));
	header.set([GZIP_MAGIC, GZIP_MAGIC_2, METHOD_DEFLATE]);
	header.set([BEST_COMPRESSION, SYSTEM_UNKNOWN], 8);
	if (claims) {
		const view = new DataView(header.buffer);
		const subfield = GZIP_EXTRA_OFFSET + 2;
		header[FLAGS_OFFSET] = GZIP_EXTRA;
		view.setUint16(GZIP_EXTRA_OFFSET, extra, true);
		view.setUint16(subfield, CLAIMS_SUBFIELD, true);
		view.setUint16(subfield + 2, CLAIMS_LENGTH, true);
		writeClaims(view, subfield + SUBFIELD_HEADER, claims);
	}
	return header;
}

/** A gzip member with such a header in the place of its own. */
export function withHeader(member: Uint8Array, claims?: Claims): Uint8Array {
	return concat(gzipHeader(claims), member.subarray(headerLength(member)));
}

/** Bytes one behind the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(Buffer.concat(parts));
}
