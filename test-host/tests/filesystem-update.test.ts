/** Filesystem updates: in place, and staged for the boot loader; what the application is told of its filesystem. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { COMMAND_LENGTH, decodeCommand } from "../../ota/eboot";
import { ErrorCode } from "../../ota/errors";
import { readExpectation } from "../../ota/verdict";
import type { Fault } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { board, codeOf, firmware, OLD, UpdaterBench, type UpdaterBenchOptions } from "./updater-bench";

const { IMAGE, MD5, SPACE, WRITE, ERASE, ABANDONED } = ErrorCode;
const PLACE = 0x200000;
const ROOM = 0x1fa000;
const STAGING = 0x104000;
const SECTOR = 4096;
const kind = "filesystem" as const;
/** Whole sectors but for the last one. */
const FILES = noise(10_000);
const OLD_FILES = noise(12_000, 7);

/** Bytes that do not compress. */
function noise(length: number, seed = 1): Uint8Array {
	const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
		createHash("sha256").update(`${seed} ${i}`).digest(),
	);
	return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
}

interface Bench {
	bench: UpdaterBench;
	told: string[];
}

function benchOf(options: UpdaterBenchOptions = {}): Bench {
	const told: string[] = [];
	const bench = new UpdaterBench({ told: (text) => told.push(text), ...options });
	if (bench.flash.size > PLACE) bench.put(PLACE, OLD_FILES);
	return { bench, told };
}

/** A chip of that size, whose firmware says so. */
function smaller(size: number, nibble: number): UpdaterBenchOptions {
	const running = OLD.slice();
	running[3] = ((running[3] ?? 0) & 15) | (nibble << 4);
	return { size, running };
}

/** The boot loader runs, and again where it looked for an application in the filesystem. */
function runsAfterCopy(bench: UpdaterBench): string {
	bench.runs();
	return bench.runs();
}

describe("in place", () => {
	test("the application is told before the first sector is erased, and when it is there again", () => {
		const { bench, told } = benchOf();
		const before = bench.flash.operations;
		const update = bench.open(FILES, { kind });
		update.write(FILES.subarray(0, SECTOR - 1));
		expect([told, bench.flash.operations]).toEqual([[], before]);
		update.write(FILES.subarray(SECTOR - 1, SECTOR));
		expect(told).toEqual(["away"]);
		update.write(FILES.subarray(SECTOR));
		expect(told).toEqual(["away"]);
		update.complete();
		expect(told).toEqual(["away", "back true"]);
		expect(bench.get(PLACE, FILES.length)).toEqual(FILES);
	});

	test("it is told when the update fails or is abandoned half way, once", () => {
		for (const end of ["md5", "close"] as const) {
			const { bench, told } = benchOf();
			const update = bench.open(FILES, { kind, md5: "0".repeat(32) });
			update.write(FILES);
			if (end === "md5") expect(codeOf(() => update.complete())).toBe(MD5);
			else update.close();
			update.close();
			expect(told).toEqual(["away", "back false"]);
		}
	});

	test("it is told nothing of an update that touches no flash, nor of a firmware", () => {
		const { bench, told } = benchOf();
		expect(codeOf(() => bench.open(FILES, { kind, byteLength: ROOM + 1 }))).toBe(SPACE);
		bench.open(FILES, { kind }).close();
		bench.update(firmware("2.0.0", 20_000));
		bench.restart();
		expect(told).toEqual([]);
	});

	test("a gzip is refused before the flash is touched, whatever its pieces", () => {
		const { bench, told } = benchOf();
		const before = bench.flash.operations;
		for (const piece of [1, 1460]) {
			const image = gzipSync(FILES);
			expect(codeOf(() => bench.update(image, { kind }, piece))).toBe(IMAGE);
		}
		expect(bench.updater.last?.error?.text).toContain("atomic");
		expect([told, bench.flash.operations]).toEqual([[], before]);
		expect(bench.get(PLACE, OLD_FILES.length)).toEqual(OLD_FILES);
	});

	test("what only begins like a gzip is none", () => {
		for (const start of [[0x1f], [0x1f, 0x8c], [0x8b, 0x1f]]) {
			const { bench } = benchOf();
			const image = FILES.slice();
			image.set(start);
			bench.update(image, { kind });
			expect(bench.get(PLACE, image.length)).toEqual(image);
		}
	});

	test("a firmware that waits for the restart goes on waiting", () => {
		const { bench } = benchOf();
		bench.update(firmware("2.0.0", 20_000));
		bench.update(FILES, { kind });
		expect(bench.updater.awaitsRestart).toBe(true);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("takes as much as the filesystem has, and no byte more", () => {
		const { bench } = benchOf();
		expect(bench.updater.freeSpace(kind)).toBe(ROOM);
		bench.open(FILES, { kind, byteLength: ROOM }).close();
		expect(codeOf(() => bench.open(FILES, { kind, byteLength: ROOM + 1 }))).toBe(SPACE);
	});
});

const atomic = { atomicFilesystem: true };

describe.each([
	["raw", FILES],
	["compressed", gzipSync(FILES)],
])("atomic, %s:", (_, image) => {
	test("the filesystem stays until the restart, before which the application is told", () => {
		const { bench, told } = benchOf(atomic);
		bench.update(image, { kind });
		expect(bench.get(PLACE, OLD_FILES.length)).toEqual(OLD_FILES);
		expect(told).toEqual([]);
		expect(bench.updater.awaitsRestart).toBe(true);
		bench.restart();
		expect(told).toEqual(["away"]);
		expect(runsAfterCopy(bench)).toBe("1.0.0");
		expect(bench.get(PLACE, FILES.length)).toEqual(FILES);
	});

	test("it is staged right below the filesystem, and copied from there", () => {
		const { bench } = benchOf(atomic);
		bench.update(image, { kind });
		bench.restart();
		const block = new Uint8Array(COMMAND_LENGTH);
		bench.rtc.read(0, block);
		const source = PLACE - Math.ceil(image.length / SECTOR) * SECTOR;
		expect(decodeCommand(block)).toMatchObject({ source, destination: PLACE, size: image.length });
	});

	test("of unknown length it is staged as well", () => {
		const { bench } = benchOf(atomic);
		bench.update(image, { kind, byteLength: undefined });
		bench.restart();
		runsAfterCopy(bench);
		expect(bench.get(PLACE, FILES.length)).toEqual(FILES);
	});

	test("a power cut at every flash operation leaves the old filesystem and the firmware", () => {
		const operations = Math.ceil(image.length / SECTOR) + Math.ceil(image.length / 256);
		const { bench: whole } = benchOf(atomic);
		whole.soil();
		const before = whole.flash.operations;
		whole.update(image, { kind });
		expect(whole.flash.operations - before).toBe(operations);
		for (const cut of ["power before", "power during", "power after"] satisfies Fault["kind"][]) {
			for (let at = 0; at < operations; at += 5) {
				const { bench } = benchOf(atomic);
				bench.soil();
				bench.flash.control.arm({ at: bench.flash.operations + at, kind: cut });
				expect(codeOf(() => bench.update(image, { kind }))).toBeDefined();
				expect(bench.runs(ResetCause.POWER)).toBe("1.0.0");
				expect(bench.get(PLACE, OLD_FILES.length)).toEqual(OLD_FILES);
			}
		}
	});

	test("a failure or an end before the time leaves no choice, and nothing is told", () => {
		for (const md5 of ["0".repeat(32), undefined]) {
			const { bench, told } = benchOf(atomic);
			const update = bench.open(image, { kind, md5 });
			update.write(image);
			if (md5) expect(codeOf(() => update.complete())).toBe(MD5);
			else update.close();
			expect(readExpectation(board)).toBeUndefined();
			bench.restart();
			expect([bench.hasCommand, told]).toEqual([false, []]);
			expect(bench.get(PLACE, OLD_FILES.length)).toEqual(OLD_FILES);
		}
	});

	test("the next update of either kind takes back what has not been restarted into", () => {
		for (const next of ["firmware", "filesystem"] as const) {
			const { bench } = benchOf(atomic);
			bench.update(image, { kind });
			bench.open(FILES, { kind: next }).close();
			expect(bench.updater.awaitsRestart).toBe(false);
			bench.restart();
			expect(bench.hasCommand).toBe(false);
		}
	});
});

describe("atomic", () => {
	test("takes as much as the staging area has, and no byte more", () => {
		const { bench } = benchOf(atomic);
		expect(bench.updater.freeSpace(kind)).toBe(PLACE - STAGING);
		expect(codeOf(() => bench.open(FILES, { kind, byteLength: PLACE - STAGING + 1 }))).toBe(SPACE);
	});

	test("takes a compressed one that fills the whole filesystem, and none that is larger inflated", () => {
		const room = 0xb000;
		for (const [size, code] of [
			[room, undefined],
			[room + 1, SPACE],
		] as const) {
			const files = new Uint8Array(size).fill(0xff);
			files.set(FILES);
			const { bench } = benchOf({ ...atomic, ...smaller(0x200000, 3) });
			expect(codeOf(() => bench.update(gzipSync(files), { kind }))).toBe(code);
			if (code === undefined) {
				bench.restart();
				runsAfterCopy(bench);
				expect(bench.get(0x1f0000, room)).toEqual(files);
			}
		}
	});

	test("refuses a raw one that is larger than the filesystem", () => {
		const { bench } = benchOf({ ...atomic, ...smaller(0x200000, 3) });
		const files = noise(0xb001);
		expect(codeOf(() => bench.update(files, { kind }))).toBe(SPACE);
		bench.update(files.subarray(0, 0xb000), { kind });
		bench.restart();
		bench.runs();
		expect(bench.get(0x1f0000, 0xb000)).toEqual(files.subarray(0, 0xb000));
	});

	test("on a flash of 1 MiB it is staged behind the firmware that runs", () => {
		const { bench } = benchOf({ ...atomic, ...smaller(0x100000, 2) });
		bench.update(FILES, { kind });
		bench.restart();
		expect(runsAfterCopy(bench)).toBe("1.0.0");
		expect(bench.get(0xeb000, FILES.length)).toEqual(FILES);
	});

	const gzip = gzipSync(FILES);
	const withTrailer = (size: number) => {
		const image = gzip.slice();
		new DataView(image.buffer, image.byteOffset).setUint32(image.length - 4, size, true);
		return image;
	};
	test.each([
		["cut short", gzip.subarray(0, 5000)],
		["of nineteen bytes", gzip.subarray(0, 19)],
		["of two members", Buffer.concat([gzipSync(noise(60_000)), gzipSync(noise(50))])],
		["that inflates to nothing", withTrailer(0)],
		["that inflates to less than was compressed", withTrailer(9000)],
		["that inflates to more than deflate can", withTrailer(gzip.length * 1033)],
		["that inflates to a negative number", withTrailer(0x80000000)],
		["of a bomb", gzipSync(new Uint8Array(ROOM + 100_000))],
	])("refuses a gzip %s", (_, image) => {
		const { bench } = benchOf(atomic);
		expect([IMAGE, SPACE]).toContain(codeOf(() => bench.update(image, { kind })));
		bench.restart();
		expect(bench.hasCommand).toBe(false);
		expect(bench.runs()).toBe("1.0.0");
		expect(bench.get(PLACE, OLD_FILES.length)).toEqual(OLD_FILES);
	});

	test("refuses a gzip where the boot loader does not inflate, and takes a raw one", () => {
		const { bench } = benchOf(atomic);
		bench.start(undefined, { gzip: false });
		expect(codeOf(() => bench.update(gzip, { kind }))).toBe(IMAGE);
		bench.update(FILES, { kind });
	});

	test("a flash that fails or ignores a command is told, and the filesystem stays", () => {
		for (const [fault, codes] of [
			["fail", [ERASE, WRITE]],
			["ignored", [WRITE]],
		] as const) {
			for (let at = 0; at < 40; at += 3) {
				const { bench } = benchOf(atomic);
				bench.soil();
				bench.flash.control.arm({ at: bench.flash.operations + at, kind: fault });
				expect(codes).toContain(codeOf(() => bench.update(FILES, { kind })));
				expect(bench.get(PLACE, OLD_FILES.length)).toEqual(OLD_FILES);
			}
		}
	});

	test("an update that is abandoned by a restart is told of nothing", () => {
		const { bench, told } = benchOf(atomic);
		bench.open(FILES, { kind }).write(FILES);
		bench.restart();
		expect(bench.updater.last?.error?.code).toBe(ABANDONED);
		expect([bench.hasCommand, told]).toEqual([false, []]);
	});
});
