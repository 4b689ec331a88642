import { describe, expect, test } from "vitest";
import { AppSubtype, PartitionType, TABLE_OFFSET } from "../../ota/slots/partition-table";
import { encodeTable } from "../../tools/partitions/binary";
import { OTA_0, OTA_1, partition, SlotsBench, slotImage, TWO_SLOTS } from "./slots-bench";

const OTHER = slotImage("other", 20_000);
const broken = (image: Uint8Array) => image.with(5000, (image[5000] ?? 0) ^ 1);

test("it says what it does in the words of Espressif's boot loader", () => {
	const bench = new SlotsBench();
	expect(bench.runs()).toBe("1.0.0");
	const lines = bench.uart.replace(/\(\d+\) /g, "").split("\r\n");
	expect(lines).toContain("I boot: ## Label            Usage          Type ST Offset   Length");
	expect(lines).toContain("I boot:  1 otadata          OTA data         01 00 0000d000 00002000");
	expect(lines).toContain("I boot:  3 ota_0            OTA app          00 10 00010000 000f0000");
	expect(lines).toContain("I boot: No factory image, trying OTA 0");
	expect(bench.uart).toMatch(
		/esp_image: segment 0: paddr=0x00010010 vaddr=0x40210010 size=0x04d[0-9a-f]{2} \( 19\d{3}\) map/,
	);
	expect(lines).toContain("I boot: Loaded app from partition at offset 0x10000");
});

describe("where the first slot's image is damaged", () => {
	test("the second one is tried", () => {
		const bench = new SlotsBench();
		bench.put(OTA_0, broken(slotImage("1.0.0", 20_000)));
		bench.put(OTA_1, OTHER);
		expect(bench.runs()).toBe("other");
		expect(bench.uart).toContain("esp_image: Checksum failed. Calculated 0x");
		expect(bench.uart).toContain("boot: OTA app partition slot 0 is not bootable");
	});

	test("and there is no other, it stays where it is", () => {
		const bench = new SlotsBench({ running: broken(slotImage("1.0.0", 20_000)) });
		expect(bench.runs()).toBe("no slot has a bootable image");
		expect(bench.uart).toContain("esp_image: image at 0x110000 has invalid magic byte");
		expect(bench.uart).toContain("boot: No bootable app partitions in the partition table");
	});
});

test("the factory's app comes first where nothing is chosen, and last but for the test app", () => {
	const apps = [
		...TWO_SLOTS.slice(0, 4),
		partition("factory", PartitionType.APP, AppSubtype.FACTORY, OTA_1, 0x40000),
		partition("test", PartitionType.APP, AppSubtype.TEST, 0x210000, 0x40000),
	];
	const bench = new SlotsBench({ table: encodeTable(apps) });
	bench.put(OTA_1, slotImage("factory", 20_000));
	bench.put(0x210000, slotImage("test", 20_000));
	expect(bench.runs()).toBe("factory");
	expect(bench.uart).toContain("boot: Defaulting to factory image");
	bench.put(OTA_1, new Uint8Array(4096));
	expect(bench.runs()).toBe("1.0.0");
	bench.put(OTA_0, new Uint8Array(4096));
	expect(bench.runs()).toBe("test");
});

test("an image that is longer than its partition is not booted", () => {
	const apps = TWO_SLOTS.map((one) => (one.label === "ota_0" ? { ...one, size: 0x4000 } : one));
	const bench = new SlotsBench({ table: encodeTable(apps) });
	bench.put(OTA_1, OTHER);
	expect(bench.runs()).toBe("other");
	expect(bench.uart).toContain("doesn't fit in partition length 16384");
});

test("an image that is linked for another place jumps into nothing: the boot loader does not look at that", () => {
	const bench = new SlotsBench({ running: slotImage("1.0.0", 20_000, 0x80000) });
	expect(bench.runs()).toBe("jump to 0x40280060, where nothing was loaded");
});

describe("a table", () => {
	test("with a wrong magic ends the boot", () => {
		const bench = new SlotsBench({ table: encodeTable(TWO_SLOTS).with(32, 0) });
		expect(bench.runs()).toBe("no partition table");
		expect(bench.uart).toContain("flash_parts: partition 1 invalid magic number 0x5000");
		expect(bench.uart).toContain("boot: load partition table error!");
	});

	test("with a wrong MD5 does not: it looks at none", () => {
		const bench = new SlotsBench({ table: encodeTable(TWO_SLOTS).with(13, 0x41) });
		expect(bench.runs()).toBe("1.0.0");
	});

	test("that reaches beyond the chip ends the boot", () => {
		const bench = new SlotsBench({
			table: encodeTable([...TWO_SLOTS, partition("more", 1, 0x82, 0x3ff000, 0x2000)]),
		});
		expect(bench.runs()).toBe("no partition table");
		expect(bench.uart).toContain("exceeds flash chip size 0x400000");
	});

	test("that is erased ends the boot", () => {
		const bench = new SlotsBench();
		bench.put(TABLE_OFFSET, new Uint8Array(4096).fill(0xff));
		expect(bench.runs()).toBe("no slot has a bootable image");
	});
});

test("without an otadata partition of its size it does not boot slots", () => {
	const short = TWO_SLOTS.map((one) => (one.label === "otadata" ? { ...one, size: 0x1000 } : one));
	expect(new SlotsBench({ table: encodeTable(short) }).runs()).toBe("no otadata");
	const none = TWO_SLOTS.filter(({ label }) => label !== "otadata");
	expect(new SlotsBench({ table: encodeTable(none) }).runs()).toBe("1.0.0");
});
