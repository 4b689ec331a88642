import { crc32, inflateRawSync } from "node:zlib";
import { GZIP_EXTRA } from "../../ota/claims";
import { GZIP_LENGTH_MIN, GZIP_MAGIC, GZIP_MAGIC_2 } from "../../ota/image";

/** The largest flash that an ESP8266 maps; more comes out of a file that is made to hurt. */
const INFLATED_MAX = 0x1000000;
export const METHOD_DEFLATE = 8;
export const FLAGS_OFFSET = 3;
export const FIXED_HEADER_LENGTH = 10;
export const TRAILER_LENGTH = 8;
/** Header flags behind GZIP_EXTRA, in the order of what they add. */
const NAME = 8;
const COMMENT = 16;
const HEADER_CRC = 2;

export interface GzipMember {
	/** Bytes of the member, from its header to its trailer. */
	length: number;
	/** The content; undefined where the stream is damaged or ends early. */
	inflated: Uint8Array | undefined;
	crc: "right" | "wrong";
	/** What is wrong with it, or undefined. */
	fault: string | undefined;
}

export function isGzip(bytes: Uint8Array): boolean {
	return bytes[0] === GZIP_MAGIC && bytes[1] === GZIP_MAGIC_2;
}

/** The first gzip member of `bytes` (RFC 1952). */
export function readMember(bytes: Uint8Array): GzipMember {
	const damaged = (fault: string): GzipMember => ({
		length: bytes.length,
		inflated: undefined,
		crc: "wrong",
		fault,
	});
	if (bytes.length < GZIP_LENGTH_MIN) return damaged("gzip cut short");
	if (bytes[2] !== METHOD_DEFLATE) return damaged("gzip method");
	const start = headerLength(bytes);
	let inflated: Uint8Array;
	let length: number;
	try {
		// With `info` the result is not what the typings say: it also has the engine, which counted its input.
		const { buffer, engine } = inflateRawSync(bytes.subarray(start), {
			info: true,
			maxOutputLength: INFLATED_MAX,
		}) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
		inflated = buffer;
		length = start + engine.bytesWritten + TRAILER_LENGTH;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ERR_BUFFER_TOO_LARGE") return damaged("gzip inflates to more than 16 MiB");
		return damaged(code === "Z_BUF_ERROR" ? "gzip cut short" : "gzip stream");
	}
	if (length > bytes.length) return damaged("gzip cut short");
	const trailer = new DataView(bytes.buffer, bytes.byteOffset + length - TRAILER_LENGTH, TRAILER_LENGTH);
	const crc = trailer.getUint32(0, true) === crc32(inflated) ? "right" : "wrong";
	// The boot loader takes the inflated size from these four bytes.
	const sizeRight = trailer.getUint32(4, true) === inflated.length;
	const fault = crc === "wrong" ? "gzip CRC" : sizeRight ? undefined : "gzip length";
	return { length, inflated, crc, fault };
}

/** Bytes in front of the deflate stream; more than there are where the header is cut short. */
export function headerLength(bytes: Uint8Array): number {
	const flags = bytes[FLAGS_OFFSET] ?? 0;
	let length = FIXED_HEADER_LENGTH;
	if (flags & GZIP_EXTRA) length += 2 + (bytes[length] ?? 0) + 256 * (bytes[length + 1] ?? 0);
	for (const flag of [NAME, COMMENT]) {
		if (!(flags & flag)) continue;
		const end = bytes.indexOf(0, length);
		length = end < 0 ? bytes.length : end + 1;
	}
	return flags & HEADER_CRC ? length + 2 : length;
}
