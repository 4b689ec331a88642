/** The last eight bytes of a gzip (RFC 1952): CRC-32 and length of what was compressed. */
import { ErrorCode, UpdateError } from "./errors";
import { toHex } from "./hex";
import { FIRMWARE_LENGTH_MIN, GZIP_LENGTH_MIN, GZIP_RATIO_MAX } from "./image";
import type { UpdateKind } from "./kind";
import type { Staging } from "./staging";

const CRC_LENGTH = 4;
const TRAILER_LENGTH = 8;

/**
 * Bytes that a staged gzip inflates to. eboot believes them: too few would end in the boot loader's sector, none or
 * above 2 GiB install nothing. A signature that is not taken away makes them another number.
 */
export function inflatedSize(staging: Staging, gzipSize: number, kind: UpdateKind): number {
	if (gzipSize < GZIP_LENGTH_MIN) throw new UpdateError(ErrorCode.IMAGE, "gzip cut short");
	const size = staging.read(4, gzipSize - 4).getInt32(0, true);
	const least = kind === "firmware" ? FIRMWARE_LENGTH_MIN : 1;
	// Deflate adds five bytes to 65,535 at most that it cannot compress; 64 are for header and trailer.
	const isPossible = size + (size >> 9) + 64 >= gzipSize && size <= GZIP_RATIO_MAX * gzipSize;
	if (size < least || !isPossible) throw new UpdateError(ErrorCode.IMAGE, "gzip trailer");
	return size;
}

/** CRC-32 of what a staged gzip inflates to, as GzipCRC gives it. */
export function storedCRC(staging: Staging, gzipSize: number): string {
	return toHex(staging.read(CRC_LENGTH, gzipSize - TRAILER_LENGTH).buffer as ArrayBuffer);
}
