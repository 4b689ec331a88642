/** Range requests (RFC 9110, section 14), of one range with a beginning: what a device needs that was interrupted. */

export type Span = { status: 200 | 206; start: number; end: number } | { status: 416 };

/**
 * The bytes of `size` that are asked for, from `start` to before `end`. A range counts while the device's
 * If-Range is the ETag of today. One of another form than `bytes=a-` or `bytes=a-b` is refused, not guessed at;
 * what is no range of bytes is no range.
 */
export function spanOf(
	range: string | undefined,
	ifRange: string | undefined,
	{ etag, size }: { etag: string; size: number },
): Span {
	const whole: Span = { status: 200, start: 0, end: size };
	if (range === undefined || !/^bytes=/i.test(range)) return whole;
	if (ifRange !== undefined && ifRange !== etag) return whole;
	const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})?$/i.exec(range) ?? [];
	if (first === undefined) return { status: 416 };
	const start = Number(first);
	const end = Math.min(size, last === undefined ? size : Number(last) + 1);
	return start < end ? { status: 206, start, end } : { status: 416 };
}

/** Whether If-None-Match names the ETag; weak ones count too, `*` is any. */
export function matchesETag(ifNoneMatch: string | undefined, etag: string): boolean {
	if (ifNoneMatch === undefined) return false;
	const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
	return tags.includes(etag) || ifNoneMatch.trim() === "*";
}
