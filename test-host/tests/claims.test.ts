import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	BOARD_LENGTH,
	CLAIMS_LENGTH,
	type Claims,
	findGzipClaims,
	isBoardID,
	readClaims,
	writeClaims,
} from "../../ota/claims";
import { crc32 } from "../../ota/eboot";

const lamp: Claims = { versionCounter: 7, flashSize: 0x400000, board: "lamp" };

function written(claims: Claims, offset = 0, room = offset + CLAIMS_LENGTH): DataView {
	const view = new DataView(new ArrayBuffer(room));
	writeClaims(view, offset, claims);
	return view;
}

/** The block with a CRC that is right again after `change`. */
function changed(change: (view: DataView) => void): DataView {
	const view = written(lamp);
	change(view);
	view.setUint32(60, crc32(new Uint8Array(view.buffer, 0, 60)), true);
	return view;
}

const claims = fc.record(
	{
		versionCounter: fc.integer({ min: 0, max: 0xffffffff }),
		flashSize: fc.integer({ min: 0, max: 0xffffffff }),
		board: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: BOARD_LENGTH }),
	},
	{ requiredKeys: [] },
);

describe("the block of claims", () => {
	test("is laid out as SPEC.md draws it", () => {
		const hex = Buffer.from(written(lamp).buffer).toString("hex");
		const zeros = "0".repeat(80);
		expect(hex).toBe(`${"4f544143" + "01070000" + "07000000" + "00004000" + "6c616d70"}${zeros}7f516a83`);
	});

	test("property: what is claimed comes back, and nothing else", () => {
		fc.assert(
			fc.property(claims, fc.nat(9), (given, offset) => {
				expect(readClaims(written(given, offset, 80), offset)).toEqual(given);
			}),
		);
	});

	test("claims what is 0", () => {
		expect(readClaims(written({ versionCounter: 0, flashSize: 0 }), 0)).toEqual({
			versionCounter: 0,
			flashSize: 0,
		});
	});

	test("with no claims is a block too", () => {
		expect(readClaims(written({}), 0)).toEqual({});
	});

	test("with any bit flipped is none", () => {
		const view = written(lamp);
		for (let bit = 0; bit < 8 * CLAIMS_LENGTH; bit++) {
			view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7)));
			expect(readClaims(view, 0), `bit ${bit}`).toBeUndefined();
			view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7)));
		}
		expect(readClaims(view, 0)).toEqual(lamp);
	});

	test("property: with two bytes changed it is none", () => {
		const byte = fc.tuple(fc.nat(CLAIMS_LENGTH - 1), fc.integer({ min: 1, max: 255 }));
		fc.assert(
			fc.property(claims, byte, byte, (given, [at, mask], [otherAt, otherMask]) => {
				fc.pre(at !== otherAt);
				const view = written(given);
				view.setUint8(at, view.getUint8(at) ^ mask);
				view.setUint8(otherAt, view.getUint8(otherAt) ^ otherMask);
				expect(readClaims(view, 0)).toBeUndefined();
			}),
		);
	});

	test("of version 2 is none, though its CRC is right", () => {
		expect(
			readClaims(
				changed((view) => view.setUint8(4, 2)),
				0,
			),
		).toBeUndefined();
	});

	test("may have more claims, which this version passes over", () => {
		const more = changed((view) => {
			view.setUint8(5, 0xff);
			view.setUint8(50, 1);
		});
		expect(readClaims(more, 0)).toEqual(lamp);
	});

	test("is none where not all of it is in the view", () => {
		const { buffer } = written(lamp);
		expect(readClaims(new DataView(buffer, 0, CLAIMS_LENGTH - 1), 0)).toBeUndefined();
		expect(readClaims(new DataView(buffer), 1)).toBeUndefined();
		expect(readClaims(new DataView(buffer), -1)).toBeUndefined();
	});

	test("is none in erased flash, and in zeros", () => {
		expect(readClaims(new DataView(new Uint8Array(64).fill(0xff).buffer), 0)).toBeUndefined();
		expect(readClaims(new DataView(new ArrayBuffer(64)), 0)).toBeUndefined();
	});

	test("clears what lay there, and leaves its neighbours alone", () => {
		const bytes = new Uint8Array(CLAIMS_LENGTH + 2).fill(0x5a);
		writeClaims(new DataView(bytes.buffer), 1, lamp);
		expect([bytes[0], bytes[CLAIMS_LENGTH + 1]]).toEqual([0x5a, 0x5a]);
		expect(bytes.subarray(1, 1 + CLAIMS_LENGTH)).toEqual(new Uint8Array(written(lamp).buffer));
	});

	test.each([
		[{ versionCounter: -1 }],
		[{ versionCounter: 1.5 }],
		[{ versionCounter: 0x100000000 }],
		[{ flashSize: Number.NaN }],
		[{ board: "" }],
		[{ board: "n".repeat(BOARD_LENGTH + 1) }],
		[{ board: "lämp" }],
		[{ board: "a\nb" }],
	])("cannot hold %j", (given) => {
		expect(() => written(given)).toThrow(RangeError);
	});

	test("holds a board's id as long as its field", () => {
		const board = "n".repeat(BOARD_LENGTH);
		expect(isBoardID(board)).toBe(true);
		expect(readClaims(written({ board }), 0)).toEqual({ board });
	});
});

describe("the claims of a gzip", () => {
	/** A header with these subfields: id, data. */
	function header(...fields: readonly [id: string, data: Uint8Array][]): DataView {
		const extra = fields.map(([id, data]) => {
			const length = Uint8Array.of(data.length & 255, data.length >> 8);
			return Buffer.concat([Buffer.from(id), length, data]);
		});
		const bytes = Buffer.concat(extra);
		const fixed = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 2, 255, bytes.length & 255, bytes.length >> 8];
		return new DataView(Uint8Array.from(Buffer.concat([Uint8Array.from(fixed), bytes])).buffer);
	}
	const block = new Uint8Array(written(lamp).buffer);

	test("lie at byte 16 where they are the only subfield", () => {
		const view = header(["OT", block]);
		expect(findGzipClaims(view)).toBe(16);
		expect(readClaims(view, 16)).toEqual(lamp);
	});

	test("lie behind the subfields of others", () => {
		const view = header(["AB", new Uint8Array(5)], ["CD", new Uint8Array(0)], ["OT", block]);
		expect(findGzipClaims(view)).toBe(16 + 9 + 4);
	});

	test.each([
		[44, 64],
		[45, undefined],
	])("are found up to byte 128: behind %i bytes of another at %s", (length, offset) => {
		expect(findGzipClaims(header(["AB", new Uint8Array(length)], ["OT", block]))).toBe(offset);
	});

	test("are none where another header begins, or one without subfields", () => {
		for (const [at, value] of [
			[0, 0x1e],
			[1, 0x8c],
			[3, 0],
		] as const) {
			const view = header(["OT", block]);
			view.setUint8(at, value);
			expect(findGzipClaims(view)).toBeUndefined();
		}
	});

	test("are none in a subfield of another length", () => {
		expect(findGzipClaims(header(["OT", block.subarray(1)]))).toBeUndefined();
		expect(findGzipClaims(header(["OT", new Uint8Array(65)]))).toBeUndefined();
	});

	test("are the first subfield of that name", () => {
		expect(findGzipClaims(header(["OT", new Uint8Array(1)], ["OT", block]))).toBeUndefined();
	});

	test("are none where the subfields end before the block", () => {
		const view = header(["OT", block]);
		view.setUint16(10, 67, true);
		expect(findGzipClaims(view)).toBeUndefined();
	});

	test("are none where the view ends, at any byte", () => {
		const { buffer } = header(["OT", block]);
		for (let length = 0; length < 80; length++) {
			expect(findGzipClaims(new DataView(buffer, 0, length))).toBeUndefined();
		}
		expect(findGzipClaims(new DataView(buffer, 0, 80))).toBe(16);
	});

	test("property: whatever the header is, they lie within what was given", () => {
		const tail = fc.uint8Array({ maxLength: 160 });
		fc.assert(
			fc.property(tail, (bytes) => {
				const view = new DataView(Uint8Array.from([0x1f, 0x8b, 8, 4, ...bytes]).buffer);
				const offset = findGzipClaims(view);
				expect(offset ?? 0).toBeLessThanOrEqual(Math.min(view.byteLength, 128));
			}),
		);
	});
});
