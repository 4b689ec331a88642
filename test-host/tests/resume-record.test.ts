/** The record of a download under way: SPEC.md, section 4, byte by byte. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32 } from "../../ota/eboot";
import {
	beginResume,
	clearResume,
	isResumable,
	markResume,
	type Resumable,
	readResume,
} from "../../ota/resume";
import { md5, UpdaterBench } from "./updater-bench";

const PLACE = 0x104000;
const SECTOR = 4096;
const SOURCE = "http://a.test/update";
const FIRMWARE: Resumable = {
	kind: "firmware",
	byteLength: 10 * SECTOR,
	md5: "00112233445566778899aabbccddeeff",
	source: SOURCE,
	tag: '"v2"',
};

const read = (kind: Resumable["kind"] = "firmware", source = SOURCE) => readResume(source, kind);

function begun(update: Partial<Resumable> = {}): UpdaterBench {
	const bench = new UpdaterBench();
	beginResume({ ...FIRMWARE, ...update });
	return bench;
}

test("lies in the first sector of the staging area, as SPEC.md draws it", () => {
	const bench = begun();
	markResume(1, 2);
	markResume(2, 2);
	const bytes = Buffer.from(bench.get(PLACE, SECTOR));
	expect(bytes.toString("latin1", 0, 4)).toBe("OTAR");
	expect([...bytes.subarray(4, 8)]).toEqual([1, 0, 0, 2]);
	expect(bytes.readUInt32LE(8)).toBe(10 * SECTOR);
	expect(bytes.toString("hex", 12, 28)).toBe(FIRMWARE.md5);
	expect(bytes.toString("hex", 28, 44)).toBe(md5(new TextEncoder().encode(SOURCE)));
	expect(bytes.toString("latin1", 44, 48)).toBe(FIRMWARE.tag);
	expect(bytes.subarray(48, 124).every((byte) => byte === 0)).toBe(true);
	const covered = new Uint8Array(bytes.subarray(0, 124));
	covered[7] = 0xff;
	expect(bytes.readUInt32LE(124)).toBe(crc32(covered));
	expect(bytes[128]).toBe(0xfc);
	expect(bytes.subarray(129).every((byte) => byte === 0xff)).toBe(true);
});

test("takes an erase and a page to begin, a page for a sector, and one more where the flash mode was changed", () => {
	const bench = begun();
	expect(bench.flash.operations).toBe(2);
	markResume(1, 2);
	expect(bench.flash.operations).toBe(4);
	markResume(2, 2);
	expect(bench.flash.operations).toBe(5);
	clearResume();
	clearResume();
	expect(bench.flash.operations).toBe(6);
});

describe("what is read", () => {
	test("is nothing before the first sector, nor of another kind or address, nor of an erased flash", () => {
		new UpdaterBench();
		expect(read()).toBeUndefined();
		begun();
		expect(read()).toBeUndefined();
		markResume(1, undefined);
		expect(read()).toEqual({ ...FIRMWARE, staged: { byteLength: SECTOR, flashMode: undefined } });
		expect(read("filesystem")).toBeUndefined();
		expect(read("firmware", `${SOURCE}?`)).toBeUndefined();
	});

	test("is what was kept, of any length", () => {
		const digits = fc.stringMatching(/^([0-9a-f]{32})?$/);
		const tag = fc.stringMatching(/^("[!#-~]{0,78}")?$/);
		const kind = fc.constantFrom("firmware" as const, "filesystem" as const);
		const bench = new UpdaterBench();
		expect(bench.updater.busy).toBe(false);
		fc.assert(
			fc.property(
				kind,
				digits,
				tag,
				fc.integer({ min: SECTOR + 1, max: 0x1fa000 }),
				fc.nat(3),
				(what, digest, its, byteLength, mode) => {
					const update = { kind: what, md5: digest, tag: its, byteLength, source: SOURCE };
					beginResume(update);
					const sectors = Math.ceil(byteLength / SECTOR);
					for (let count = 1; count < sectors; count += 1 + (count >> 3)) {
						for (let one = Math.max(1, count - (count >> 3)); one <= count; one++) markResume(one, mode);
						const staged = { byteLength: count * SECTOR, flashMode: mode };
						expect(read(what)).toEqual({ ...update, md5: digest === "0".repeat(32) ? "" : digest, staged });
					}
				},
			),
			{ numRuns: 30 },
		);
	});

	test("leaves a byte at least to be asked for", () => {
		begun({ byteLength: 2 * SECTOR });
		markResume(1, undefined);
		markResume(2, undefined);
		expect(read()?.staged.byteLength).toBe(SECTOR);
		begun({ byteLength: 2 * SECTOR + 1 });
		markResume(1, undefined);
		markResume(2, undefined);
		expect(read()?.staged.byteLength).toBe(2 * SECTOR);
	});

	test("ends at the first sector that is missing", () => {
		const bench = begun();
		markResume(1, undefined);
		const cells = bench.get(PLACE, SECTOR);
		cells[128] = 0b1111_0100;
		bench.put(PLACE, cells);
		expect(read()?.staged.byteLength).toBe(2 * SECTOR);
	});

	test("is nothing once it was forgotten", () => {
		begun();
		markResume(1, undefined);
		clearResume();
		expect(read()).toBeUndefined();
	});
});

test("with any bit of its header wrong is none, but of the flash mode, which the image's MD5 covers", () => {
	const bench = begun();
	markResume(1, 2);
	const record = bench.get(PLACE, 256);
	for (let bit = 0; bit < 8 * 128; bit++) {
		const damaged = record.slice();
		damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
		bench.put(PLACE, damaged);
		const isMode = bit >> 3 === 7;
		expect(read() !== undefined, `bit ${bit}`).toBe(isMode);
	}
});

test("of any bytes is none, and nothing is thrown", () => {
	const bench = new UpdaterBench();
	fc.assert(
		fc.property(fc.uint8Array({ minLength: 128, maxLength: 160 }), (bytes) => {
			bench.put(PLACE, bytes);
			expect(read()).toBeUndefined();
		}),
		{ numRuns: 50 },
	);
});

describe("there is room for it", () => {
	test("beside a firmware that leaves a sector of the staging area free", () => {
		const room = new UpdaterBench().updater.freeSpace("firmware");
		expect(isResumable({ ...FIRMWARE, byteLength: room - SECTOR }, true)).toBe(true);
		expect(isResumable({ ...FIRMWARE, byteLength: room - SECTOR + 1 }, true)).toBe(false);
		expect(isResumable({ ...FIRMWARE, byteLength: room }, true)).toBe(false);
	});

	test("beside any filesystem that is not staged", () => {
		const room = new UpdaterBench().updater.freeSpace("filesystem");
		expect(isResumable({ ...FIRMWARE, kind: "filesystem", byteLength: room }, false)).toBe(true);
	});

	test("where something tells the update from others: an MD5, or an ETag of 80 characters at most", () => {
		new UpdaterBench();
		expect(isResumable({ ...FIRMWARE, md5: "", tag: "" }, true)).toBe(false);
		expect(isResumable({ ...FIRMWARE, md5: "" }, true)).toBe(true);
		expect(isResumable({ ...FIRMWARE, tag: "" }, true)).toBe(true);
		expect(isResumable({ ...FIRMWARE, tag: "x".repeat(80) }, true)).toBe(true);
		expect(isResumable({ ...FIRMWARE, tag: "x".repeat(81) }, true)).toBe(false);
	});
});
