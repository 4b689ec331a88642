import { ErrorCode, UpdateError } from "./errors";
import { FIRMWARE_LENGTH_MIN, GZIP_LENGTH_MIN, GZIP_RATIO_MAX } from "./image";
import type { Staging } from "./staging";

/**
 * A gzip tells its inflated size in its last four bytes. eboot believes them: too few would end in the boot
 * loader's sector, none or above 2 GiB install nothing. A signature that is not taken away makes them another number.
 */
export function inflatedSize(staging: Staging, gzipSize: number): number {
	if (gzipSize < GZIP_LENGTH_MIN) throw new UpdateError(ErrorCode.IMAGE, "gzip cut short");
	const size = staging.read(4, gzipSize - 4).getInt32(0, true);
	// Deflate adds five bytes to 65,535 at most that it cannot compress; 64 are for header and trailer.
	const isPossible = size + (size >> 9) + 64 >= gzipSize && size <= GZIP_RATIO_MAX * gzipSize;
	if (size < FIRMWARE_LENGTH_MIN || !isPossible) throw new UpdateError(ErrorCode.IMAGE, "gzip trailer");
	return size;
}
