import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DESCRIPTOR_OFFSET, readDescriptor } from "../../ota/descriptor";
import { crc32 } from "../../ota/eboot";
import { ApplicationScanner, bootImageFault, flashSizeOf, SECTOR } from "../../ota/image";
import { findApplication } from "../virtual/application";
import { buildFirmware, buildImage, type FirmwareOptions } from "../virtual/image-builder";
import { BootBench } from "./boot-bench";

const lamp: FirmwareOptions = { script: "light();", name: "lamp", version: "1.2.3" };

/** What an updater would say of the file. */
function faultOf(file: Uint8Array): string | undefined {
	const bootFault = bootImageFault(file.subarray(0, SECTOR));
	if (bootFault) return bootFault;
	const scanner = new ApplicationScanner();
	const fault = scanner.write(new DataView(file.buffer, file.byteOffset), file.length);
	return fault ?? scanner.close();
}

const options = fc.record({
	script: fc.string({ unit: "grapheme", maxLength: 3000 }),
	name: fc.string({ unit: "grapheme-ascii", maxLength: 24 }),
	version: fc.string({ unit: "grapheme-ascii", maxLength: 32 }),
	flashMode: fc.nat(3),
	flashSize: fc.constantFrom(0, 1, 2, 3, 4, 8, 9),
	flashFrequency: fc.constantFrom(0, 1, 2, 15),
});

describe("an image", () => {
	test("is laid out as the chip wants it", () => {
		const segments = [{ address: 0x40100000, data: Uint8Array.of(1, 2, 3, 4, 5) }];
		const image = buildImage({ segments, entry: 0x40100004, flashMode: 3, flashSize: 2, flashFrequency: 15 });
		expect(Buffer.from(image).toString("hex")).toBe(
			"e901032f04001040" + "0000104008000000" + "0102030405000000" + "00000000000000ee",
		);
	});

	test("has the checksum EF where there is no data", () => {
		const image = buildImage({ segments: [], entry: 0 });
		expect(Buffer.from(image).toString("hex")).toBe("e900024000000000" + "00000000000000ef");
	});

	test("has at most 16 segments", () => {
		const segments = Array(17).fill({ address: 0x40100000, data: new Uint8Array(4) });
		expect(() => buildImage({ segments, entry: 0 })).toThrow(RangeError);
	});
});

describe("a firmware file", () => {
	test("has the boot loader's image in the first sector, the rest of it AA", () => {
		const file = buildFirmware(lamp);
		expect(Buffer.from(file.subarray(0, 16)).toString("hex")).toBe("e901024000f01040" + "00f0104028000000");
		expect(file.subarray(64, SECTOR)).toEqual(new Uint8Array(SECTOR - 64).fill(0xaa));
	});

	test("has the application at 1000, its first segment where the flash cache maps it", () => {
		const file = buildFirmware(lamp);
		const view = new DataView(file.buffer);
		expect(view.getUint32(0x1004, true)).toBe(0x40100000);
		expect(view.getUint32(0x1008, true)).toBe(0x40201010);
	});

	test("carries flash mode, size and frequency in both headers", () => {
		const file = buildFirmware({ ...lamp, flashMode: 3, flashSize: 9, flashFrequency: 15 });
		for (const header of [0, SECTOR]) {
			expect(file[header + 2]).toBe(3);
			expect(flashSizeOf(file[header + 3] ?? 0)).toBe(0x1000000);
			expect((file[header + 3] ?? 0) & 15).toBe(15);
		}
	});

	test("carries name and version where the updater looks for them", () => {
		const file = buildFirmware(lamp);
		const descriptor = readDescriptor(new DataView(file.buffer), DESCRIPTOR_OFFSET);
		expect(descriptor).toEqual({ name: "lamp", version: "1.2.3", confirms: false });
	});

	test("says where it is told so that its application confirms itself", () => {
		const file = buildFirmware({ ...lamp, confirms: true });
		expect(readDescriptor(new DataView(file.buffer), DESCRIPTOR_OFFSET)?.confirms).toBe(true);
	});

	test("carries its length and its CRC, taken with both words 0, as the Arduino packer writes them", () => {
		const file = buildFirmware({ ...lamp, padTo: 9001 });
		const view = new DataView(file.buffer);
		expect(view.getUint32(4096 + 16, true)).toBe(9001);
		const crc = view.getUint32(4096 + 20, true);
		file.fill(0, 4096 + 16, 4096 + 24);
		expect(crc32(file)).toBe(crc);
	});

	test("is the same for the same input", () => {
		expect(buildFirmware({ ...lamp, padTo: 8000 })).toEqual(buildFirmware({ ...lamp, padTo: 8000 }));
	});

	const smallest = buildFirmware(lamp).length;
	test.each([
		smallest,
		smallest + 1,
		smallest + 15,
		smallest + 16,
		2 * SECTOR - 1,
		2 * SECTOR,
		2 * SECTOR + 1,
		50_000,
	])("padded to %i bytes has exactly that many, and is whole", (padTo) => {
		const file = buildFirmware({ ...lamp, padTo });
		expect(file.length).toBe(padTo);
		expect(faultOf(file)).toBeUndefined();
	});

	test("cannot be padded to less than it takes", () => {
		expect(() => buildFirmware({ ...lamp, padTo: smallest - 1 })).toThrow(
			`the firmware takes ${smallest} bytes, more than ${smallest - 1}`,
		);
	});

	test("property: whatever it carries, the updater accepts it", () => {
		fc.assert(
			fc.property(
				options,
				fc.option(fc.integer({ min: 20_000, max: 30_000 }), { nil: undefined }),
				(given, padTo) => {
					const file = buildFirmware({ ...given, ...(padTo !== undefined && { padTo }) });
					expect(faultOf(file)).toBeUndefined();
					expect(readDescriptor(new DataView(file.buffer), DESCRIPTOR_OFFSET)?.version).toBe(given.version);
				},
			),
			{ numRuns: 40 },
		);
	});

	test("property: a flipped bit in a magic, a count's high bits or the entry is refused", () => {
		const file = buildFirmware(lamp);
		const places = [0, SECTOR].flatMap((header) => [
			...[0, 1, 2, 3, 4, 5, 6, 7].map((bit) => [header, bit] as const),
			...[5, 6, 7].map((bit) => [header + 1, bit] as const),
		]);
		const entry = [5, 6, 7].flatMap((byte) => [0, 1, 2, 3].map((bit) => [SECTOR + byte, bit] as const));
		fc.assert(
			fc.property(fc.constantFrom(...places, ...entry), ([offset, bit]) => {
				const flipped = file.slice();
				flipped[offset] = (flipped[offset] ?? 0) ^ (1 << bit);
				expect(faultOf(flipped)).toBeDefined();
			}),
		);
	});

	test("property: booted from flash, it runs its script", () => {
		const bench = new BootBench(0x80000);
		fc.assert(
			fc.property(options, (given) => {
				bench.put(0, buildFirmware(given));
				const outcome = bench.boot();
				if (outcome.kind !== "jump") throw new Error(outcome.reason);
				const application = findApplication(bench.flash, outcome.entry, outcome.memory);
				expect(application).toEqual({ kind: "script", script: given.script });
			}),
			{ numRuns: 20 },
		);
	});
});
