/** The reader of gzips in our boot loader: machine code, model and node's zlib. */
import { crc32, deflateRawSync, gunzipSync, inflateRawSync, constants as zlib } from "node:zlib";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { SECTOR } from "../../ota/image";
import { applicationOf, firmware } from "../judge/images";
import { NO_PREVIOUS, STAGING } from "../judge/places";
import { Inflater } from "../virtual/inflate";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

const RUNNING = firmware({ seed: 1, length: 2 * SECTOR });
const { filesystem, filesystemEnd } = NO_PREVIOUS;
const REFUSED = "6";

/** Behind ten bytes with these flags: what they tell of, and the stream. */
function gzip(body: Uint8Array, output: Uint8Array, flags = 0, fields: readonly number[] = []): Uint8Array {
	const trailer = new Uint8Array(8);
	const view = new DataView(trailer.buffer);
	view.setUint32(0, crc32(output), true);
	view.setUint32(4, output.length, true);
	return Buffer.concat([Uint8Array.of(0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3, ...fields), body, trailer]);
}

/** What zlib makes of a stream that ends with its last byte; undefined where that is none. */
function inflated(body: Uint8Array): Uint8Array | undefined {
	try {
		const { buffer, engine } = inflateRawSync(body, { info: true }) as unknown as {
			buffer: Buffer;
			engine: { bytesWritten: number };
		};
		return engine.bytesWritten === body.length ? buffer : undefined;
	} catch {
		return undefined;
	}
}

/** What the decoder in eboot makes of anything: it takes codes that zlib does not. */
function taken(body: Uint8Array): Uint8Array {
	let at = 0;
	const output = new Uint8Array(8 * SECTOR);
	const inflater = new Inflater(() => body[at++] ?? 0);
	let length = 0;
	while (length < output.length && inflater.fill(output.subarray(length), 1) === "filled") length++;
	return output.subarray(0, length);
}

/** Packs bits, the first into the lowest place. */
function pack(bits: string): Uint8Array {
	const bytes = new Uint8Array(Math.ceil(bits.length / 8));
	for (let i = 0; i < bits.length; i++) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (Number(bits[i]) << (i & 7));
	return bytes;
}
/** A number as it lies in the stream: its lowest bit first. */
const low = (value: number, count: number) =>
	Array.from({ length: count }, (_, bit) => (value >> bit) & 1).join("");

const strategies = [
	{ level: 0 },
	{ strategy: zlib.Z_FIXED },
	{ level: 9 },
	{ level: 1 },
	{ strategy: zlib.Z_RLE },
	{ strategy: zlib.Z_HUFFMAN_ONLY },
];
/** Data with repetitions, so that there are matches near and far. */
const parts = (count: number, times: number) =>
	fc
		.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: times })), {
			maxLength: count,
		})
		.map((all) => Buffer.concat(all.map(([bytes, repeat]) => Buffer.concat(Array(repeat).fill(bytes)))));
const stream = (count: number, times: number) =>
	fc
		.tuple(parts(count, times), fc.constantFrom(...strategies))
		.map(([data, how]) => deflateRawSync(data, how));

withCompiler("a gzip, by the boot loader's machine code and by its model", () => {
	const bench = new JudgeBench();
	const { judged, board } = bench;

	/** The number behind `cp:`, where it is staged for the filesystem's place. */
	function install(staged: Uint8Array): string | undefined {
		judged.erase(filesystem, filesystemEnd - filesystem);
		judged.erase(STAGING, filesystem - STAGING);
		judged.put(STAGING, staged);
		judged.command(STAGING, filesystem, staged.length);
		expect(judged.start()).toBe("application");
		return /@cp:(\d+)/.exec(board.uart)?.[1];
	}
	const holds = (data: Uint8Array) =>
		Buffer.compare(board.cells.subarray(filesystem, filesystem + data.length), data) === 0;

	beforeEach(() => {
		bench.insert(NO_PREVIOUS);
		judged.put(SECTOR, applicationOf(RUNNING));
	});

	test("property: what zlib deflates comes out as it went in", () => {
		fc.assert(
			fc.property(parts(12, 200), fc.constantFrom(...strategies), (data, how) => {
				const body = deflateRawSync(data, how);
				fc.pre(data.length <= filesystemEnd - filesystem && body.length < filesystem - STAGING - 18);
				expect(install(gzip(body, data))).toBe("0");
				expect(holds(data)).toBe(true);
			}),
			{ numRuns: 60 },
		);
	});

	test("property: what zlib takes of a stream with other bytes is taken, with a trailer that tells of it", () => {
		const tally = { taken: 0, refused: 0 };
		const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
		fc.assert(
			fc.property(stream(4, 20), changes, (body, given) => {
				for (const [at, byte] of given) body[at % Math.min(body.length, 120)] = byte;
				const output = inflated(body);
				const told = install(gzip(body, output ?? taken(body)));
				tally[told === "0" ? "taken" : "refused"] += 1;
				if (output) expect([told, holds(output)]).toEqual(["0", true]);
				else expect(told).toMatch(/^(0|6)$/);
			}),
			{ numRuns: 500 },
		);
		expect(tally.taken).toBeGreaterThan(10);
		expect(tally.refused).toBeGreaterThan(100);
	});

	test("property: a file that is damaged anywhere is taken where zlib takes it", () => {
		const change = fc.tuple(fc.nat(), fc.nat(7));
		fc.assert(
			fc.property(parts(4, 20), change, (data, [at, bit]) => {
				const file = gzip(deflateRawSync(data), data);
				const index = at % file.length;
				file[index] = (file[index] ?? 0) ^ (1 << bit);
				let output: Buffer | undefined;
				try {
					output = gunzipSync(file);
				} catch {
					output = undefined;
				}
				// Without its first two bytes it is no gzip, and copied as it is.
				if (index < 2) output = Buffer.from(file);
				const told = install(file);
				if (output) expect([told, holds(output)]).toEqual(["0", true]);
				else expect(told).toMatch(/^(5|6|12)$/);
			}),
			{ numRuns: 200 },
		);
	});

	const text = Buffer.from("content behind the header");
	const body = deflateRawSync(text);

	test.each([
		["a plain header", 0, []],
		["the flag of a text", 1, []],
		["extra data", 4, [2, 0, 0xaa, 0xbb]],
		["extra data of none", 4, [0, 0]],
		["a file name", 8, [0x61, 0x62, 0]],
		["a comment", 16, [0x61, 0]],
		["a checksum of the header", 2, [0xcc, 0xdd]],
		["everything", 31, [1, 0, 0xaa, 0x61, 0, 0x62, 0, 0xcc, 0xdd]],
	])("%s is read over", (_, flags, fields) => {
		expect(install(gzip(body, text, flags, fields))).toBe("0");
		expect(holds(text)).toBe(true);
	});

	test.each([
		["another method than deflate", 2, 9, "5"],
		["a reserved flag", 3, 0x20, "5"],
		["a name that never ends", 3, 8, "5"],
		["extra data beyond its end", 3, 4, "5"],
	])("%s in the header is refused", (_, at, byte, code) => {
		// Of ones and no zeros, so that no text ends.
		const file = gzip(new Uint8Array(200).fill(0xff), text);
		file[at] = byte;
		expect(install(file)).toBe(code);
	});

	/** A dynamic block with these lengths of the code length codes (their order is the format's), and what comes then. */
	const dynamic = (literals: number, distances: number, orders: readonly number[], then: string) =>
		`101${low(literals - 257, 5)}${low(distances - 1, 5)}${low(orders.length - 4, 4)}${orders
			.map((length) => low(length, 3))
			.join("")}${then}`;
	/** Code lengths of 0, 1 and 18, which are 10, 11 and 0. */
	const lengths = [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
	const zeros = (count: number) => `0${low(count - 11, 7)}`;
	const long = (count: number) => `11${low(count - 11, 7)}`;

	describe.each([
		["a block of the type that there is not", "111", ""],
		[
			"a stored block whose length and complement disagree",
			`100${"0".repeat(5)}${low(5, 16)}${low(5, 16)}`,
			"",
		],
		["a match before the start", "1100000001000000000000", "\0\0\0"],
		["a length that there is not", `110${"00110000"}11000110${"00000"}0000000`, "\0".repeat(259)],
		// From 32,769 bytes back: more than a window, and fewer than came.
		[
			"a distance that there is not",
			`110${"00110000"}${"1100010100000".repeat(128)}0000001${"11110"}${"0".repeat(14)}0000000`,
			"\0".repeat(1 + 128 * 258 + 3),
		],
		["no block that is the last", "010" + "0000000", ""],
		["code lengths that are too many for a code", dynamic(257, 1, [1, 1, 1, 0], ""), ""],
		["code lengths that leave codes unused", dynamic(257, 1, [2, 2, 0, 0], ""), ""],
		// Codes 0, 1, 16 and 18 are 00, 01, 10 and 11. But for its first symbol it is a block without a byte.
		[
			"a repetition of nothing",
			dynamic(257, 1, [2, 0, 2, ...lengths.slice(3)], `1000${long(138)}${long(115)}01010`),
			"",
		],
		["a repetition beyond the end", dynamic(257, 1, lengths, zeros(138) + zeros(138)), ""],
		["no code for the end", dynamic(257, 1, lengths, `11${zeros(138)}${zeros(117)}1010`), ""],
	])("%s", (_, bits, output) => {
		test("is refused", () => {
			expect(install(gzip(pack(bits), Buffer.from(output)))).toBe(REFUSED);
		});
	});

	test("a code of one symbol is taken, and what is no code of it refused", () => {
		// The end of the block is 0; 1 is nothing.
		const codes = dynamic(257, 1, lengths, `${zeros(138)}${zeros(118)}1110`);
		expect(install(gzip(pack(`${codes}0`), new Uint8Array()))).toBe("0");
		expect(install(gzip(pack(`${codes}1${"0".repeat(20)}`), new Uint8Array()))).toBe(REFUSED);
	});

	test.each([
		["a byte between stream and trailer", Buffer.concat([body, Uint8Array.of(0)])],
		["a stream without its last byte", body.subarray(0, -1)],
	])("%s is refused", (_, wrong) => {
		expect(install(gzip(wrong, text))).toBe(REFUSED);
	});
});
