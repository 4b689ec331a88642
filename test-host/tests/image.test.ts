import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	ApplicationScanner,
	bootImageFault,
	flashSizeOf,
	imageEnd,
	isInstructionRAM,
	isLoaded,
	SECTOR,
} from "../../ota/image";
import { buildImage, type Segment } from "../virtual/image-builder";

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (7 * i) & 0xff);

describe("flash size by the header's byte 3", () => {
	test.each([
		[0x00, 0x80000],
		[0x10, 0x40000],
		[0x20, 0x100000],
		[0x30, 0x200000],
		[0x40, 0x400000],
		[0x50, 0x200000],
		[0x60, 0x400000],
		[0x80, 0x800000],
		[0x90, 0x1000000],
		[0x4f, 0x400000],
	])("%i is %i bytes", (byte3, size) => {
		expect(flashSizeOf(byte3)).toBe(size);
	});

	test.each([0x70, 0xa0, 0xff])("%i means nothing", (byte3) => {
		expect(flashSizeOf(byte3)).toBe(0);
	});
});

test.each([
	[0, 16],
	[15, 16],
	[16, 32],
	[17, 32],
	[31, 32],
	[32, 48],
])("segments that end at %i make an image that ends at %i", (last, end) => {
	expect(imageEnd(last)).toBe(end);
});

test("property: an image ends on 16 bytes, behind at least one byte for the checksum and at most 16", () => {
	fc.assert(
		fc.property(fc.nat(0x1000000), (last) => {
			const end = imageEnd(last);
			expect(end % 16).toBe(0);
			expect(end - last).toBeGreaterThanOrEqual(1);
			expect(end - last).toBeLessThanOrEqual(16);
		}),
	);
});

test.each([
	[0x00000000, true],
	[0x3ffe8000, true],
	[0x3fffffff, true],
	[0x40000000, false],
	[0x400fffff, false],
	[0x40100000, true],
	[0x4010bfff, true],
	[0x4010c000, false],
	[0x40201010, false],
	[0x5fffffff, false],
	[0x60000000, true],
	[0xffffffff, true],
])("a segment for %i is loaded: %s", (address, loaded) => {
	expect(isLoaded(address)).toBe(loaded);
});

test("instruction RAM is 40100000 to 4010BFFF", () => {
	expect([0x400fffff, 0x40100000, 0x4010bfff, 0x4010c000].map(isInstructionRAM)).toEqual([
		false,
		true,
		true,
		false,
	]);
});

describe("the boot loader's sector", () => {
	function sector(segments: readonly Segment[]): Uint8Array {
		const bytes = new Uint8Array(SECTOR).fill(0xaa);
		bytes.set(buildImage({ segments, entry: 0x4010f000 }));
		return bytes;
	}
	const good = () =>
		sector([
			{ address: 0x4010f000, data: bytes(3460) },
			{ address: 0x3fff20b8, data: bytes(40) },
		]);

	test("a whole one is accepted", () => {
		expect(bootImageFault(good())).toBeUndefined();
	});

	test("it may lie anywhere in a buffer", () => {
		const buffer = new Uint8Array(2 * SECTOR);
		buffer.set(good(), 33);
		expect(bootImageFault(buffer.subarray(33))).toBeUndefined();
	});

	test("an image that fills the sector to its last byte is accepted", () => {
		const image = buildImage({
			segments: [{ address: 0x4010f000, data: bytes(SECTOR - 20) }],
			entry: 0x4010f000,
		});
		expect(image.length).toBe(SECTOR);
		expect(bootImageFault(image)).toBeUndefined();
	});

	test.each([
		["the magic", 0, 0xea, "boot loader header"],
		["a count of 0", 1, 0, "boot loader header"],
		["a count of 17", 1, 17, "boot loader header"],
		["a length that is no whole words", 12, 0x85, "boot loader segment"],
		["a length beyond the sector", 13, 0x0f, "boot loader segment"],
		["a length beyond everything", 15, 0xff, "boot loader segment"],
		["a byte of data", 100, 0x5a, "boot loader checksum"],
		["the checksum", 3535, 0x5a, "boot loader checksum"],
	])("%s changed: refused", (_, offset, value, fault) => {
		const changed = good();
		expect(changed[offset]).not.toBe(value);
		changed[offset] = value;
		expect(bootImageFault(changed)).toBe(fault);
	});

	test("segment headers that run over the sector's end are refused", () => {
		const full = buildImage({
			segments: [{ address: 0x4010f000, data: bytes(SECTOR - 20) }],
			entry: 0x4010f000,
		});
		full[1] = 2;
		expect(bootImageFault(full)).toBe("boot loader too long");
	});

	test("erased flash, zeros and a gzip are refused", () => {
		for (const value of [0xff, 0, 0x1f]) {
			expect(bootImageFault(new Uint8Array(SECTOR).fill(value))).toBe("boot loader header");
		}
	});

	test("property: every flipped bit of header counts, data and checksum is found", () => {
		const whole = good();
		const covered = fc.oneof(
			fc.integer({ min: 16, max: 16 + 3459 }),
			fc.integer({ min: 3484, max: 3523 }),
			fc.constant(3535),
		);
		fc.assert(
			fc.property(covered, fc.nat(7), (offset, bit) => {
				const changed = whole.slice();
				changed[offset] = (changed[offset] ?? 0) ^ (1 << bit);
				expect(bootImageFault(changed)).toBe("boot loader checksum");
			}),
		);
	});
});

describe("the application image, as it streams by", () => {
	/** What the scanner says of a file, given to it in pieces of whole sectors. */
	function scan(image: Uint8Array, piece = SECTOR): string | undefined {
		const file = new Uint8Array(SECTOR + image.length).fill(0xaa, 0, SECTOR);
		file.set(image, SECTOR);
		const scanner = new ApplicationScanner();
		for (let at = 0; at < file.length; at += piece) {
			const length = Math.min(piece, file.length - at);
			// A buffer of its own, longer than what counts: nothing behind `length` may be looked at.
			const buffer = new Uint8Array(piece + 8).fill(0xff);
			buffer.set(file.subarray(at, at + length));
			const fault = scanner.write(new DataView(buffer.buffer), length);
			if (fault) return fault;
		}
		return scanner.close();
	}

	const entry = 0x40100000;
	const stub: Segment = { address: entry, data: bytes(24) };
	const irom = (length: number): Segment => ({ address: 0x40201010, data: bytes(length) });
	const build = (...segments: Segment[]) => buildImage({ segments, entry });

	test("an image is accepted", () => {
		expect(scan(build(irom(10_000), stub, { address: 0x3ffe8000, data: bytes(500) }))).toBeUndefined();
	});

	test("a tail behind the image is no fault", () => {
		const image = build(irom(100), stub);
		const longer = new Uint8Array(image.length + 5000);
		longer.set(image);
		expect(scan(longer)).toBeUndefined();
	});

	// The second segment's header lies at 8 + 8 + length in the image.
	test.each([-12, -8, -4, 0, 4])("a segment header %i bytes from a sector's boundary is read", (distance) => {
		const image = build(irom(SECTOR - 16 + distance), stub);
		expect(scan(image)).toBeUndefined();
		new DataView(image.buffer).setUint32(SECTOR + distance + 4, 25, true);
		expect(scan(image)).toBe("application segment");
	});

	test("the address of a header that two sectors share is kept", () => {
		const image = build(irom(SECTOR - 20), stub);
		new DataView(image.buffer).setUint32(SECTOR - 4, 0x40100002, true);
		expect(scan(image)).toBe("application segment");
	});

	test("property: the pieces' size does not matter", () => {
		fc.assert(
			fc.property(
				fc.array(fc.nat(2000), { maxLength: 5 }),
				fc.integer({ min: 1, max: 4 }),
				(lengths, sectors) => {
					const image = build(...lengths.map((words) => irom(4 * words)), stub);
					expect(scan(image, sectors * SECTOR)).toBeUndefined();
				},
			),
			{ numRuns: 40 },
		);
	});

	test("property: cut anywhere, it is cut short", () => {
		const image = build(irom(5000), stub, { address: 0x3ffe8000, data: bytes(40) });
		fc.assert(
			fc.property(fc.nat(image.length - 1), (length) => {
				expect(scan(image.subarray(0, length))).toBe("application cut short");
			}),
		);
	});

	test.each([
		["another magic", 0, 0xea],
		["no segment", 1, 0],
		["17 segments", 1, 17],
		["erased flash", 1, 0xff],
	])("%s is a damaged header", (_, offset, value) => {
		const image = build(irom(100), stub);
		image[offset] = value;
		expect(scan(image)).toBe("application header");
	});

	test("sixteen segments are accepted", () => {
		expect(scan(build(...Array<Segment>(15).fill(irom(8)), stub))).toBeUndefined();
	});

	test("a length larger than any flash is a damaged segment", () => {
		const image = build(irom(100), stub);
		new DataView(image.buffer).setUint32(12, 0x1000004, true);
		expect(scan(image)).toBe("application segment");
	});

	test("an unaligned address is a fault where the segment is loaded, and none where it is mapped", () => {
		expect(scan(build(irom(100), stub, { address: 0x3ffe8002, data: bytes(4) }))).toBe("application segment");
		expect(scan(build({ address: 0x40201012, data: bytes(100) }, stub))).toBeUndefined();
	});

	test.each([
		["where no memory is", 0x20000000, 8],
		["right before data RAM", 0x3ffe7ff8, 16],
		["over data RAM's end", 0x3fffbff8, 16],
		["over the boot loader that loads it", 0x4010bff0, 0x3014],
		["to registers", 0x60010000, 8],
	])("a segment that would be loaded %s is a damaged one", (_, address, length) => {
		expect(scan(build(stub, { address, data: bytes(length) }))).toBe("application segment");
	});

	test("segments that end with data RAM and right below the boot loader are accepted", () => {
		const data = { address: 0x3fffbff8, data: bytes(8) };
		expect(scan(build(stub, data, { address: 0x4010bff0, data: bytes(0x3010) }))).toBeUndefined();
	});

	test.each([
		["before its segment", entry - 4, "application entry"],
		["at its segment's start", entry, undefined],
		["at its segment's last word", entry + 20, undefined],
		["right behind its segment", entry + 24, "application entry"],
		["in the mapped flash, which is not mapped yet", 0x40201010, "application entry"],
	])("an entry %s", (_, address, fault) => {
		expect(scan(buildImage({ segments: [irom(100), stub], entry: address }))).toBe(fault);
	});
});
