import { ErrorCode, UpdateError } from "../ota/errors";
import { signatureAtEnd } from "./image/signature";
import { type ImageInfo, imageInfo } from "./image-info";

export interface SignableOptions {
	/** It is a filesystem, which is not looked into. */
	filesystem?: boolean | undefined;
	/** Goes on with what is damaged or signed. */
	force?: boolean | undefined;
}

/**
 * Looks at an image that is to be packed or signed. Throws UpdateError SIGNED_ALREADY, or NOT_WHOLE for a firmware
 * that no board would start.
 */
export function requireSignable(file: string, bytes: Uint8Array, options: SignableOptions): ImageInfo {
	const { filesystem = false, force = false } = options;
	const info = imageInfo(bytes);
	const signed = filesystem ? signatureAtEnd(bytes) : info.signature;
	if (signed && !force) throw new UpdateError(ErrorCode.SIGNED_ALREADY, file);
	if (info.faults.length > 0 && !filesystem && !force) {
		throw new UpdateError(ErrorCode.NOT_WHOLE, file, info.faults.join("; "));
	}
	return info;
}
