import { deflateRawSync, gzipSync, constants as zlib } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Inflater } from "../virtual/inflate";

/** The bytes of a stream, then FF for ever, as erased flash behind it. */
function source(stream: Uint8Array): () => number {
	let at = 0;
	return () => stream[at++] ?? 0xff;
}

function inflate(stream: Uint8Array, length: number, piece = length): Uint8Array {
	const inflater = new Inflater(source(stream));
	const output = new Uint8Array(length);
	for (let at = 0; at < length; at += piece) {
		const count = Math.min(piece, length - at);
		expect(inflater.fill(output.subarray(at), count)).toBe("filled");
	}
	return output;
}

/** Data with repetitions, so that there are matches near and far. */
const data = fc
	.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 300 })), {
		maxLength: 20,
	})
	.map((parts) => Buffer.concat(parts.map(([bytes, times]) => Buffer.concat(Array(times).fill(bytes)))));

test.each([
	["stored", { level: 0 }],
	["fixed", { strategy: zlib.Z_FIXED }],
	["dynamic", { level: 9 }],
	["run-length", { strategy: zlib.Z_RLE }],
])("property: %s blocks come out as they went in", (_, options) => {
	fc.assert(
		fc.property(data, (bytes) => {
			const output = inflate(deflateRawSync(bytes, options), bytes.length);
			expect(Buffer.compare(output, bytes)).toBe(0);
		}),
		{ numRuns: 20 },
	);
});

test("property: the pieces' size does not matter", () => {
	fc.assert(
		fc.property(data, fc.integer({ min: 1, max: 5000 }), (bytes, piece) => {
			expect(Buffer.compare(inflate(deflateRawSync(bytes), bytes.length, piece), bytes)).toBe(0);
		}),
		{ numRuns: 20 },
	);
});

test("a match from 32,768 bytes back is found", () => {
	const random = Buffer.from(
		Array.from({ length: 32768 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 0xff),
	);
	const bytes = Buffer.concat([random, random]);
	expect(Buffer.compare(inflate(deflateRawSync(bytes, { level: 9 }), bytes.length), bytes)).toBe(0);
});

test("where the stream ends early, the rest of the output stays as it was", () => {
	const inflater = new Inflater(source(deflateRawSync(Buffer.from("short"))));
	const output = new Uint8Array(8).fill(0x2e);
	expect(inflater.fill(output, 8)).toBe("ended");
	expect(Buffer.from(output).toString()).toBe("short...");
});

test("behind the last block's end it goes on in that block's codes", () => {
	// Six literals of nine bits make a fixed block that ends on a byte; FF FF… are literals FF, nine ones each.
	const bytes = Uint8Array.of(0x90, 0x91, 0x92, 0x93, 0x94, 0x95);
	const inflater = new Inflater(source(deflateRawSync(bytes, { strategy: zlib.Z_FIXED })));
	const output = new Uint8Array(9);
	expect(inflater.fill(output, 9)).toBe("ended");
	expect(inflater.fill(output, 3)).toBe("filled");
	expect(output).toEqual(Uint8Array.of(0xff, 0xff, 0xff, 0x93, 0x94, 0x95, 0, 0, 0));
});

test.each([
	["a block of the type that does not exist", [0b111]],
	["a stored block whose length and complement disagree", [0b001, 5, 0, 5, 0]],
	["a length symbol that does not exist", [0b1100_0011 | (0b011 << 3), 0b11]],
])("%s is damage", (_, bytes) => {
	const output = new Uint8Array(10);
	expect(new Inflater(source(Uint8Array.from(bytes))).fill(output, 10)).toBe("damaged");
});

test("a distance before the start gives noise, not damage", () => {
	// Fixed block, length 3 (0000001), distance 1 (00000).
	const inflater = new Inflater(source(Uint8Array.of(0b0000_0011, 0b0000_0010, 0)));
	expect(inflater.fill(new Uint8Array(3), 3)).toBe("filled");
});

/** Packs bits, the first into the lowest place. */
function pack(bits: string): Uint8Array {
	const bytes = new Uint8Array(Math.ceil(bits.length / 8));
	for (let i = 0; i < bits.length; i++) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (Number(bits[i]) << (i & 7));
	return bytes;
}
/** A number as it lies in the stream: its lowest bit first. */
const low = (value: number, count: number) =>
	Array.from({ length: count }, (_, bit) => (value >> bit) & 1).join("");

test("bits that are no code give FD, and are sixteen", () => {
	// A dynamic block with one code: 0 is the letter a.
	const codeLengths = Array(18).fill(0);
	codeLengths[2] = 1; // "repeat 0" is 0
	codeLengths[3] = 2; // "length 0" is 10
	codeLengths[17] = 2; // "length 1" is 11
	const stream = [
		`1${low(2, 2)}${low(0, 5)}${low(0, 5)}${low(14, 4)}`,
		...codeLengths.map((length) => low(length, 3)),
		`0${low(97 - 11, 7)}110${low(138 - 11, 7)}0${low(22 - 11, 7)}`,
		`0${"1".repeat(16)}00${"1".repeat(16)}0`,
	];
	const output = new Uint8Array(6);
	expect(new Inflater(source(pack(stream.join("")))).fill(output, 6)).toBe("filled");
	expect(output).toEqual(Uint8Array.of(0x61, 0xfd, 0x61, 0x61, 0xfd, 0x61));
});

function header(flags: number, ...fields: number[]): Uint8Array {
	return Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3, ...fields);
}

test.each([
	["plain", header(0)],
	["with extra data", header(4, 2, 0, 0xaa, 0xbb)],
	["with a file name", header(8, 0x61, 0x62, 0)],
	["with a comment", header(16, 0x61, 0)],
	["with a checksum of the header", header(2, 0xcc, 0xdd)],
	["with everything", header(30, 1, 0, 0xaa, 0x61, 0, 0x62, 0, 0xcc, 0xdd)],
])("a gzip header %s is read over", (_, head) => {
	const bytes = Buffer.from("content behind the header");
	const inflater = new Inflater(source(Buffer.concat([head, deflateRawSync(bytes)])));
	expect(inflater.gzipHeader()).toBe(true);
	const output = new Uint8Array(bytes.length);
	inflater.fill(output, bytes.length);
	expect(Buffer.from(output)).toEqual(bytes);
});

test.each([
	["another first byte", 0, 0x1e],
	["another second byte", 1, 0x8c],
	["another method than deflate", 2, 9],
	["a reserved flag", 3, 0x20],
])("a gzip header with %s is refused", (_, offset, value) => {
	const stream = gzipSync("x");
	stream[offset] = value;
	expect(new Inflater(source(stream)).gzipHeader()).toBe(false);
});
