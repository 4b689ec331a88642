import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import {
	AppSubtype,
	DataSubtype,
	decodeEntry,
	ENTRY_LENGTH,
	encodeEntry,
	type Partition,
	PartitionType,
	TABLE_LENGTH,
} from "../../ota/slots/partition-table";
import { TableReader } from "../../ota/slots/table-reader";
import { encodeTable } from "../../tools/partitions/binary";
import { installGlobals } from "../shims/globals";
import { partition, TWO_SLOTS } from "./slots-bench";
import { codeOf } from "./updater-bench";

const CHIP = 0x400000;

beforeAll(installGlobals);

function reader(bytes: Uint8Array, chip = CHIP): TableReader {
	return new TableReader(
		{ read: (buffer, byteOffset) => buffer.set(bytes.subarray(byteOffset, byteOffset + buffer.length)) },
		chip,
	);
}

const fault = (table: readonly Partition[], chip = CHIP) => codeOf(() => reader(encodeTable(table), chip));
const app = (offset: number, size: number) =>
	partition("app", PartitionType.APP, AppSubtype.FACTORY, offset, size);

const entry: fc.Arbitrary<Partition> = fc.record({
	type: fc.nat(0xff),
	subtype: fc.nat(0xff),
	offset: fc.nat(0xffffffff),
	size: fc.nat(0xffffffff),
	label: fc.string({
		unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
		maxLength: 16,
	}),
	flags: fc.nat(0xffffffff),
});

test("property: an entry is read as it was written", () => {
	fc.assert(
		fc.property(entry, (written) => {
			const view = new DataView(new ArrayBuffer(ENTRY_LENGTH));
			encodeEntry(view, 0, written);
			expect(decodeEntry(view, 0)).toEqual(written);
		}),
	);
});

test("an entry has the bytes that Espressif's generator makes", () => {
	const bytes = new Uint8Array(ENTRY_LENGTH);
	encodeEntry(new DataView(bytes.buffer), 0, TWO_SLOTS[3] ?? app(0, 0));
	expect(Buffer.from(bytes).toString("hex")).toBe(
		`aa500010${"00000100"}${"00000f00"}${"6f74615f30"}${"00".repeat(11)}${"00000000"}`,
	);
});

describe("a table", () => {
	test("gives its partitions, and counts its slots up to the first gap", () => {
		const table = reader(encodeTable(TWO_SLOTS));
		expect([table.count, table.slots]).toEqual([6, 2]);
		expect(table.at(1)).toMatchObject({ label: "otadata", offset: 0xd000 });
		expect(table.find(PartitionType.DATA, DataSubtype.SPIFFS)?.label).toBe("storage");
		expect(table.slot(1)?.label).toBe("ota_1");
		expect(table.slot(2)).toBeUndefined();
		const gap = TWO_SLOTS.map((one) => (one.label === "ota_1" ? { ...one, subtype: 0x12 } : one));
		expect(reader(encodeTable(gap)).slots).toBe(1);
	});

	test("needs no MD5", () => {
		expect(reader(encodeTable(TWO_SLOTS, { md5: false })).count).toBe(6);
	});

	test("of as many partitions as there is room for is read, one more has no end", () => {
		const most = Array.from({ length: 95 }, (_, i) =>
			partition(`p${i}`, i === 0 ? 0 : 1, 0, 0x9000 + i * 0x1000, 0x1000),
		);
		expect(reader(encodeTable(most, { md5: false })).count).toBe(95);
		const full = new Uint8Array(TABLE_LENGTH);
		for (let at = 0; at < TABLE_LENGTH; at += ENTRY_LENGTH) {
			encodeEntry(new DataView(full.buffer), at, app(0x9000 + at * 0x80, 0x1000));
		}
		expect(codeOf(() => reader(full))).toBe(ErrorCode.TABLE_MAGIC);
	});

	test.each([
		["erased", () => new Uint8Array(TABLE_LENGTH).fill(0xff)],
		["zeros", () => new Uint8Array(TABLE_LENGTH)],
		["with another byte in a magic", () => encodeTable(TWO_SLOTS).with(ENTRY_LENGTH, 0xab)],
		[
			"with something behind its MD5",
			() =>
				encodeTable(TWO_SLOTS)
					.with(7 * ENTRY_LENGTH, 0xaa)
					.with(7 * ENTRY_LENGTH + 1, 0x50),
		],
	])("that is %s has a bad magic", (_name, bytes) => {
		expect(codeOf(() => reader(bytes()))).toBe(ErrorCode.TABLE_MAGIC);
	});

	test("property: one bit flipped in what the MD5 covers, or in the MD5, is found", () => {
		const whole = encodeTable(TWO_SLOTS);
		fc.assert(
			fc.property(fc.nat(7 * ENTRY_LENGTH - 1), fc.nat(7), (at, bit) => {
				fc.pre(at < 6 * ENTRY_LENGTH || at >= 6 * ENTRY_LENGTH + 16);
				const code = codeOf(() => reader(whole.with(at, (whole[at] ?? 0) ^ (1 << bit))));
				expect([ErrorCode.TABLE_MAGIC, ErrorCode.TABLE_MD5]).toContain(code);
			}),
		);
	});

	test.each([
		["beyond the chip by a sector", app(CHIP - 0x1000, 0x2000)],
		["at an offset that is on no sector", app(0x10010, 0x1000)],
		["of a size that is no sectors", app(0x10000, 0x1010)],
		["of no size", app(0x10000, 0)],
		["over the table", app(0x8000, 0x1000)],
		["whose end is beyond 32 bits", app(0xfffff000, 0x2000)],
	])("with a partition %s is outside", (_name, one) => {
		expect(fault([one])).toBe(ErrorCode.TABLE_OUTSIDE);
	});

	test("may end with the chip, and begin in the sector behind itself", () => {
		expect(fault([app(CHIP - 0x1000, 0x1000)])).toBeUndefined();
		expect(fault([app(0x9000, 0x1000)])).toBeUndefined();
	});

	test("with partitions that share a sector overlaps, with neighbours it does not", () => {
		const next = (offset: number) => partition("next", 1, 2, offset, 0x1000);
		expect(fault([app(0x10000, 0x2000), next(0x11000)])).toBe(ErrorCode.TABLE_OVERLAP);
		expect(fault([app(0x10000, 0x2000), next(0x10000)])).toBe(ErrorCode.TABLE_OVERLAP);
		expect(fault([app(0x10000, 0x2000), next(0x12000)])).toBeUndefined();
		expect(fault([app(0x10000, 0x2000), next(0xf000)])).toBeUndefined();
	});

	test("without an app has none to boot", () => {
		expect(fault(TWO_SLOTS.filter(({ type }) => type !== PartitionType.APP))).toBe(ErrorCode.TABLE_NO_APP);
	});
});
