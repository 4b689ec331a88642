import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { COMMAND_LENGTH, decodeCommand } from "../../ota/eboot";
import { buildFirmware } from "../virtual/image-builder";
import { type NativeOptions, runNative, skipsXS, xsNote } from "./native-bench";

const RESTART = 100;
const HELPERS = `
	import board from "board";
	import { encodeCommand } from "ota/eboot";
	/* Lies in flash, as everything that a preloaded module has. */
	const inFlash = Uint8Array.from({ length: 128 }, (_, i) => i + 1);
	function read(offset, length) {
		const bytes = new Uint8Array(length);
		board.readRTC(bytes, offset);
		return [...bytes];
	}`;

const firmware = (flashMode = 2, flashSize = 4) =>
	buildFirmware({ script: "", name: "test", version: "1", flashMode, flashSize });

async function answersOf(scripts: Record<string, string>, options: NativeOptions = {}) {
	return runNative(scripts, { helpers: HELPERS, contents: [[0, firmware()]], ...options });
}

async function answerOf(script: string, options?: NativeOptions): Promise<unknown> {
	const { answers, uart } = await answersOf({ script }, options);
	return JSON.parse(answers.get("script") ?? JSON.stringify(uart));
}

describe.skipIf(skipsXS)(`the module board in C${xsNote}`, () => {
	test("tells the chip id and both MAC addresses", async () => {
		const told = await answerOf("[board.chipId, board.stationMAC, board.accessPointMAC]");
		expect(told).toEqual([0xabcdef, "18:FE:34:AB:CD:EF", "1A:FE:34:AB:CD:EF"]);
	});

	test.each([
		[0x80000, 4],
		[0x100000, 0],
		[0x1000000, 9],
	])("tells a flash of %i bytes, whatever the header's nibble %i says", async (size, nibble) => {
		const options = { size, contents: [[0, firmware(2, nibble)]] as const };
		expect(await answerOf("board.flashSize", options)).toBe(size);
	});

	test.each([
		[0, 0x80000],
		[1, 0x40000],
		[2, 0x100000],
		[3, 0x200000],
		[4, 0x400000],
		[5, 0x200000],
		[6, 0x400000],
		[7, 0],
		[8, 0x800000],
		[9, 0x1000000],
		[10, 0],
		[15, 0],
	])("tells the size nibble %i of the header as %i bytes", async (nibble, size) => {
		expect(await answerOf("board.configuredFlashSize", { contents: [[0, firmware(2, nibble)]] })).toBe(size);
	});

	test.each([0, 1, 2, 3])("tells the flash mode %i of the header", async (mode) => {
		expect(await answerOf("board.flashMode", { contents: [[0, firmware(mode)]] })).toBe(mode);
	});

	test.each([1, 3])("tells the strapping %i", async (bootMode) => {
		expect(await answerOf("board.bootMode", { bootMode })).toBe(bootMode);
	});

	test.each([
		"Power On",
		"Hardware Watchdog",
		"Exception",
		"Software Watchdog",
		"Software/System restart",
		"Deep-Sleep Wake",
		"External System",
	])("tells %s as the Arduino core does", async (resetReason) => {
		expect(await answerOf("board.resetReason", { resetReason })).toBe(resetReason);
	});

	test("tells any other reason as unknown", async () => {
		expect(await answerOf("board.resetReason", { resetReason: "?" })).toBe("Unknown");
	});

	test("tells free memory and the SDK's version", async () => {
		const [heap, version] = (await answerOf("[board.freeHeap, board.sdkVersion]")) as [number, string];
		expect(heap).toBeGreaterThan(0);
		expect(version).not.toBe("");
	});

	test("fills a view with random bytes, different ones each time, and nothing beside it", async () => {
		const bytes = (await answerOf(`
			const bytes = new Uint8Array(80);
			board.random(bytes.subarray(8, 40));
			board.random(bytes.subarray(40, 72));
			return [...bytes]`)) as number[];
		expect([...bytes.slice(0, 8), ...bytes.slice(72)]).toEqual(new Array(16).fill(0));
		expect(bytes.slice(8, 40)).not.toEqual(bytes.slice(40, 72));
		expect(new Set(bytes).size).toBeGreaterThan(32);
	});

	test("switches the LED", async () => {
		const { answers } = await answersOf({
			on: "board.led(true)",
			off: "board.led(false)",
			none: "board.led()",
		});
		expect([...answers.values()]).toEqual(["undefined", "undefined", "undefined"]);
	});

	test("computes the CRC-32 of a gzip, in pieces of any length, wherever they lie", async () => {
		const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * i);
		const { answers } = await answersOf({
			pieces: `
				const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * i);
				let crc = 0;
				for (let at = 0, length = 0; at < 1000; at += length++) crc = board.gzipCRC(bytes.subarray(at, at + length), crc);
				return crc`,
			whole: "board.gzipCRC(Uint8Array.from({ length: 1000 }, (_, i) => i * i), 0)",
			flash: "board.gzipCRC(inFlash, 0)",
			text: 'board.gzipCRC(new Uint8Array(ArrayBuffer.fromString("123456789")), 0)',
			nothing: "board.gzipCRC(new Uint8Array(0), 0xffffffff)",
			wrong: "board.gzipCRC([1], 0)",
			none: "board.gzipCRC(new Uint8Array(1))",
			negative: "board.gzipCRC(new Uint8Array(1), -1)",
			large: "board.gzipCRC(new Uint8Array(1), 2 ** 32)",
		});
		const inFlash = Uint8Array.from({ length: 128 }, (_, i) => i + 1);
		expect([...answers.values()]).toEqual([
			...[crc32(bytes), crc32(bytes), crc32(inFlash), 0xcbf43926, 0xffffffff].map(String),
			...["TypeError", "SyntaxError", "RangeError", "RangeError"],
		]);
	});

	test("is frozen", async () => {
		expect(await answerOf("Object.isFrozen(board)")).toBe(true);
	});
});

describe.skipIf(skipsXS)(`RTC memory in C${xsNote}`, () => {
	test("holds the words that were written, whatever they lie in", async () => {
		const { answers, rtc } = await answersOf({
			ends: `
				board.writeRTC(Uint8Array.of(1, 2, 3, 4), 128);
				board.writeRTC(new Uint8Array([0, 5, 6, 7, 8, 0]).subarray(1, 5), 508);
				board.writeRTC(inFlash.subarray(0, 8), 132);
				return [...read(128, 12), ...read(508, 4)]`,
			awkward: `
				const bytes = new Uint8Array(7);
				board.readRTC(bytes.subarray(3), 132);
				return [...bytes]`,
		});
		const written = [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8];
		expect(answers.get("ends")).toBe(JSON.stringify([...written, 5, 6, 7, 8]));
		expect(answers.get("awkward")).toBe("[0,0,0,1,2,3,4]");
		expect([...rtc.subarray(128, 140)]).toEqual(written);
	});

	test("can be read where it must not be written", async () => {
		expect(await answerOf("read(0, 128).length")).toBe(128);
	});

	test("refuses everything but words inside, and the boot loader's part", async () => {
		const four = "new Uint8Array(4)";
		const wrong: [script: string, error: string][] = [
			...["0", "124", "-4", "130", "127.5", "NaN", "512", "2 ** 31", "2 ** 32 + 128", "Infinity"].map(
				(offset): [string, string] => [`board.writeRTC(${four}, ${offset})`, "RangeError"],
			),
			...["-4", "2", "0.5", "NaN", "512", "2 ** 31", "2 ** 32"].map((offset): [string, string] => [
				`board.readRTC(${four}, ${offset})`,
				"RangeError",
			]),
			["board.writeRTC(new Uint8Array(8), 508)", "RangeError"],
			["board.readRTC(new Uint8Array(8), 508)", "RangeError"],
			["board.writeRTC(new Uint8Array(3), 128)", "RangeError"],
			["board.readRTC(new Uint8Array(3), 128)", "RangeError"],
			["board.writeRTC(new Uint8Array(516), 128)", "RangeError"],
			[`board.writeRTC(${four})`, "SyntaxError"],
			["board.writeRTC()", "SyntaxError"],
			[`board.readRTC(${four})`, "SyntaxError"],
			["board.writeRTC(4, 128)", "TypeError"],
			[`board.readRTC("text", 128)`, "TypeError"],
			["board.readRTC(new Uint16Array(2), 128)", "TypeError"],
			["board.readRTC(inFlash, 0)", "TypeError"],
			[`board.writeRTC(${four}, 128n)`, "TypeError"],
			[`const b = new ArrayBuffer(4); b.transfer(); return board.writeRTC(b, 128)`, "TypeError"],
			["board.random(5)", "TypeError"],
			["board.random(inFlash)", "TypeError"],
			["board.random()", "SyntaxError"],
		];
		const before = "board.writeRTC(new Uint8Array(384), 128)";
		const scripts = wrong.map(([script], i): [string, string] => [`${i}`, script]);
		const { answers, rtc } = await answersOf({ before, ...Object.fromEntries(scripts) });
		const thrown = wrong.map(([script], i) => [script, answers.get(`${i}`)]);
		expect(thrown).toEqual(wrong);
		expect(rtc.subarray(128).every((byte) => byte === 0)).toBe(true);
	});
});

describe.skipIf(skipsXS)(`restarting in C${xsNote}`, () => {
	const command = `
		const command = new Uint8Array(128);
		encodeCommand(command, { action: 1, source: 0x102000, destination: 0, size: 5000 });`;

	test("handOver writes the command and restarts: no script runs any more", async () => {
		const { uart, exit, rtc } = await answersOf({
			keep: "board.writeRTC(new Uint8Array(384), 128)",
			handOver: `${command} board.handOver(command); return 1`,
			never: "trace('still here')",
		});
		expect(exit).toBe(RESTART);
		expect(uart).toBe("0 undefined\n");
		expect(decodeCommand(rtc.subarray(0, COMMAND_LENGTH))).toEqual({
			action: 1,
			source: 0x102000,
			destination: 0,
			size: 5000,
		});
		expect(rtc.subarray(COMMAND_LENGTH).every((byte) => byte === 0)).toBe(true);
	});

	test("handOver takes a command from anywhere", async () => {
		const { exit, rtc } = await answersOf({
			handOver: "const view = new DataView(inFlash.buffer); board.handOver(view); return 1",
		});
		expect(exit).toBe(RESTART);
		expect([...rtc.subarray(0, 128)]).toEqual(Array.from({ length: 128 }, (_, i) => i + 1));
	});

	test("handOver refuses what is no command, with nothing written", async () => {
		const { answers, exit, rtc } = await answersOf({
			before: "read(0, 128)",
			short: "board.handOver(new Uint8Array(124))",
			long: "board.handOver(new Uint8Array(132))",
			empty: "board.handOver(new ArrayBuffer(0))",
			wide: "board.handOver(new Uint32Array(32))",
			text: "board.handOver('x'.repeat(128))",
			none: "board.handOver()",
		});
		const [before, ...errors] = [...answers.values()];
		expect(errors).toEqual([
			"RangeError",
			"RangeError",
			"RangeError",
			"TypeError",
			"TypeError",
			"SyntaxError",
		]);
		expect(exit).toBeUndefined();
		expect(JSON.stringify([...rtc.subarray(0, 128)])).toBe(before);
	});

	test("restart restarts, and leaves the memory as it is", async () => {
		const { uart, exit, rtc } = await answersOf({
			before: "read(0, 512)",
			restart: "board.restart(); return 1",
		});
		expect(exit).toBe(RESTART);
		expect(uart).toBe(`0 ${JSON.stringify([...rtc])}\n`);
	});
});
