import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	decodeRecord,
	encodeRecord,
	nextSequence,
	OtaState,
	RECORD_LENGTH,
	sequenceCRC,
} from "../../ota/slots/otadata-record";

const bytesOf = (record: Parameters<typeof encodeRecord>[1]) => {
	const bytes = new Uint8Array(RECORD_LENGTH);
	encodeRecord(new DataView(bytes.buffer), record);
	return bytes;
};
const decode = (bytes: Uint8Array) => decodeRecord(new DataView(bytes.buffer, bytes.byteOffset));

test.each([
	[1, 0x4743989a],
	[2, 0x55f63774],
])("sequence %i has the CRC that Python's binascii gives it", (sequence, crc) => {
	expect(sequenceCRC(sequence)).toBe(crc);
});

test("a record has the bytes of Espressif's otatool", () => {
	const hex = (state: number) => Buffer.from(bytesOf({ sequence: 1, state, started: false })).toString("hex");
	expect(hex(OtaState.UNDEFINED)).toBe(`01000000${"ff".repeat(24)}9a984347`);
	expect(hex(OtaState.VALID)).toBe(`01000000${"ff".repeat(20)}020000009a984347`);
});

const record = fc.record({
	sequence: fc.nat(0xfffffffe),
	state: fc.constantFrom(...Object.values(OtaState)),
	started: fc.boolean(),
});

test("property: a record is read as it was written", () => {
	fc.assert(
		fc.property(record, (written) => {
			expect(decode(bytesOf(written))).toEqual(written);
		}),
	);
});

test("property: a bit flipped in the sequence or its CRC makes it none", () => {
	fc.assert(
		fc.property(record, fc.constantFrom(0, 1, 2, 3, 28, 29, 30, 31), fc.nat(7), (written, at, bit) => {
			const bytes = bytesOf(written);
			expect(decode(bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit)))).toBeUndefined();
		}),
	);
});

test("erased flash, and zeros, are no record", () => {
	expect(decode(new Uint8Array(RECORD_LENGTH).fill(0xff))).toBeUndefined();
	expect(decode(new Uint8Array(RECORD_LENGTH))).toBeUndefined();
});

describe("the next sequence", () => {
	test.each([
		[0, 0, 2, 1],
		[0, 1, 2, 2],
		[1, 1, 2, 2],
		[1, 0, 2, 3],
		[5, 2, 3, 6],
		[6, 2, 3, 9],
	])("above %i for slot %i of %i is %i", (present, slot, slots, next) => {
		expect(nextSequence(present, slot, slots)).toBe(next);
	});

	test("property: is the smallest one above the present that means the slot", () => {
		fc.assert(
			fc.property(
				fc.nat(0x7fffffff),
				fc.integer({ min: 1, max: 16 }),
				fc.nat(15),
				(present, slots, number) => {
					const slot = number % slots;
					const next = nextSequence(present, slot, slots);
					expect((next - 1) % slots).toBe(slot);
					expect(next - present).toBeGreaterThanOrEqual(1);
					expect(next - present).toBeLessThanOrEqual(slots);
				},
			),
		);
	});
});
