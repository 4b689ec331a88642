import { CLAIMS_LENGTH, type Claims, findGzipClaims, GZIP_HEADER_MAX, readClaims } from "../claims";
import { ErrorCode, UpdateError } from "../errors";
import { GZIP_MAGIC, GZIP_MAGIC_2 } from "../image";
import type { Staging } from "../staging";

/** What an image has to claim, where it claims something. */
export interface Demands {
	/**
	 * The least version counter, beside the highest one that was accepted; an image without one is refused too. Not given:
	 * any, and none.
	 */
	minVersionCounter?: number | undefined;
	/** This board's id. Not given: whatever board the image is for. */
	board?: string | undefined;
}

/** Throws UpdateError VERSION_COUNTER, OTHER_BOARD or OTHER_FLASH where what a verified payload claims is not for this board. */
export function checkClaims(
	claims: Claims,
	demands: Demands,
	configuredFlashSize: number,
	accepted?: number,
): void {
	const { versionCounter, board: madeFor, flashSize } = claims;
	const { minVersionCounter, board: id } = demands;
	const least =
		accepted !== undefined && !(minVersionCounter && minVersionCounter > accepted)
			? accepted
			: minVersionCounter;
	if (least !== undefined && (versionCounter === undefined || versionCounter < least)) {
		throw new UpdateError(ErrorCode.VERSION_COUNTER, versionCounter ?? "none", least);
	}
	if (id !== undefined && madeFor !== undefined && madeFor !== id) {
		throw new UpdateError(ErrorCode.OTHER_BOARD, madeFor, id);
	}
	if (flashSize !== undefined && flashSize !== configuredFlashSize) {
		throw new UpdateError(ErrorCode.OTHER_FLASH, flashSize, configuredFlashSize);
	}
}

/** What a payload of `size` bytes claims; what it does not is undefined. Throws UpdateError READ. */
export function stagedClaims(staging: Staging, size: number): Claims {
	if (size < CLAIMS_LENGTH) return {};
	const start = staging.read(size < GZIP_HEADER_MAX ? size : GZIP_HEADER_MAX, 0);
	if (start.getUint8(0) !== GZIP_MAGIC || start.getUint8(1) !== GZIP_MAGIC_2) {
		return readClaims(staging.read(CLAIMS_LENGTH, size - CLAIMS_LENGTH), 0) ?? {};
	}
	const offset = findGzipClaims(start);
	return (offset === undefined ? undefined : readClaims(start, offset)) ?? {};
}
