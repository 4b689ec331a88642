/** The head of an answer, byte by byte: what passes to the SDK's client, and what is refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ResponseHead } from "../../ota/client/response-head";
import { HEAD_MAX, Head } from "../../ota/http/head-reader";
import { giveHead } from "./head-bench";

function give(text: string) {
	const head = new ResponseHead();
	return { ...giveHead(head, text), head };
}

const answer = (...lines: string[]) => ["HTTP/1.1 200 OK", ...lines, "", ""].join("\r\n");

describe("the client gets", () => {
	test("the status, the headers that somebody reads, and the empty line", () => {
		const { result, kept } = give(
			answer("Server: x", 'ETag: "a"', "Date: today", "X-MD5: 0", "Set-Cookie: y", "content-length: 5"),
		);
		expect(result).toBe(Head.END);
		expect(kept).toBe('HTTP/1.1 200 \r\nETag: "a"\r\nX-MD5: 0\r\ncontent-length: 5\r\n\r\n');
	});

	test("nothing of how a body comes in chunks, which is not its affair", () => {
		const { kept, head } = give(answer("Transfer-Encoding: chunked", "X-Version: 2"));
		expect(kept).toBe("HTTP/1.1 200 \r\nX-Version: 2\r\n\r\n");
		expect([head.isChunked, head.isOpen]).toEqual([true, false]);
	});

	test("nothing of a header without a value, which would end its head", () => {
		expect(give(answer("ETag:", "Location: \t ", "X-MD5:")).kept).toBe("HTTP/1.1 200 \r\n\r\n");
	});

	test("the last one of several heads", () => {
		const { kept, result } = give(`HTTP/1.1 100 Continue\r\nETag: "a"\r\n\r\n${answer('ETag: "b"')}`);
		expect([result, kept]).toEqual([Head.END, 'HTTP/1.1 200 \r\nETag: "b"\r\n\r\n']);
	});
});

describe("a body", () => {
	test.each<[string, string, number | undefined, boolean]>([
		["has its length", answer("Content-Length: 5"), 5, false],
		["may have none", answer("Content-Length: 0"), 0, false],
		["ends with its last chunk", answer("Transfer-Encoding: CHUNKED"), undefined, false],
		["ends with the connection", answer(), 0, true],
		["of 204 is none", "HTTP/1.1 204 No\r\n\r\n", 0, false],
		[
			"of 304 is none, whatever its length would be",
			"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n",
			0,
			false,
		],
		["of 304 is none in chunks either", "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", 0, false],
	])("%s", (_what, text, length, isOpen) => {
		const { result, head } = give(text);
		expect([result, head.bodyLength, head.isOpen]).toEqual([Head.END, length, isOpen]);
	});
});

describe("a status line", () => {
	test.each(["HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.9 200 \xe4\xf6"])(
		"may be %j",
		(line) => {
			expect(give(`${line}\r\n\r\n`).head.status).toBe(200);
		},
	);

	test.each([
		"HTTP/2 200 OK",
		"HTTP/1.1 20",
		"HTTP/1.1 2000",
		"HTTP/1.1 2e2 OK",
		"HTTP/1.1  200",
		"http/1.1 200 OK",
		"GET / HTTP/1.1",
	])("may not be %j", (line) => {
		expect(give(`${line}\r\n\r\n`).result).toBe(400);
	});
});

test("a head is refused at its 8,193rd byte, and what is kept at its 1,021st", () => {
	expect(give(answer(`X: ${"x".repeat(20_000)}`))).toMatchObject({ result: 431, taken: HEAD_MAX + 1 });
	expect(give("HTTP/1.1 100 Continue\r\n\r\n".repeat(1000))).toMatchObject({
		result: 431,
		taken: HEAD_MAX + 1,
	});
	expect(give(`HTTP/1.1 200 ${"x".repeat(20_000)}`)).toMatchObject({ result: 431, taken: 1021 });
	const room = 1020 - "HTTP/1.1 200 \r\nETag: ".length;
	expect(give(answer(`ETag: ${"x".repeat(room)}`)).result).toBe(Head.END);
	expect(give(answer(`ETag: ${"x".repeat(room + 1)}`)).result).toBe(431);
});

test("no bytes whatsoever throw, or are kept beyond the limit", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), (bytes, begins) => {
			const text = Buffer.from(bytes).toString("latin1");
			const { head, result } = give((begins ? "HTTP/1.1 200 OK\r\n" : "") + text);
			expect(head.length).toBeLessThanOrEqual(1024);
			expect([Head.MORE, Head.END, 400, 431, 501]).toContain(result);
		}),
	);
});
