import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { SECTOR } from "../../ota/image";
import { SlotScanner } from "../../ota/slots/scanner";
import { buildImage, type Segment } from "../virtual/image-builder";
import { OTA_0, OTA_1, slotImage } from "./slots-bench";
import { codeOf } from "./updater-bench";

const MAPPED = 0x40210010;
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (13 * i + 7) & 0xff);
const mapped = (length = 64): Segment => ({ address: MAPPED, data: bytes(length) });
const ram: Segment = { address: 0x3ffe8000, data: bytes(40) };

/** What is wrong with an image in the slot at `address`, given sector by sector. */
function faultOf(image: Uint8Array, address = OTA_0, byteLength?: number): string | undefined {
	const scanner = new SlotScanner(address);
	for (let at = 0; at < image.length; at += SECTOR) {
		const sector = new Uint8Array(SECTOR);
		sector.set(image.subarray(at, at + SECTOR));
		const length = Math.min(SECTOR, image.length - at);
		const fault = scanner.write(new DataView(sector.buffer), length);
		if (fault) return fault;
	}
	return scanner.close(byteLength);
}

const built = (segments: readonly Segment[], entry = MAPPED) => buildImage({ segments, entry });

describe("an image for a slot", () => {
	test("runs in every slot at the same place of its MiB", () => {
		const image = slotImage("1.0.0", 20_000);
		for (const slot of [OTA_0, OTA_1, 0x210000, 0x310000]) expect(faultOf(image, slot)).toBeUndefined();
	});

	test("is refused in a slot at another place, with both places in the error", () => {
		const image = slotImage("1.0.0", 20_000, 0x80000);
		expect(faultOf(image, 0x80000)).toBeUndefined();
		expect(faultOf(image, 0x180000)).toBeUndefined();
		expect(codeOf(() => faultOf(image, OTA_0))).toBe(ErrorCode.WRONG_SLOT);
		expect(() => faultOf(image, OTA_0)).toThrow(
			"linked for flash 0x80000 of its MiB, the free slot is at 0x10000",
		);
	});

	test("property: of any size is whole, and any byte of its segments that is another is found", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 3 * SECTOR }),
				fc.nat(),
				fc.integer({ min: 1, max: 255 }),
				(length, place, flip) => {
					const image = built([mapped(length), ram]);
					expect(faultOf(image)).toBeUndefined();
					const at = 16 + (place % length);
					expect(faultOf(image.with(at, (image[at] ?? 0) ^ flip))).toBe("application checksum");
				},
			),
			{ numRuns: 60 },
		);
	});

	test("whose headers lie across two sectors is read", () => {
		for (let length = SECTOR - 48; length <= SECTOR - 16; length += 4) {
			expect(faultOf(built([mapped(length), ram]))).toBeUndefined();
		}
	});

	test.each([
		["does not begin as one", () => built([mapped()]).with(0, 0xea), "application header"],
		["has no segment", () => built([mapped()]).with(1, 0), "application header"],
		[
			"has more segments than the boot loader takes",
			() => built([mapped()]).with(1, 17),
			"application header",
		],
		["has fewer segments than its header says", () => built([mapped()]).with(1, 2), "application segment"],
		["has nothing mapped", () => built([ram], 0x3ffe8000), "application segment"],
		["has code for memory first", () => built([ram, mapped()]), "application segment"],
		[
			"has a segment where there is no memory",
			() => built([mapped(), { address: 0x3ffe0000, data: bytes(8) }]),
			"application segment",
		],
		["has its entry outside", () => built([mapped(), ram], 0x40210050), "application entry"],
		["has its entry in memory", () => built([mapped(), ram], 0x3ffe8000), "application entry"],
		["has another checksum", () => built([mapped(), ram]).with(-1, 0), "application checksum"],
		["ends before its checksum", () => built([mapped(), ram]).subarray(0, -1), "application cut short"],
	])("that %s is refused", (_name, image, fault) => {
		expect(faultOf(image())).toBe(fault);
	});

	test("must end before what does not count", () => {
		const image = built([mapped(), ram]);
		expect(faultOf(image, OTA_0, image.length)).toBeUndefined();
		expect(faultOf(image, OTA_0, image.length - 1)).toBe("application cut short");
	});

	test("must not reach beyond the MiB that is mapped", () => {
		const image = built([{ address: 0x402f0010, data: bytes(32) }], 0x402f0010);
		expect(faultOf(image, 0xf0000)).toBeUndefined();
		const view = new DataView(image.buffer);
		view.setUint32(12, 0xfff0, true);
		expect(faultOf(image, 0xf0000)).toBe("application cut short");
		view.setUint32(12, 0xfff4, true);
		expect(faultOf(image, 0xf0000)).toBe("application segment");
	});
});
