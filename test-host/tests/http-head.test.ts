/** The head of a request, byte by byte: what passes to the server, and what is refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HEAD_MAX, Head, KEPT_MAX, RequestHead } from "../../ota/http/head";
import { giveHead, type HeadOutcome } from "./head-bench";

const WANTED = ["authorization", "content-length", "host", "origin", "transfer-encoding", "x-md5"];

function give(text: string): HeadOutcome & { head: RequestHead } {
	const head = new RequestHead(WANTED);
	return { ...giveHead(head, text), head };
}

const request = (...headers: string[]) =>
	["POST /update HTTP/1.1", "Host: b", ...headers, "", ""].join("\r\n");
const resultOf = (...headers: string[]) => give(request(...headers)).result;

describe("what the server gets", () => {
	test("are the request line, the wanted headers, and the empty line", () => {
		const text = request("Cookie: x", "X-MD5:\t0 ", "Accept: */*", "Content-Length: 5", "Sec-Fetch-Mode: y");
		expect(give(text)).toMatchObject({
			result: Head.END,
			kept: "POST /update HTTP/1.1\r\nHost: b\r\nX-MD5:\t0 \r\nContent-Length: 5\r\n\r\n",
		});
	});

	test("are lines that end without a carriage return too, with theirs", () => {
		expect(give("GET / HTTP/1.1\nHost: b\n\n").kept).toBe("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
	});

	test("is nothing of empty lines before the request", () => {
		expect(give(`\r\n\n\r\n${request()}`).kept).toBe(request());
	});

	test("is HTTP/1.0 as HTTP/1.1, without a Host", () => {
		expect(give("GET / HTTP/1.0\r\n\r\n")).toMatchObject({
			result: Head.END,
			kept: "GET / HTTP/1.1\r\n\r\n",
		});
	});

	test("is any byte of a value that is no control character", () => {
		const value = String.fromCharCode(...Array.from({ length: 224 }, (_, i) => i + 32)).replace("\x7f", "\t");
		const text = request(`Authorization: ${value}`);
		expect(give(text).kept).toBe(text);
	});

	test("ends where the empty line does", () => {
		const head = request("Content-Length: 9");
		expect(give(`${head}${"x".repeat(9)}`)).toMatchObject({ taken: head.length, kept: head });
	});
});

describe("the body", () => {
	test.each([
		["none", [], 0],
		["of this length", ["Content-Length: 1234567890"], 1234567890],
		["of this length, said twice", ["Content-Length: 7", "content-length:\t7 "], 7],
		["in chunks", ["Transfer-Encoding: Chunked"], undefined],
	])("is %s", (_what, headers, length) => {
		const { result, head } = give(request(...headers));
		expect([result, head.bodyLength]).toEqual([Head.END, length]);
	});

	test.each([
		["another length", ["Content-Length: 5", "Content-Length: 6"]],
		["a list of lengths", ["Content-Length: 5, 5"]],
		["a sign", ["Content-Length: +5"]],
		["a negative length", ["Content-Length: -5"]],
		["hexadecimal", ["Content-Length: 0x10"]],
		["a fraction", ["Content-Length: 5.0"]],
		["an exponent", ["Content-Length: 1e3"]],
		["nothing", ["Content-Length:"]],
		["space in a length", ["Content-Length: 1 0"]],
		["a space of Unicode", ["Content-Length: \xa05"]],
		["eleven digits", ["Content-Length: 12345678901"]],
		["a length and chunks", ["Content-Length: 5", "Transfer-Encoding: chunked"]],
		["chunks and a length", ["Transfer-Encoding: chunked", "Content-Length: 5"]],
		["a length of 0 and chunks", ["Content-Length: 0", "Transfer-Encoding: chunked"]],
		["chunks twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]],
	])("is refused that is told by %s", (_what, headers) => {
		expect(resultOf(...headers)).toBe(400);
	});

	test.each([
		"gzip",
		"gzip, chunked",
		"chunked, chunked",
		"identity",
		"xchunked",
		"",
		"chunked\xa0",
		'"chunked"',
	])("is refused that is encoded as %o", (encoding) => {
		expect(resultOf(`Transfer-Encoding: ${encoding}`)).toBe(501);
	});

	test("is waited for where the client expects to be asked for it", () => {
		expect(give(request("Expect: 100-Continue")).head.expectsContinue).toBe(true);
		expect(give(request("Expect: 200-ok")).head.expectsContinue).toBe(false);
		expect(give(request("Expect: 100-continue")).kept).toBe(request());
	});

	test("is not waited for by HTTP/1.0, which knows no such answer", () => {
		expect(give("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").head.expectsContinue).toBe(false);
	});
});

describe("what would be understood in two ways is refused:", () => {
	test.each([
		["a bare carriage return in a value", "Origin: a\rContent-Length: 5"],
		["a carriage return before a line's end", "Origin: a\r"],
		["a continued line", "Origin: a\r\n b"],
		["a line continued by a tab", "Cookie: a\r\n\tb"],
		["a space before the colon", "Content-Length : 5"],
		["a tab before the colon", "Content-Length\t: 5"],
		["a space in a name", "Content Length: 5"],
		["a line without a colon", "Content-Length"],
		["a header without a name", ": 5"],
		["a second Host", "Host: c"],
		["a NUL", "Origin: a\0b"],
		["a NUL in a header that does not pass", "Cookie: a\0b"],
		["a NUL in a name", "Coo\0kie: a"],
		["a vertical tab", "Transfer-Encoding:\x0bchunked"],
		["a DEL", "Cookie: \x7f"],
	])("%s", (_what, line) => {
		expect(resultOf(line)).toBe(400);
	});

	test("HTTP/1.1 without a Host", () => {
		expect(give("GET / HTTP/1.1\r\n\r\n").result).toBe(400);
	});

	test.each([
		["an absolute target", "GET http://b/ HTTP/1.1", 400],
		["no target that is a path", "OPTIONS * HTTP/1.1", 400],
		["HTTP/2's preface", "PRI * HTTP/2.0", 400],
		["HTTP/2", "GET / HTTP/2.0", 505],
		["HTTP/1.2", "GET / HTTP/1.2", 505],
		["HTTP/11", "GET / HTTP/11", 505],
		["no version", "GET /", 400],
		["another protocol", "GET / RTSP/1.0", 400],
		["a version in lower case", "GET / http/1.1", 400],
		["two spaces", "GET  / HTTP/1.1", 400],
		["a space in the target", "GET /a b HTTP/1.1", 400],
		["a space in front", " GET / HTTP/1.1", 400],
		["a space behind", "GET / HTTP/1.1 ", 400],
		["TLS", "\x16\x03\x01\x02\x00\x01", 400],
	])("%s", (_what, line, status) => {
		expect(give(`${line}\r\nHost: b\r\n\r\n`).result).toBe(status);
	});
});

describe("a limit holds exactly:", () => {
	test("all that is kept", () => {
		const keeps = (length: number) =>
			resultOf(
				`Origin: ${"x".repeat(200)}`,
				`X-MD5: ${"x".repeat(length - request("Origin: ", "X-MD5: ").length - 200)}`,
			);
		expect(keeps(KEPT_MAX)).toBe(Head.END);
		expect(keeps(KEPT_MAX + 1)).toBe(431);
	});

	test("the request line", () => {
		const get = (length: number) => {
			const rest = " HTTP/1.0\r\n\r\n";
			return give(`GET /${"x".repeat(length - "GET /".length - rest.length)}${rest}`).result;
		};
		expect(get(KEPT_MAX)).toBe(Head.END);
		expect(get(KEPT_MAX + 1)).toBe(431);
	});

	test("the name of a header, before it is known that nobody wants it", () => {
		const room = KEPT_MAX - request().length - 2;
		expect(resultOf(`${"x".repeat(room - 1)}:${"y".repeat(1000)}`)).toBe(Head.END);
		expect(resultOf(`${"x".repeat(room + 2)}:`)).toBe(431);
	});

	test("the whole head", () => {
		const cookie = (length: number) =>
			give(request(`Cookie: ${"x".repeat(length - request("Cookie: ").length)}`)).result;
		expect(cookie(HEAD_MAX)).toBe(Head.END);
		expect(cookie(HEAD_MAX + 1)).toBe(431);
	});

	test("empty lines before the request", () => {
		expect(give("\r\n".repeat(HEAD_MAX)).taken).toBe(HEAD_MAX + 1);
	});
});

test("an unwanted header may have any length up to the limit of the head", () => {
	expect(resultOf(`Cookie: ${"x".repeat(7000)}`, `Accept: ${"y".repeat(900)}`)).toBe(Head.END);
});

describe("whatever comes", () => {
	const piece = fc.oneof(
		{
			weight: 4,
			arbitrary: fc.constantFrom(
				"GET / HTTP/1.1\r\n",
				"Host: b\r\n",
				"Content-Length: 3\r\n",
				"Transfer-Encoding: chunked\r\n",
				"Origin: ",
				"Cookie: ",
				"\r\n",
				"\n",
				"\r",
				":",
				" ",
				"\0",
			),
		},
		{
			weight: 1,
			arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
		},
		{ weight: 1, arbitrary: fc.nat(600).map((count) => "x".repeat(count)) },
	);
	const noise = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
	const header = fc
		.tuple(fc.constantFrom("Origin", "X-MD5", "Cookie", "Accept"), fc.string({ maxLength: 60 }))
		.map(([name, value]) => `${name}: ${value.replace(/[^ -~]/g, "")}`);
	const good = fc
		.tuple(fc.array(header, { maxLength: 8 }), fc.constantFrom("\r\n", "\n"))
		.map(([lines, end]) => ["GET / HTTP/1.1", "Host: b", ...lines, "", ""].join(end));
	const heads = fc.oneof(
		noise,
		good,
		fc.tuple(good, noise).map((both) => both.join("")),
	);

	test("no more than the limit is kept, and no more than the limit is taken", () => {
		fc.assert(
			fc.property(heads, (text) => {
				const { taken, head, result } = give(text);
				expect(head.length).toBeLessThanOrEqual(KEPT_MAX);
				expect(taken).toBeLessThanOrEqual(HEAD_MAX + 1);
				expect([Head.MORE, Head.END, 400, 431, 501, 505]).toContain(result);
			}),
			{ numRuns: 2000 },
		);
	});

	test("what is kept are the wanted lines, as they were", () => {
		fc.assert(
			fc.property(heads, (text) => {
				const { result, kept, taken } = give(text);
				fc.pre(result === Head.END);
				const lines = text.slice(0, taken).split(/\r?\n/);
				while (lines[0] === "") lines.shift();
				const [first = "", ...rest] = lines;
				const wanted = rest.filter((line) => WANTED.includes(line.split(":", 1)[0]?.toLowerCase() ?? ""));
				expect(kept).toBe([first.replace(/0$/, "1"), ...wanted, "", ""].join("\r\n"));
			}),
			{ numRuns: 300 },
		);
	});
});
