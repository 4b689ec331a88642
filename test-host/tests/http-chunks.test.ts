/** What lies between the chunks of a body. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Chunk, Chunks } from "../../ota/http/chunks";

/** Reads a body as the sockets do, in pieces: the data, and what came in the end. */
function decode(bytes: Uint8Array, splits: readonly number[] = []) {
	const chunks = new Chunks();
	const data: number[] = [];
	let remaining = 0;
	let at = 0;
	for (const end of [...splits, bytes.length]) {
		while (at < end) {
			if (remaining > 0) {
				const count = Math.min(remaining, end - at);
				data.push(...bytes.subarray(at, at + count));
				remaining -= count;
				at += count;
				continue;
			}
			const result = chunks.write(bytes[at] ?? 0);
			at += 1;
			if (result === Chunk.END || result === Chunk.FAULT) return { result, data, at };
			remaining = result;
		}
	}
	return { result: Chunk.MORE, data, at };
}

const ascii = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
const resultOf = (text: string) => decode(ascii(text)).result;

/** A chunk as servers write it: digits of either case, zeros in front, an extension. */
const written = fc.tuple(
	fc.uint8Array({ minLength: 1, maxLength: 300 }),
	fc.nat(4),
	fc.constantFrom("", ";a", ';a="b"', " ", ";x=y;z"),
	fc.boolean(),
	fc.constantFrom("\r\n", "\n"),
);

function encode(
	chunks: readonly (typeof written extends fc.Arbitrary<infer T> ? T : never)[],
	trailer: string,
) {
	const parts: Uint8Array[] = [];
	for (const [data, zeros, extension, capital, end] of chunks) {
		const digits = data.length.toString(16);
		parts.push(ascii("0".repeat(zeros) + (capital ? digits.toUpperCase() : digits) + extension + end));
		parts.push(data, ascii(end));
	}
	parts.push(ascii(`0\r\n${trailer}\r\n`));
	return new Uint8Array(Buffer.concat(parts));
}

test("any data in any chunks, split anywhere, comes out as it went in, and the end is found at its last byte", () => {
	const trailers = fc.constantFrom("", "a: b\r\n", "a: b\r\nc: d\n");
	fc.assert(
		fc.property(
			fc.array(written, { maxLength: 6 }),
			trailers,
			fc.array(fc.nat(2000)),
			(chunks, trailer, splits) => {
				const bytes = encode(chunks, trailer);
				const sorted = splits.filter((at) => at < bytes.length).toSorted((a, b) => a - b);
				const { result, data, at } = decode(bytes, sorted);
				expect(result).toBe(Chunk.END);
				expect(at).toBe(bytes.length);
				expect(data).toEqual(chunks.flatMap(([its]) => [...its]));
			},
		),
	);
});

test("a body cut at any byte has not ended", () => {
	const bytes = encode(
		[
			[ascii("hello"), 1, ";a", false, "\r\n"],
			[ascii("!"), 0, "", true, "\n"],
		],
		"a: b\r\n",
	);
	for (let end = 0; end < bytes.length; end++) expect(decode(bytes.subarray(0, end)).result).toBe(Chunk.MORE);
});

test("any bytes end, fail or go on, and never give a length that is none", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
			const chunks = new Chunks();
			for (const byte of bytes) {
				const result = chunks.write(byte);
				expect(Number.isInteger(result) && result >= Chunk.FAULT && result <= 0xffffffff).toBe(true);
			}
		}),
	);
});

describe("limits:", () => {
	test("eight digits, zeros in front counted", () => {
		expect(new Chunks().write(0x66)).toBe(Chunk.MORE);
		expect(resultOf("00000001\r\n")).toBe(Chunk.MORE);
		expect(resultOf("000000001")).toBe(Chunk.FAULT);
	});

	test("64 characters of a chunk's line", () => {
		expect(resultOf(`1;${"x".repeat(60)}\r\n`)).toBe(Chunk.MORE);
		expect(resultOf(`1;${"x".repeat(61)}\r\n`)).toBe(Chunk.FAULT);
	});

	test("1,024 bytes of trailers", () => {
		expect(resultOf(`0\r\n${"x".repeat(1020)}\r\n\r\n`)).toBe(Chunk.END);
		expect(resultOf(`0\r\n${"x".repeat(1021)}\r\n\r\n`)).toBe(Chunk.FAULT);
	});
});

test.each(["\r\n", "g", "-1", " 1", "0x1", ";", "1\r\nab", "1\r\na\rx", "1\r\naa"])(
	"%j is a fault",
	(text) => {
		expect(resultOf(text)).toBe(Chunk.FAULT);
	},
);

test("behind the end everything is a fault", () => {
	const chunks = new Chunks();
	for (const byte of ascii("0\r\n\r")) expect(chunks.write(byte)).toBe(Chunk.MORE);
	expect(chunks.write(10)).toBe(Chunk.END);
	expect(chunks.write(48)).toBe(Chunk.FAULT);
});
