import { describe, expect, test } from "vitest";
import { COMMAND_LENGTH, decodeCommand, encodeCommand } from "../../ota/eboot";
import board from "../shims/board";
import { buildFirmware } from "../virtual/image-builder";
import { chipForTest, Restart } from "./shim-bench";
import { put } from "./temporary-flash";

const firmware = (flashMode: number, flashSize: number) =>
	buildFirmware({ script: "", name: "test", version: "1", flashMode, flashSize });

describe("what the board is", () => {
	test("its chip id is the lower half of the MAC address", () => {
		chipForTest({ mac: Uint8Array.of(1, 2, 3, 0x0a, 0xbc, 0xde) });
		expect(board.chipId).toBe(0x0abcde);
		chipForTest({ mac: Uint8Array.of(1, 2, 3, 0xff, 0xff, 0xff) });
		expect(board.chipId).toBe(0xffffff);
	});

	test("its MAC addresses are the chip's, the access point's one locally administered", () => {
		chipForTest({ mac: Uint8Array.of(0x18, 0xfe, 3, 0x0a, 0xbc, 0xde) });
		expect(board.stationMAC).toBe("18:FE:03:0A:BC:DE");
		expect(board.accessPointMAC).toBe("1A:FE:03:0A:BC:DE");
	});

	test("it has memory left, and an SDK of some version", () => {
		expect(board.freeHeap).toBeGreaterThan(0);
		expect(board.sdkVersion).toMatch(/^\d+\.\d+\.\d+/);
	});

	test("its flash size is the chip's, whatever the header says", () => {
		put(chipForTest({}, 0x200000).flash, 0, firmware(2, 4));
		expect([board.flashSize, board.configuredFlashSize]).toEqual([0x200000, 0x400000]);
	});

	test.each([
		[0, 0x80000],
		[2, 0x100000],
		[4, 0x400000],
		[9, 0x1000000],
	])("the size nibble %i of the header at flash 0 is %i bytes", (nibble, size) => {
		put(chipForTest().flash, 0, firmware(2, nibble));
		expect(board.configuredFlashSize).toBe(size);
	});

	test.each([0, 1, 2, 3])("flash mode %i is the one of the header at flash 0", (mode) => {
		put(chipForTest().flash, 0, firmware(mode, 4));
		expect(board.flashMode).toBe(mode);
	});

	test("strapping and reset reason are the chip's", () => {
		chipForTest({ bootMode: 1, resetReason: "watchdog" });
		expect([board.bootMode, board.resetReason]).toEqual([1, "watchdog"]);
	});

	test("random fills all bytes, differently each time", () => {
		const [one, two] = [new Uint8Array(64), new Uint8Array(64)];
		board.random(one);
		board.random(two);
		expect(one).not.toEqual(two);
		expect(new Set(one).size).toBeGreaterThan(16);
	});

	test("random fills a view and nothing beside it", () => {
		const bytes = new Uint8Array(64);
		board.random(bytes.subarray(8, 56));
		expect([...bytes.subarray(0, 8), ...bytes.subarray(56)].every((byte) => byte === 0)).toBe(true);
	});
});

describe("RTC memory", () => {
	test("what was written is read, and is the chip's own", () => {
		const { rtc } = chipForTest();
		board.writeRTC(Uint8Array.of(1, 2, 3, 4), 508);
		const [own, chips] = [new Uint8Array(4), new Uint8Array(4)];
		board.readRTC(own, 508);
		rtc.read(508, chips);
		expect([...own, ...chips]).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
	});

	test.each([
		[130, 4],
		[128, 3],
		[512, 4],
		[508, 8],
	])("offset %i with %i bytes is a RangeError: words inside the memory only", (offset, length) => {
		chipForTest();
		expect(() => board.readRTC(new Uint8Array(length), offset)).toThrow(RangeError);
		expect(() => board.writeRTC(new Uint8Array(length), offset)).toThrow(RangeError);
	});

	test.each([0, 124, -4])("writing at %i, in the boot loader's part, is refused", (offset) => {
		const { rtc } = chipForTest();
		const before = new Uint8Array(rtc.buffer).slice();
		expect(() => board.writeRTC(new Uint8Array(4), offset)).toThrow(RangeError);
		expect(new Uint8Array(rtc.buffer).slice()).toEqual(before);
	});

	test("the boot loader's part can be read", () => {
		chipForTest().rtc.write(0, Uint8Array.of(1, 2, 3, 4));
		const bytes = new Uint8Array(4);
		board.readRTC(bytes, 0);
		expect([...bytes]).toEqual([1, 2, 3, 4]);
	});

	test("the first word behind the boot loader's part can be written", () => {
		chipForTest();
		board.writeRTC(new Uint8Array(4), COMMAND_LENGTH);
	});
});

describe("restarting", () => {
	test("handOver writes the command for the boot loader and restarts", () => {
		const { rtc } = chipForTest();
		const command = new Uint8Array(COMMAND_LENGTH);
		encodeCommand(command, { action: 1, source: 0x80000, destination: 0, size: 5000 });
		expect(() => board.handOver(command)).toThrow(Restart);
		const written = new Uint8Array(COMMAND_LENGTH);
		rtc.read(0, written);
		expect(written).toEqual(command);
		expect(decodeCommand(written)).toMatchObject({ source: 0x80000, size: 5000 });
	});

	test("handOver touches nothing behind the boot loader's part", () => {
		const { rtc } = chipForTest();
		const before = new Uint8Array(rtc.buffer).slice(COMMAND_LENGTH);
		expect(() => board.handOver(new Uint8Array(COMMAND_LENGTH))).toThrow(Restart);
		expect(new Uint8Array(rtc.buffer).slice(COMMAND_LENGTH)).toEqual(before);
	});

	test.each([COMMAND_LENGTH - 4, COMMAND_LENGTH + 4])(
		"a command of %i bytes is refused, without a restart",
		(length) => {
			const { rtc } = chipForTest();
			const before = new Uint8Array(rtc.buffer).slice();
			expect(() => board.handOver(new Uint8Array(length))).toThrow(RangeError);
			expect(new Uint8Array(rtc.buffer).slice()).toEqual(before);
		},
	);

	test("restart restarts", () => {
		chipForTest();
		expect(() => board.restart()).toThrow(Restart);
	});
});
