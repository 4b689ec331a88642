import { describe, expect, test } from "vitest";
import { findApplication } from "../virtual/application";
import { buildImage, type ImageOptions, type Segment } from "../virtual/image-builder";
import type { Memory } from "../virtual/memory";
import { BootBench, firmware, STAGING } from "./boot-bench";

const APPLICATION = 0x1000;
const entry = 0x40100000;
const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function benchWith(image: Uint8Array): BootBench {
	const bench = new BootBench(0x80000);
	bench.put(APPLICATION, image);
	return bench;
}

/** What eboot has in memory when it jumps. */
function load(image: Uint8Array): { entry: number; memory: Memory } {
	const outcome = benchWith(image).eboot();
	if (outcome.kind !== "jump") throw new Error(outcome.reason);
	return outcome;
}

const one = (segment: Segment, options: Partial<ImageOptions> = {}) =>
	buildImage({ segments: [segment], entry, ...options });

describe("the load rules", () => {
	test.each([
		["data RAM", 0x3ffe8000],
		["the end of data RAM", 0x3ffffff8],
		["instruction RAM", 0x40100000],
		["the end of instruction RAM", 0x4010bff8],
		["a register", 0x60001200],
	])("a segment for %s is loaded", (_, address) => {
		expect(load(one({ address, data })).memory.read(address, 8)).toEqual(data);
	});

	test.each([
		["the ROM", 0x40000000],
		["what lies behind instruction RAM", 0x4010c000],
		["the mapped flash", 0x40201010],
		["the last address before the registers", 0x5ffffffc],
	])("a segment for %s is passed over", (_, address) => {
		const { memory } = load(
			buildImage({
				segments: [
					{ address, data },
					{ address: entry, data },
				],
				entry,
			}),
		);
		expect(memory.read(address, 8)).toBeUndefined();
		expect(memory.read(entry, 8)).toEqual(data);
	});

	test("neither magic nor checksum count", () => {
		const image = one({ address: entry, data });
		image[0] = 0;
		image[image.length - 1] = 0x5a;
		expect(load(image).memory.read(entry, 8)).toEqual(data);
	});

	test("a count of 0 jumps to the entry with nothing loaded", () => {
		const { entry, memory } = load(buildImage({ segments: [], entry: 0x40101234 }));
		expect(entry).toBe(0x40101234);
		expect(memory.read(entry, 1)).toBeUndefined();
	});

	test("an erased header (255 segments of a negative length) ends in a jump to FFFFFFFF", () => {
		expect(load(new Uint8Array(0)).entry).toBe(0xffffffff);
	});

	test("a segment of length 0 stores nothing, so its address may be any", () => {
		expect(load(one({ address: 0x00000001, data: new Uint8Array(0) })).entry).toBe(entry);
	});

	test("a length that is no whole words is loaded up to the next word", () => {
		const image = one({ address: entry, data });
		new DataView(image.buffer).setUint32(12, 5, true);
		expect(load(image).memory.read(entry, 100)).toEqual(data);
	});

	test.each([
		["an unaligned address", 0x40100002, 9],
		["memory that is not there", 0x20000000, 29],
		["more than its memory holds", 0x3ffffffc, 29],
	])("a segment for %s is an exception, and the watchdog resets", (_, address, exception) => {
		const bench = benchWith(one({ address, data }));
		expect(bench.eboot()).toMatchObject({ kind: "reset", cause: 4 });
		expect(bench.uart).toContain(`~ld\r\n\r\nFatal exception (${exception}):\r\nepc1=0x4010f000,`);
		expect(bench.uart).toContain(`excvaddr=0x${address.toString(16).padStart(8, "0")}`);
	});

	test("a segment that reaches over the boot loader hangs", () => {
		const bench = benchWith(one({ address: 0x4010bff0, data: new Uint8Array(0x3014) }));
		expect(bench.eboot().kind).toBe("hang");
	});
});

describe("a load that ends behind the 4 MiB", () => {
	function loadAt(address: number, image?: Uint8Array): BootBench {
		const bench = new BootBench();
		if (image) bench.put(address + APPLICATION, image);
		bench.command(address, 0, 0, 0xffffffff);
		expect(bench.eboot()).toMatchObject({ kind: "reset", cause: 2 });
		return bench;
	}

	test("with its header is error 1", () => {
		expect(loadAt(0x3ff000).uart).toContain("@ld\r\ne:1\r\n");
	});

	test("with a segment's header is error 2", () => {
		const image = one({ address: 0x40200000, data });
		new DataView(image.buffer).setUint32(12, 0x400000, true);
		image[1] = 2;
		expect(loadAt(0x3fe000, image).uart).toContain("@ld\r\ne:2\r\n");
	});

	test("with a segment's data is error 3", () => {
		const image = one({ address: entry, data });
		new DataView(image.buffer).setUint32(12, 0x1000, true);
		expect(loadAt(0x3fe000, image).uart).toContain("@ld\r\ne:3\r\n");
	});
});

describe("the ROM's view of the flash", () => {
	test("on a chip of 1 MiB addresses wrap", () => {
		const bench = new BootBench(0x100000);
		const image = firmware("new", 20_000);
		bench.put(STAGING, image);
		bench.command(STAGING + 0x100000, 0x200000, image.length);
		bench.eboot();
		expect(Buffer.compare(bench.get(0, image.length), image)).toBe(0);
	});

	test("on a chip of 8 MiB what lies behind 4 MiB cannot be read", () => {
		const bench = new BootBench(0x800000);
		bench.put(0x400000, firmware("new", 20_000));
		bench.command(0x400000, 0, 20_000);
		bench.eboot();
		expect(bench.uart).toContain("@cp:3\r\n");
	});
});

describe("what runs after the jump", () => {
	function application(image: Uint8Array) {
		const bench = benchWith(image);
		const outcome = bench.eboot();
		if (outcome.kind !== "jump") throw new Error(outcome.reason);
		return findApplication(bench.flash, outcome.entry, outcome.memory);
	}
	const real = Uint8Array.from({ length: 64 }, (_, i) => 3 * i);

	test("of a firmware that was built for the virtual board is its script", () => {
		const image = firmware("7", 10_000).slice(APPLICATION);
		expect(application(image)).toEqual({ kind: "script", script: 'running("7")' });
	});

	test("of a firmware for a real board is machine code, which is refused", () => {
		expect(application(one({ address: entry, data: real }))).toEqual({
			kind: "machine code",
			reason: "application is machine code, which the virtual board does not run",
		});
	});

	test.each([
		["erased flash", new Uint8Array(0)],
		["an entry that nothing was loaded to", one({ address: entry, data: real }, { entry: entry + 64 })],
		["an entry in the mapped flash", one({ address: 0x40201010, data: real }, { entry: 0x40201010 })],
	])("of %s is a wild jump", (_, image) => {
		expect(application(image).kind).toBe("wild jump");
	});

	test.each([
		["beyond the flash", 16, 0x7fffffff],
		["longer than the flash", 20, 0x7fffffff],
		["in what is no text", 16, 0x40000],
	])("of a stub whose script lies %s is a wild jump", (_, offset, value) => {
		const stub = new Uint8Array(24);
		stub.set(new TextEncoder().encode("ota8266-virtual1"));
		const view = new DataView(stub.buffer);
		view.setUint32(16, 0x1060, true);
		view.setUint32(20, 4, true);
		view.setUint32(offset, value, true);
		expect(application(one({ address: entry, data: stub })).kind).toBe("wild jump");
	});
});
