/** URLs of http and https, without the engine's help. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	type Address,
	authorityOf,
	formatURL,
	nameOf,
	parseURL,
	resolveLocation,
	sameOrigin,
} from "../../ota/client/url";

describe("a URL", () => {
	test.each<[string, Address]>([
		["http://a", { secure: false, host: "a", port: 80, path: "/" }],
		["HTTP://A.Test/B?C=D", { secure: false, host: "a.test", port: 80, path: "/B?C=D" }],
		["https://a/", { secure: true, host: "a", port: 443, path: "/" }],
		["http://a:8080/x", { secure: false, host: "a", port: 8080, path: "/x" }],
		["http://a:/x", { secure: false, host: "a", port: 80, path: "/x" }],
		["http://a?x=y", { secure: false, host: "a", port: 80, path: "/?x=y" }],
		["http://a#x", { secure: false, host: "a", port: 80, path: "/" }],
		["http://a/b#x?y", { secure: false, host: "a", port: 80, path: "/b" }],
		["http://a/b@c:1", { secure: false, host: "a", port: 80, path: "/b@c:1" }],
	])("%s is understood", (text, address) => {
		expect(parseURL(text)).toEqual(address);
	});

	test.each([
		"",
		"a",
		"/a",
		"ftp://a",
		"http:/a",
		"http://",
		"http:///a",
		"http://:80/",
		"http://u@a/",
		"http://u:p@a/",
		"http://a:b/",
		"http://a:0/",
		"http://a:65536/",
		"http://a:-1/",
		"http://a:1e3/",
		"http://a:0x50/",
		"http://a:80.5/",
		"http://[::1]/",
		"http://a/ b",
		"http://a/\r\nx: y",
		"http://a/\t",
		"http://a/ä",
		`http://a/${"x".repeat(1016)}`,
	])("%j is none", (text) => {
		expect(() => parseURL(text)).toThrow(RangeError);
	});

	test("of 1,024 characters is not too long", () => {
		expect(parseURL(`http://a/${"x".repeat(1015)}`).path).toHaveLength(1016);
	});

	test("is understood as Node does", () => {
		const part = fc.stringMatching(/^[a-z0-9._~-]{1,12}$/);
		fc.assert(
			fc.property(
				fc.domain(),
				fc.option(fc.integer({ min: 1, max: 65_535 })),
				fc.array(part),
				part,
				(host, port, parts, query) => {
					const text = `http://${host}${port === null ? "" : `:${port}`}/${parts.join("/")}x?${query}`;
					const wanted = new URL(text);
					// Where a path has dots as a part, Node takes them away; a server does too.
					fc.pre(!parts.some((one) => /^\.+$/.test(one)));
					const { path, ...address } = parseURL(text);
					expect(path).toBe(wanted.pathname + wanted.search);
					expect(authorityOf({ ...address, path })).toBe(wanted.host);
					expect(parseURL(formatURL({ ...address, path }))).toEqual({ ...address, path });
				},
			),
		);
	});
});

describe("a location", () => {
	const from = parseURL("https://a.test:444/b/c?d=e");

	test.each([
		["http://x/y", "http://x/y"],
		["HTTPS://x:1/y", "https://x:1/y"],
		["//x/y", "https://x/y"],
		["/y", "https://a.test:444/y"],
		["y?z", "https://a.test:444/b/y?z"],
		["?z", "https://a.test:444/b/c?z"],
		["/y#z", "https://a.test:444/y"],
		["/y?from=http://x/", "https://a.test:444/y?from=http://x/"],
		["?from=http://x/", "https://a.test:444/b/c?from=http://x/"],
		["y?from=http://x/", "https://a.test:444/b/y?from=http://x/"],
	])("%s leads to %s", (location, url) => {
		expect(formatURL(resolveLocation(location, from))).toBe(url);
	});

	test.each(["ftp://x/", "//", "http://", "http://u:p@x/", "//u@x/", "/\r\n", "javascript://x"])(
		"%j leads nowhere",
		(location) => {
			expect(() => resolveLocation(location, from)).toThrow(RangeError);
		},
	);
});

test("two origins are the same by scheme, host and port", () => {
	const origin = (text: string) => parseURL(text);
	expect(sameOrigin(origin("http://a/x"), origin("http://A:80/y"))).toBe(true);
	for (const other of ["https://a:80/", "http://b/", "http://a:81/", "http://a./", "http://a.b/"]) {
		expect(sameOrigin(origin("http://a/"), origin(other))).toBe(false);
	}
});

test("the name in a Host header is what stands before the port", () => {
	expect([nameOf("a:80"), nameOf("a"), nameOf("")]).toEqual(["a", "a", ""]);
});
