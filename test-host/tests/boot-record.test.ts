import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CONFIG_LENGTH, decodeConfig } from "../../ota/boot-record/config";
import { flashCRC } from "../../ota/boot-record/flash-crc";
import {
	decodeHeader,
	encodeHeader,
	HEADER_LENGTH,
	RecordFlag,
	type RecordHeader,
	RecordState,
} from "../../ota/boot-record/header";
import { BootRecord } from "../../ota/boot-record/record";
import { ErrorCode } from "../../ota/errors";
import { PLACES } from "../judge/places";
import board from "../shims/board";
import { Noise } from "../virtual/noise";
import { OwnBench, ownFirmware } from "./own-bench";
import { codeOf } from "./updater-bench";

const viewOf = (hex: string) => new DataView(new Uint8Array(Buffer.from(hex, "hex")).buffer);
const word = fc.nat(0xffffffff);
const header = fc.record<RecordHeader>({
	sequence: word,
	flags: word,
	source: word,
	destination: word,
	size: word,
	length: word,
	crc: word,
	starts: word,
});

const HEADER: RecordHeader = {
	sequence: 7,
	flags: RecordFlag.TRIAL,
	source: 0x180000,
	destination: 0,
	size: 5000,
	length: 5000,
	crc: 0x9a58604f,
	starts: 1,
};

/** HEADER, made by Python. */
const HEADER_HEX =
	"4f54414901000000070000000100000000001800000000008813000088130000" +
	"4f60589a0100000000000000000000000000000000000000000000000bea4823";
/** A configuration, made by Python. */
const CONFIG_HEX =
	"4f544142010000000000400000a03f0000001000004010000020200000003000" + "00a03f0000201000b80b000078563412";

describe("the header of our boot loader's record", () => {
	test("is, of an update whose bytes are 0, 7, 14 and so on, what Python's struct and binascii make of it", () => {
		const view = new DataView(new Uint8Array(HEADER_LENGTH).fill(0xff).buffer);
		encodeHeader(view, HEADER);
		expect(Buffer.from(view.buffer).toString("hex")).toBe(HEADER_HEX);
	});

	test("property: comes back", () => {
		fc.assert(
			fc.property(header, (given) => {
				const view = new DataView(new ArrayBuffer(HEADER_LENGTH));
				encodeHeader(view, given);
				expect(decodeHeader(view)).toEqual(given);
			}),
		);
	});

	test("property: is none with any bit changed", () => {
		fc.assert(
			fc.property(header, fc.nat(8 * HEADER_LENGTH - 1), (given, bit) => {
				const view = new DataView(new ArrayBuffer(HEADER_LENGTH));
				encodeHeader(view, given);
				view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7)));
				expect(decodeHeader(view)).toBeUndefined();
			}),
		);
	});

	test("is none in erased flash", () => {
		expect(decodeHeader(new DataView(new Uint8Array(HEADER_LENGTH).fill(0xff).buffer))).toBeUndefined();
	});
});

describe("the configuration of our boot loader", () => {
	test("is read, as Python's struct makes it", () => {
		expect(decodeConfig(viewOf(CONFIG_HEX))).toEqual({
			flashSize: 0x400000,
			record: 0x3fa000,
			applicationEnd: 0x100000,
			previous: 0x104000,
			previousEnd: 0x202000,
			filesystem: 0x300000,
			filesystemEnd: 0x3fa000,
			stages: 0x102000,
		});
	});

	test.each([
		["another magic", 0],
		["another version", 4],
	])("is none with %s", (_what, at) => {
		const view = viewOf(CONFIG_HEX);
		expect(view.byteLength).toBe(CONFIG_LENGTH);
		view.setUint8(at, view.getUint8(at) ^ 2);
		expect(decodeConfig(view)).toBeUndefined();
	});
});

describe("the CRC of what lies in flash", () => {
	test("is zlib's, at any place and of any length", () => {
		const bench = new OwnBench();
		bench.insert(ownFirmware("old", 8192));
		const noise = new Noise(9).fill(new Uint8Array(0x4000));
		bench.judged.put(0x20000, noise);
		for (const [offset, length] of [
			[0, 0],
			[0, 1],
			[1, 1023],
			[0, 1024],
			[3, 1025],
			[1000, 9001],
		] as const) {
			expect(flashCRC(board, "storage", 0x20000 + offset, length)).toBe(
				crc32(noise.subarray(offset, offset + length)),
			);
		}
		expect(crc32("123456789")).toBe(0xcbf43926);
	});

	test("beyond its partition is none", () => {
		const bench = new OwnBench();
		bench.insert(ownFirmware("old", 8192));
		expect(codeOf(() => flashCRC(board, "storage", 0x3f000, 0x1001))).toBe(ErrorCode.READ);
	});
});

describe("the record in flash", () => {
	function written(): [OwnBench, BootRecord] {
		const bench = new OwnBench();
		bench.insert(ownFirmware("old", 8192));
		const record = new BootRecord();
		record.erase();
		record.write(HEADER);
		return [bench, record];
	}
	const states = Object.values(RecordState);

	test("is none in erased flash, and has no state then", () => {
		const bench = new OwnBench();
		bench.insert(ownFirmware("old", 8192));
		bench.set(...states);
		const { record } = bench;
		expect([record.header, record.isUntouched, record.isTrial]).toEqual([undefined, false, false]);
		for (const state of states) expect(record.is(state)).toBe(false);
	});

	test("has its header twice: either is enough", () => {
		const [bench] = written();
		bench.judged.cells[PLACES.record + 9] = 0x55;
		expect(bench.record.header).toEqual(HEADER);
		bench.judged.cells[PLACES.record + HEADER_LENGTH + 20] = 0x55;
		expect(bench.record.header).toBeUndefined();
	});

	test("takes each state without an erase, once", () => {
		const [bench, record] = written();
		for (const state of states) {
			expect(record.is(state)).toBe(false);
			const { operations } = bench.judged;
			record.set(state);
			record.set(state);
			expect(bench.judged.operations).toBe(operations + 1);
			expect(bench.record.is(state)).toBe(true);
		}
		expect(bench.record.header).toEqual(HEADER);
	});

	test.each([
		[0xffff0000, false],
		[0xfffe0000, true],
		[0x7fff0000, true],
		[0, true],
		[0xffffffff, false],
	])("counts a torn word by most of its bits: %i is set, %s", (value, isSet) => {
		const [bench] = written();
		new DataView(bench.judged.cells.buffer).setUint32(PLACES.record + RecordState.KEPT, value, true);
		expect(bench.record.is(RecordState.KEPT)).toBe(isSet);
	});

	test("says what the flash does not take", () => {
		const [bench, record] = written();
		const fails = (kind: "fail" | "ignored", act: () => void) => {
			bench.judged.arm(0, kind);
			const code = codeOf(act);
			bench.judged.control.disarm();
			return code;
		};
		expect(fails("fail", () => record.set(RecordState.KEPT))).toBe(ErrorCode.WRITE);
		expect(fails("ignored", () => record.set(RecordState.KEPT))).toBe(ErrorCode.WRITE);
		expect(fails("fail", () => record.erase())).toBe(ErrorCode.ERASE);
		record.erase();
		expect(fails("fail", () => record.write(HEADER))).toBe(ErrorCode.WRITE);
		record.erase();
		expect(fails("ignored", () => record.write(HEADER))).toBe(ErrorCode.WRITE);
	});

	test("knows what is kept inverted, too, only where both agree", () => {
		const [bench, record] = written();
		expect([record.before, record.resultCRC]).toEqual([undefined, HEADER.crc]);
		const view = new DataView(bench.judged.cells.buffer, PLACES.record);
		view.setUint32(0xc0, 8192, true);
		view.setUint32(0xc4, 0x80000001, true);
		view.setUint32(0xc8, ~8192, true);
		view.setUint32(0xcc, ~0x80000001, true);
		expect(bench.record.before).toEqual({ length: 8192, crc: 0x80000001 });
		view.setUint32(0xcc, 5, true);
		expect(bench.record.before).toBeUndefined();
		// Of a gzip the boot loader tells it.
		const gzip = bench.record;
		gzip.header = { ...HEADER, flags: RecordFlag.CRC_UNKNOWN | RecordFlag.GZIP, crc: 0 };
		expect(gzip.resultCRC).toBeUndefined();
	});
});
