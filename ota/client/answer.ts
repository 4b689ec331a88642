/** What a server's answer means. */
import { ErrorCode, UpdateError } from "../errors";
import { isHex } from "../hex";
import type { UpdateKind } from "../kind";
import type { Resumable, Staged } from "../resume";
import { type Address, resolveLocation, sameOrigin } from "./url";

/** Longest time that a server may ask for patience, in seconds. */
const RETRY_AFTER_MAX = 86_400;

export type Redirects = "off" | "same-origin" | "all";

/** Why an answer is no update. Throws nothing: 200, 206, 304 and redirects are not for here. */
export function statusError(status: number): UpdateError {
	switch (status) {
		case 401:
			return new UpdateError(ErrorCode.UNAUTHORIZED);
		case 403:
			return new UpdateError(ErrorCode.FORBIDDEN);
		case 404:
			return new UpdateError(ErrorCode.NOT_FOUND);
		default:
			return new UpdateError(ErrorCode.HTTP_STATUS);
	}
}

export function isRedirect(status: number): boolean {
	return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** Where a redirect leads. Throws UpdateError REDIRECT where it is not followed. */
export function redirected(location: string | undefined, from: Address, redirects: Redirects): Address {
	let to: Address;
	try {
		if (!location) throw new RangeError("none");
		to = resolveLocation(location, from);
	} catch {
		throw new UpdateError(ErrorCode.REDIRECT, "no address");
	}
	const what = `${to.secure ? "https" : "http"}://${to.host}`;
	if (redirects === "off") throw new UpdateError(ErrorCode.REDIRECT, `${what}, redirects are off`);
	if (from.secure && !to.secure) throw new UpdateError(ErrorCode.REDIRECT, `${what} is not secure`);
	if (redirects === "same-origin" && !sameOrigin(from, to)) {
		throw new UpdateError(ErrorCode.REDIRECT, `${what} is another server`);
	}
	return to;
}

/** Seconds that the server asks for; undefined where it tells none, or a date. */
export function retryAfter(headers: Map<string, string>): number | undefined {
	const seconds = Number(headers.get("retry-after"));
	return seconds > 0 ? Math.min(seconds, RETRY_AFTER_MAX) : undefined;
}

/**
 * What a 200 brings; a length of 0 is one that is not told. `md5`: the one that it must have. Throws UpdateError
 * NO_SIZE, NO_SPACE or WRONG_MD5.
 */
export function offered(
	headers: Map<string, string>,
	{ kind, source, md5, room }: { kind: UpdateKind; source: string; md5: string | undefined; room: number },
): Resumable {
	const length = headers.get("content-length");
	const byteLength = length === undefined ? 0 : Number(length);
	if (length !== undefined && byteLength === 0) throw new UpdateError(ErrorCode.NO_SIZE);
	if (byteLength > room) throw new UpdateError(ErrorCode.NO_SPACE);
	const digest = (md5 ?? headers.get("x-md5") ?? "").toLowerCase();
	if (digest !== "" && !isHex(digest, 32)) throw new UpdateError(ErrorCode.WRONG_MD5);
	// An integer to the engine: others cost it much of its stack when they become text.
	return { kind, byteLength: byteLength | 0, md5: digest, source, tag: strongTag(headers) };
}

/** An ETag that stands for the very bytes; empty where there is none. */
function strongTag(headers: Map<string, string>): string {
	const tag = headers.get("etag") ?? "";
	return tag.startsWith('"') ? tag : "";
}

/** Whether a 206 brings the very rest of what is staged already. */
export function isRest(headers: Map<string, string>, known: Resumable & { staged: Staged }): boolean {
	const { byteLength, md5, tag, staged } = known;
	const range = `bytes ${staged.byteLength}-${byteLength - 1}/${byteLength}`;
	if (headers.get("content-range")?.toLowerCase() !== range) return false;
	const length = headers.get("content-length");
	if (length !== undefined && Number(length) !== byteLength - staged.byteLength) return false;
	const newTag = strongTag(headers);
	const newMD5 = headers.get("x-md5")?.toLowerCase() ?? "";
	return (tag === "" || newTag === "" || newTag === tag) && (md5 === "" || newMD5 === "" || newMD5 === md5);
}

/** In the core's numbers, where it has one of its own for what a server sends. */
export function coreError(cause: unknown): UpdateError {
	if (!(cause instanceof UpdateError)) return new UpdateError(ErrorCode.READ);
	if (cause.code === ErrorCode.MAGIC_BYTE) return new UpdateError(ErrorCode.VERIFY_HEADER);
	if (cause.code === ErrorCode.NEW_FLASH_CONFIG) return new UpdateError(ErrorCode.WRONG_FLASH);
	return cause;
}
