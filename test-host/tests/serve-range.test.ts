import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesETag, spanOf } from "../../tools/serve/range";

const file = { etag: '"abc"', size: 100 };
const whole = { status: 200, start: 0, end: 100 };

describe("a range", () => {
	test.each([
		["bytes=0-", 0, 100],
		["bytes=1-", 1, 100],
		["bytes=99-", 99, 100],
		["bytes=0-0", 0, 1],
		["bytes=10-19", 10, 20],
		["bytes=0-99", 0, 100],
		["bytes=50-1000", 50, 100],
		["Bytes=50-", 50, 100],
	])("%s is bytes %i to before %i", (range, start, end) => {
		expect(spanOf(range, undefined, file)).toEqual({ status: 206, start, end });
	});

	test.each([
		"bytes=100-",
		"bytes=101-102",
		"bytes=5-4",
		"bytes=-1",
		"bytes=-",
		"bytes=",
		"bytes=0-1,5-6",
		"bytes=0 -1",
		"bytes= 0-1",
		"bytes=a-b",
		"bytes=0x1-2",
		"bytes=9999999999999999-",
	])("%s is refused", (range) => {
		expect(spanOf(range, undefined, file)).toEqual({ status: 416 });
	});

	test.each([undefined, "", "lines=1-2", "0-5"])("%j is none: the whole file", (range) => {
		expect(spanOf(range, undefined, file)).toEqual(whole);
	});

	test("counts while the file is the same", () => {
		expect(spanOf("bytes=7-", '"abc"', file)).toMatchObject({ status: 206, start: 7 });
	});

	test.each(['"abd"', 'W/"abc"', "abc", "Tue, 24 Nov 2026 00:00:00 GMT", ""])(
		"does not count behind If-Range %s",
		(ifRange) => {
			expect(spanOf("bytes=7-", ifRange, file)).toEqual(whole);
			expect(spanOf("bytes=700-", ifRange, file)).toEqual(whole);
		},
	);

	test("never leaves the file, whatever is asked for", () => {
		const numbers = fc.nat(300);
		fc.assert(
			fc.property(numbers, fc.option(numbers), fc.integer({ min: 1, max: 300 }), (first, last, size) => {
				const span = spanOf(`bytes=${first}-${last ?? ""}`, undefined, { etag: "", size });
				if (span.status === 416) expect(first >= size || (last !== null && last < first)).toBe(true);
				else {
					expect(span.start).toBe(first);
					expect(span.end).toBe(Math.min(size, (last ?? size) + 1));
				}
			}),
		);
	});
});

describe("If-None-Match", () => {
	test.each(['"abc"', 'W/"abc"', '"x", "abc"', "*"])("%s is what the device has", (tags) => {
		expect(matchesETag(tags, '"abc"')).toBe(true);
	});

	test.each([undefined, "", '"abd"', "abc"])("%j is not", (tags) => {
		expect(matchesETag(tags, '"abc"')).toBe(false);
	});
});
