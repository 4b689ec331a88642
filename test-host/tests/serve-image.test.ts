import { describe, expect, test } from "vitest";
import { examineBytes } from "../../tools/serve/image";
import { parseImageName } from "../../tools/serve/image-name";
import { firmware, gzip, signed } from "./serve-bench";
import { OTA_0, slotImage } from "./slots-bench";

describe("what is never offered", () => {
	const image = firmware("1.0.0");
	const flipped = image.slice();
	flipped[6000] = (flipped[6000] ?? 0) ^ 1;

	test.each([
		["an empty file", "lamp-1.0.0.bin", new Uint8Array(0), "the file is empty"],
		["no image", "lamp-1.0.0.bin", Buffer.from("Hello, world"), "not an image"],
		["a flipped bit", "lamp-1.0.0.bin", flipped, "application checksum"],
		["an application alone", "lamp-1.0.0.bin", image.subarray(0x1000), "single image"],
		["a boot loader alone", "lamp-1.0.0.bin", image.subarray(0, 0x1000), "no whole firmware"],
		["a gzip without its name", "lamp-1.0.0.bin", gzip(image), "whose name must end with .gz"],
		["a gzip's name without the gzip", "lamp-1.0.0.bin.gz", image, "no gzip"],
		["a gzip cut short", "lamp-1.0.0.bin.gz", gzip(image).subarray(0, -9), "gzip cut short"],
		["two gzips", "lamp-1.0.0.bin.gz", Buffer.concat([gzip(image), gzip(image)]), "2 gzip members"],
		["a signed name without a signature", "lamp-1.0.0.bin.signed", image, "no signature"],
		["a gzip signed by name alone", "lamp-1.0.0.bin.gz.signed", gzip(image), "no signature"],
		["another version than the name's", "lamp-1.0.1.bin", image, "says version 1.0.1, the image says 1.0.0"],
		["an empty filesystem", "lamp-1.0.0.fs.bin", new Uint8Array(0), "the file is empty"],
		["a filesystem's gzip cut short", "lamp-1.0.0.fs.bin.gz", gzip(image).subarray(0, -1), "gzip damaged"],
	])("%s", (_, file, bytes, fault) => {
		const name = parseImageName(file);
		if (!name) throw new Error(file);
		expect(examineBytes(bytes, name)).toEqual({ fault: expect.stringContaining(fault) });
	});

	test.each([
		["a firmware", "lamp-1.0.0.bin", image],
		["of another name than the file", "fan-1.0.0.bin", image],
		["compressed", "lamp-1.0.0.bin.gz", gzip(image)],
		["signed", "lamp-1.0.0.bin.signed", signed(image)],
		["compressed and signed", "lamp-1.0.0.bin.gz.signed", signed(gzip(image))],
		["any filesystem", "lamp-1.0.0.fs.bin", Buffer.from("x")],
		["any filesystem, compressed", "lamp-1.0.0.fs.bin.gz", gzip("x")],
	])("is not what is whole: %s", (_, file, bytes) => {
		const name = parseImageName(file);
		if (!name) throw new Error(file);
		expect(examineBytes(bytes, name)).toMatchObject({ size: bytes.length });
	});
});

test("an image for a slot is known by where it is linked to lie", () => {
	const name = parseImageName("lamp-1.0.0.bin");
	if (!name) throw new Error("no name");
	const facts = (bytes: Uint8Array) => examineBytes(bytes, name);
	expect(facts(slotImage("1.0.0", 20_000))).toMatchObject({ firmware: { slot: OTA_0, length: 20_000 } });
	expect(facts(slotImage("1.0.0", 20_000, 0x80000))).toMatchObject({ firmware: { slot: 0x80000 } });
	expect(facts(firmware("1.0.0"))).not.toHaveProperty("firmware.slot");
	expect(facts(slotImage("1.0.1", 20_000))).toEqual({
		fault: expect.stringContaining("the image says 1.0.1"),
	});
});
