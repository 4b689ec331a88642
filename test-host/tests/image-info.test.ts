import { createHash } from "node:crypto";
import { crc32, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { withClaims } from "../../tools/image/claims";
import { imageInfo } from "../../tools/image-info";
import { imageText } from "../../tools/image-text";
import { buildFirmware, buildImage } from "../virtual/image-builder";
import { CONFIG, firstStage, SECOND_STAGE, withOwnBootLoader } from "./own-firmware";

const IROM_DATA = 0x1010;
const application = { name: "weather", version: "1.2.0", script: "x".repeat(5000) };

function join(...parts: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(Buffer.concat(parts));
}

function with32(bytes: Uint8Array, offset: number, value: number): Uint8Array {
	const copy = bytes.slice();
	new DataView(copy.buffer).setUint32(offset, value, true);
	return copy;
}

function withFlip(bytes: Uint8Array, offset: number): Uint8Array {
	const copy = bytes.slice();
	copy[offset] = (copy[offset] ?? 0) ^ 1;
	return copy;
}

/** Signature of `length` bytes and its length word. */
function trailer(length: number): Uint8Array {
	return join(new Uint8Array(length).fill(0x5a), with32(new Uint8Array(4), 0, length));
}

const firmware = buildFirmware(application);
/** The same without the Arduino packer's words, as Moddable's linker leaves it. */
const unpacked = with32(with32(firmware, IROM_DATA, 0), IROM_DATA + 4, 0);

describe("a firmware", () => {
	test("is whole, with its boot loader and its application", () => {
		expect(imageInfo(firmware)).toMatchObject({
			kind: "firmware",
			faults: [],
			size: firmware.length,
			bootLoader: { offset: 0, checksum: "right" },
			application: { offset: 0x1000, checksum: "right", size: firmware.length - 0x1000 },
		});
	});

	test("has the segments of its images, and the memory that they go to", () => {
		const { bootLoader, application } = imageInfo(firmware);
		expect(bootLoader?.segments).toMatchObject([{ address: 0x4010f000, memory: "IRAM" }]);
		expect(application?.segments).toMatchObject([
			{ address: 0x40201010, memory: "irom" },
			{ address: 0x40100000, memory: "IRAM" },
		]);
		expect(application?.entry).toBe(0x40100000);
	});

	test.each([
		[{ flashMode: 0, flashSize: 2, flashFrequency: 15 }, ["QIO", 0x100000, "80 MHz"]],
		[{ flashMode: 1, flashSize: 0, flashFrequency: 1 }, ["QOUT", 0x80000, "26 MHz"]],
		[{ flashMode: 2, flashSize: 4, flashFrequency: 0 }, ["DIO", 0x400000, "40 MHz"]],
		[{ flashMode: 3, flashSize: 9, flashFrequency: 2 }, ["DOUT", 0x1000000, "20 MHz"]],
		[{ flashMode: 4, flashSize: 10, flashFrequency: 3 }, ["unknown", 0, "unknown"]],
	])("with the header %j has these names", (header, names) => {
		const { application: part } = imageInfo(buildFirmware({ ...application, ...header }));
		expect([part?.flashMode, part?.flashSize, part?.flashFrequency]).toEqual(names);
	});

	test("tells its name and version", () => {
		expect(imageInfo(firmware).descriptor).toEqual({ name: "weather", version: "1.2.0", confirms: false });
	});

	test("of others has no name", () => {
		const foreign = withFlip(with32(unpacked, IROM_DATA + 16, 0), 0);
		expect(imageInfo(foreign).descriptor).toBeUndefined();
	});

	test("has the digests of the file", () => {
		const { md5, sha256 } = imageInfo(firmware);
		expect(md5).toBe(createHash("md5").update(firmware).digest("hex"));
		expect(sha256).toBe(createHash("sha256").update(firmware).digest("hex"));
	});

	test("stays as it was, in a Buffer too", () => {
		const buffer = Buffer.from(firmware);
		expect(imageInfo(buffer).faults).toEqual([]);
		expect(buffer.equals(firmware)).toBe(true);
	});

	test("may have a tail", () => {
		expect(imageInfo(buildFirmware({ ...application, padTo: 20_001 })).faults).toEqual([]);
	});
});

describe("the Arduino packer's words", () => {
	test("are right in a file as it was packed", () => {
		expect(imageInfo(firmware).packerWords).toBe("right");
	});

	test("are absent in a file of another packer", () => {
		expect(imageInfo(unpacked)).toMatchObject({ packerWords: "absent", faults: [] });
	});

	test("are right where something was added to the file", () => {
		expect(imageInfo(join(firmware, new Uint8Array(100))).packerWords).toBe("right");
	});

	test("find a byte that no checksum covers", () => {
		// A tail behind the image.
		const tail = withFlip(buildFirmware({ ...application, padTo: 20_001 }), 20_000);
		expect(imageInfo(tail)).toMatchObject({ packerWords: "wrong", faults: ["CRC of the Arduino packer"] });
	});
});

describe("a damaged firmware", () => {
	test("has a wrong checksum in the application", () => {
		const { application: part, faults } = imageInfo(withFlip(unpacked, 0x1800));
		expect(part?.checksum).toBe("wrong");
		expect(faults).toEqual(["application checksum"]);
	});

	test("has a wrong checksum in the boot loader", () => {
		const { bootLoader, faults } = imageInfo(withFlip(unpacked, 20));
		expect(bootLoader?.checksum).toBe("wrong");
		expect(faults).toEqual(["boot loader checksum"]);
	});

	test.each([0, 1, 15])("has a boot loader's header that is no header (byte %i)", (offset) => {
		const broken = unpacked.slice();
		broken[offset] = 0xff;
		const info = imageInfo(broken);
		expect(info.kind).toBe("firmware");
		expect(info.faults[0]).toMatch(/^boot loader/);
	});

	test("was cut short", () => {
		for (const length of [firmware.length - 1, 6000, 0x1010]) {
			expect(imageInfo(unpacked.slice(0, length)).faults).toEqual(["application cut short"]);
		}
	});

	test("has no application", () => {
		expect(imageInfo(unpacked.slice(0, 0x1000).fill(0xff, 0x900)).kind).toBe("boot loader");
		expect(imageInfo(unpacked.slice().fill(0xff, 0x1000)).faults).toEqual(["application header"]);
	});

	test("enters where nothing was loaded", () => {
		expect(imageInfo(with32(unpacked, 0x1004, 0x40200000)).faults).toEqual(["application entry"]);
	});
});

describe("an image alone", () => {
	const segment = { address: 0x40100000, data: new Uint8Array(64).fill(1) };

	test("is a boot loader when it fits in a sector", () => {
		const image = buildImage({ segments: [segment], entry: 0x40100000 });
		expect(imageInfo(image)).toMatchObject({ kind: "boot loader", faults: [] });
		expect(imageInfo(withFlip(image, 20)).faults).toEqual(["boot loader checksum"]);
	});

	test("is a single image when it does not", () => {
		const data = { address: 0x3ffe8000, data: new Uint8Array(5000) };
		const image = buildImage({ segments: [segment, data], entry: 0x40100000 });
		const info = imageInfo(image);
		expect(info).toMatchObject({ kind: "single image", faults: [] });
		expect(info.application?.segments.map(({ memory }) => memory)).toEqual(["IRAM", "DRAM"]);
		expect(imageInfo(image.subarray(0, -1)).faults).toEqual(["single image cut short"]);
	});
});

describe("what is no image", () => {
	test.each([
		["nothing", new Uint8Array(0)],
		["one byte", Uint8Array.of(0xe9)],
		["text", new TextEncoder().encode("Hello, world, this is a text and not an image\n")],
		["erased flash", new Uint8Array(8192).fill(0xff)],
		["zeros", new Uint8Array(8192)],
	])("is called so: %s", (_, bytes) => {
		expect(imageInfo(bytes)).toMatchObject({ kind: "none", faults: ["not an image for the ESP8266"] });
	});

	test("is told from an image of version 2", () => {
		expect(imageInfo(Uint8Array.of(0xea, 4, 2, 0x40)).faults[0]).toContain("version 2");
	});
});

describe("a compressed firmware", () => {
	const gzip = Uint8Array.from(gzipSync(firmware));

	test("is looked into", () => {
		expect(imageInfo(gzip)).toMatchObject({
			kind: "firmware",
			faults: [],
			size: gzip.length,
			descriptor: { name: "weather" },
			gzip: { compressed: gzip.length, inflated: firmware.length, crc: "right", members: 1 },
		});
	});

	test("may have a file name in its header", () => {
		// Flag 8: a text that ends with 0 follows the ten fixed bytes.
		const named = join(gzip.subarray(0, 10), new TextEncoder().encode("firmware.bin\0"), gzip.subarray(10));
		named[3] = 8;
		expect(imageInfo(named)).toMatchObject({ faults: [], gzip: { compressed: named.length } });
	});

	test("with a wrong CRC is damaged", () => {
		const info = imageInfo(withFlip(gzip, gzip.length - 8));
		expect(info.gzip?.crc).toBe("wrong");
		expect(info.faults).toEqual(["gzip CRC"]);
	});

	test("with a wrong length is damaged", () => {
		expect(imageInfo(withFlip(gzip, gzip.length - 4)).faults).toEqual(["gzip length"]);
	});

	test("that was cut short is damaged", () => {
		for (const length of [gzip.length - 1, gzip.length - 8, gzip.length >> 1, 19]) {
			expect(imageInfo(gzip.subarray(0, length)).faults).toEqual(["gzip cut short"]);
		}
	});

	test("of several members is refused, since the boot loader inflates one", () => {
		const info = imageInfo(join(gzip, gzip));
		expect(info.gzip?.members).toBe(2);
		expect(info.faults).toEqual(["2 gzip members, the boot loader takes one"]);
	});

	test("with bytes behind it is refused, since the boot loader looks for the length there", () => {
		expect(imageInfo(join(gzip, new Uint8Array(4))).faults).toEqual(["4 bytes behind the gzip stream"]);
	});

	test("with a damaged image in it is damaged", () => {
		expect(imageInfo(gzipSync(withFlip(unpacked, 0x1800))).faults).toEqual(["application checksum"]);
	});

	test("that inflates beyond any flash is not inflated to its end", () => {
		const bomb = gzipSync(new Uint8Array(0x1000001));
		expect(imageInfo(bomb).faults).toEqual(["gzip inflates to more than 16 MiB"]);
	});

	test.each([16_384, 32_768])("that inflates to %i bytes ends where it ends", (padTo) => {
		const stream = gzipSync(buildFirmware({ ...application, padTo }));
		expect(imageInfo(join(stream, trailer(256)))).toMatchObject({
			faults: [],
			gzip: { compressed: stream.length, inflated: padTo },
		});
	});
});

describe("a signed firmware", () => {
	test.each([
		[256, "RSA"],
		[512, "RSA"],
		[64, "ECDSA"],
		[72, "ECDSA"],
	])("has a signature of %i bytes: %s", (length, kind) => {
		const info = imageInfo(join(firmware, trailer(length)));
		expect(info).toMatchObject({ faults: [], signature: { length, kind }, packerWords: "right" });
	});

	test("may be compressed", () => {
		const info = imageInfo(join(gzipSync(firmware), trailer(256)));
		expect(info).toMatchObject({ kind: "firmware", faults: [], signature: { length: 256, kind: "RSA" } });
	});

	test.each([63, 73, 255, 513])("has no signature of %i bytes", (length) => {
		expect(imageInfo(join(firmware, trailer(length))).signature).toBeUndefined();
	});

	test("has none where what would be signed is no whole image", () => {
		const info = imageInfo(join(unpacked.subarray(0, 6000), trailer(256)));
		expect(info.signature).toBeUndefined();
		expect(info.faults).toEqual(["application cut short"]);
	});
});

describe("claims", () => {
	const claims = { versionCounter: 7, flashSize: 0x400000, board: "lamp" };
	const packed = [withClaims(firmware, claims), withClaims(gzipSync(firmware), claims)];

	test("are told of a raw and of a compressed firmware, signed or not", () => {
		for (const payload of packed) {
			expect(imageInfo(payload)).toMatchObject({ faults: [], claims });
			const signed = imageInfo(join(payload, trailer(256)));
			expect(signed).toMatchObject({ faults: [], claims, signature: { length: 256 } });
		}
	});

	test("leave the image what it was", () => {
		for (const payload of packed) {
			expect(imageInfo(payload)).toMatchObject({ kind: "firmware", descriptor: { name: "weather" } });
		}
		expect(imageInfo(withClaims(firmware, claims)).packerWords).toBe("right");
	});

	test("are none where there are none, or damaged ones", () => {
		expect(imageInfo(firmware)).not.toHaveProperty("claims");
		const last = withClaims(firmware, claims);
		expect(imageInfo(withFlip(last, last.length - 20)).claims).toBeUndefined();
	});

	test("are a line for people", () => {
		const text = imageText("x", imageInfo(withClaims(firmware, claims)));
		expect(text).toMatch(/^Claims +version counter 7, flash 4 MiB, board lamp$/m);
		expect(imageText("x", imageInfo(withClaims(firmware, {})))).toMatch(/^Claims +none made$/m);
	});
});

describe("the text about an image", () => {
	test("has everything that a person asks for", () => {
		const signed = join(gzipSync(firmware), trailer(256));
		const text = imageText("firmware.bin.gz", imageInfo(signed));
		for (const part of [
			"signed compressed firmware",
			"weather",
			"1.2.0",
			`inflate to ${firmware.length}, CRC right`,
			"256 bytes, RSA",
			"Boot loader at 0x0",
			"Application at 0x1000",
			"entry 0x40100000, flash DIO, 40 MHz, 4 MiB, checksum right",
			"0x40201010",
			"irom",
		]) {
			expect(text).toContain(part);
		}
	});

	test("calls what is no image no image", () => {
		expect(imageText("x", imageInfo(new Uint8Array(9)))).toContain("no image");
	});
});

describe("our own boot loader", () => {
	const own = withOwnBootLoader(firmware);
	/** Behind the application, at the next sector. */
	const offset = own.length - SECOND_STAGE.length;
	const stageCRC = crc32(SECOND_STAGE);

	test("is told with its configuration, and its stages", () => {
		const stage = { stageLength: SECOND_STAGE.length, stageCRC };
		expect(imageInfo(own)).toMatchObject({ kind: "firmware", faults: [], packerWords: "right" });
		expect(imageInfo(own).ownBootLoader).toEqual({
			version: 1,
			firstStage: { length: firstStage().length, crc: crc32(firstStage()) },
			config: { ...CONFIG, ...stage },
			secondStage: { offset, state: "whole" },
		});
		expect(imageInfo(gzipSync(own)).ownBootLoader?.secondStage?.state).toBe("whole");
	});

	test.each([
		["missing", own.subarray(0, offset)],
		["damaged", own.subarray(0, offset + 1)],
		["damaged", own.subarray(0, own.length - 1)],
		["damaged", withFlip(own, offset + 100)],
	])("whose second stage is %s is told so, and is no fault", (state, bytes) => {
		expect(imageInfo(bytes)).toMatchObject({ faults: [], ownBootLoader: { secondStage: { offset, state } } });
	});

	test("is told where it comes alone", () => {
		const { kind, faults, ownBootLoader } = imageInfo(firstStage());
		expect({ kind, faults }).toEqual({ kind: "boot loader", faults: [] });
		expect(ownBootLoader).toMatchObject({ version: 1, config: CONFIG });
		expect(ownBootLoader?.secondStage).toBeUndefined();
	});

	test("of another version tells that only", () => {
		const { ownBootLoader } = imageInfo(with32(firstStage(), 0x14, 2));
		expect(ownBootLoader).toMatchObject({ version: 2 });
		expect(ownBootLoader?.config).toBeUndefined();
	});

	test("is not what eboot is, nor what an application may have at its end", () => {
		expect(imageInfo(firmware).ownBootLoader).toBeUndefined();
		expect(imageInfo(firmware)).not.toHaveProperty("ownBootLoader");
	});

	test("is described in words", () => {
		const text = imageText("lamp.bin", imageInfo(own));
		const stage = `3000 bytes, CRC-32 0x${stageCRC.toString(16)}, whole at 0x${offset.toString(16)} of this file`;
		expect(text).toContain("The boot loader is our own, its configuration of version 1:\n");
		expect(text).toMatch(new RegExp(`Second stage +${stage}\n`));
		expect(text).toMatch(/Copies of it +0x102000, 0x103000\n/);
		expect(text).toMatch(/Record +0x3fa000\n/);
		expect(text).toMatch(/Application +0x1000 to 0x100000\n/);
		expect(text).toMatch(/The one before +no place for it\n/);
		expect(text).toMatch(/Filesystem +0x200000 to 0x3fa000\n/);
		const kept = { ...CONFIG, previous: 0x104000, previousEnd: 0x202000 };
		expect(imageText("x", imageInfo(withOwnBootLoader(firmware, kept)))).toMatch(
			/The one before +0x104000 to 0x202000\n/,
		);
		expect(imageText("lamp.bin", imageInfo(firmware))).not.toContain("our own");
	});
});
