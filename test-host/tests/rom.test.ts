import { expect, test } from "vitest";
import { buildImage, type ImageOptions } from "../virtual/image-builder";
import type { NorFlash } from "../virtual/nor";
import { PowerCut } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { runROM } from "../virtual/rom";
import { put, temporaryFlash } from "./temporary-flash";

const code = (length: number) => Uint8Array.from({ length }, (_, i) => i & 0xff);
const loader: ImageOptions = { segments: [{ address: 0x4010f000, data: code(40) }], entry: 0x4010f004 };

function flashWith(image: Uint8Array, size = 0x80000): NorFlash {
	const flash = temporaryFlash({ size });
	put(flash, 0, image);
	return flash;
}

function run(flash: NorFlash, cause: ResetCause = ResetCause.RESET) {
	let uart = "";
	const outcome = runROM({ flash, cause, print: (text) => (uart += text) });
	return { uart, outcome };
}

test("it prints the cause, what it loads and both checksums, in lines that end in CR LF", () => {
	const { uart } = run(flashWith(buildImage(loader)));
	expect(uart).toBe(
		"\r\n ets Jan  8 2013,rst cause:2, boot mode:(3,6)\r\n\r\n" +
			"load 0x4010f000, len 40, room 16 \r\ntail 8\r\nchksum 0xef\r\ncsum 0xef\r\n",
	);
});

test.each([
	[ResetCause.POWER, 1],
	[ResetCause.RESET, 2],
	[ResetCause.WATCHDOG, 4],
])("the reset cause is printed: %i", (cause, number) => {
	expect(run(flashWith(buildImage(loader)), cause).uart).toContain(`rst cause:${number}, boot mode:(3,6)`);
});

test("it loads the segments and jumps to the entry", () => {
	const { outcome } = run(flashWith(buildImage(loader)));
	if (outcome.kind !== "jump") throw new Error(outcome.reason);
	expect(outcome.entry).toBe(0x4010f004);
	expect(outcome.memory.read(0x4010f004, 8)).toEqual(code(12).subarray(4));
});

test("room and tail are what is left of the 16-byte line a segment begins and ends in", () => {
	const segments = [
		{ address: 0x4010f000, data: code(3460) },
		{ address: 0x3fff20b8, data: code(40) },
	];
	const { uart } = run(flashWith(buildImage({ segments, entry: 0x4010f000 })));
	expect(uart).toContain("load 0x4010f000, len 3460, room 16 \r\ntail 4\r\n");
	expect(uart).toContain("load 0x3fff20b8, len 40, room 4 \r\ntail 4\r\n");
});

test("an image of several segments has one checksum over all their data", () => {
	const segments = [
		{ address: 0x4010f000, data: Uint8Array.of(1, 0, 0, 0) },
		{ address: 0x3ffe8000, data: Uint8Array.of(2, 0, 0, 0) },
	];
	const { uart, outcome } = run(flashWith(buildImage({ segments, entry: 0x4010f000 })));
	expect(uart.match(/(chksum|csum) 0x../g)).toEqual(["chksum 0xee", "chksum 0xec", "csum 0xec"]);
	expect(outcome.kind).toBe("jump");
});

test("erased flash: it hangs and says whose fault it is", () => {
	const { uart, outcome } = run(temporaryFlash({ size: 0x80000 }));
	expect(outcome).toEqual({ kind: "hang", reason: "no boot loader: flash 0 holds 0xff, not 0xe9" });
	expect(uart).toMatch(/ets_main.c \r\n$/);
});

test("a wrong checksum: csum err, and it hangs", () => {
	const image = buildImage(loader);
	image[20] = 0x80;
	const { uart, outcome } = run(flashWith(image));
	expect(uart).toContain("csum 0xef\r\ncsum err\r\n");
	expect(outcome.kind).toBe("hang");
});

test("every flipped bit of a segment's data is a wrong checksum", () => {
	const image = buildImage(loader);
	for (let bit = 0; bit < 8 * 40; bit += 7) {
		const flipped = image.slice();
		flipped[16 + (bit >> 3)] = (flipped[16 + (bit >> 3)] ?? 0) ^ (1 << (bit & 7));
		expect(run(flashWith(flipped)).outcome.kind).toBe("hang");
	}
});

test("what lies behind the image does not count", () => {
	const image = new Uint8Array(4096).fill(0xaa);
	image.set(buildImage(loader));
	expect(run(flashWith(image)).outcome.kind).toBe("jump");
});

test.each([
	["for memory that is not there", 0x20000000, 4],
	["longer than the memory", 0x4010f000, 0x20000],
	["of an impossible length", 0x4010f000, 0xfffffffc],
])("a segment %s: it hangs", (_, address, length) => {
	const image = buildImage(loader);
	const view = new DataView(image.buffer);
	view.setUint32(8, address, true);
	view.setUint32(12, length, true);
	expect(run(flashWith(image)).outcome.kind).toBe("hang");
});

test("the flash size in the header does not count", () => {
	expect(run(flashWith(buildImage({ ...loader, flashSize: 9 }))).outcome.kind).toBe("jump");
});

test("without power nothing runs", () => {
	const flash = flashWith(buildImage(loader));
	flash.control.powerOff();
	expect(() => run(flash)).toThrow(PowerCut);
});
