/** Records that no updater writes, but that flash may hold: the boot loader's machine code and its model must do the same with them. */
import { gzipSync, crc32 as zlibCRC } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "../../ota/eboot";
import { SECTOR } from "../../ota/image";
import type { JudgedBoard } from "../judge/board";
import { firmware } from "../judge/images";
import { FLASH_SIZE, NO_PREVIOUS, PLACES, STAGING } from "../judge/places";
import { Noise } from "../virtual/noise";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

const RUNS = 1500;
const HEADER_LENGTH = 64;
const STATES = 0x80;
const PROGRESS = [0x100, 0x140, 0x800];
const OLD = firmware({ seed: 21, length: 2 * SECTOR - 900 });
const NEW = firmware({ seed: 22, length: 3 * SECTOR - 700, packed: true });
const SILENT = firmware({ seed: 23, length: 2 * SECTOR + 40, confirms: false });
/** As large as the place of the application before. */
const FULL = firmware({ seed: 24, length: 6 * SECTOR - 100 });
/** Its packer tells of another length. */
const MISCOUNTED = NEW.slice();
MISCOUNTED[0x1010] = (MISCOUNTED[0x1010] ?? 0) + 16;
/** For the filesystem: a whole block, and nearly one. */
const BLOCK = new Noise(25).fill(new Uint8Array(16 * SECTOR)).fill(0x5a, 3000, 50000);
const DIRT = new Noise(26).fill(new Uint8Array(18 * SECTOR));
const files = {
	OLD,
	NEW,
	SILENT,
	FULL,
	MISCOUNTED,
	BLOCK,
	less: BLOCK.subarray(0, 15 * SECTOR - 100),
	none: new Uint8Array(),
};

/** Mostly one of these, now and then something else. */
const mostly = <T>(usual: readonly T[], other: fc.Arbitrary<T>) =>
	fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: other });
const place = mostly(
	[STAGING, STAGING, 2 * SECTOR, PLACES.previous, PLACES.filesystem, PLACES.filesystem + SECTOR],
	fc.nat(0x50).map((n) => n * 0xe00),
);
/** By their names, which a counterexample tells. */
const file = fc.constantFrom("OLD", "NEW", "SILENT", "FULL", "MISCOUNTED", "none");
/** A word of ones, one that is set, one that was torn. */
const state = fc.oneof(
	{ weight: 8, arbitrary: fc.constant(0xffffffff) },
	{ weight: 2, arbitrary: fc.constant(0) },
	{ weight: 1, arbitrary: fc.nat(0xffffffff) },
);
const known = fc.constantFrom("right", "right", "right", "wrong", "none", "torn");

const flash = fc.record({
	config: fc.constantFrom(PLACES, PLACES, NO_PREVIOUS),
	running: file,
	kept: file,
	result: fc.constantFrom("OLD", "NEW", "NEW", "SILENT", "FULL", "MISCOUNTED", "BLOCK", "less"),
	hasFilesystem: fc.boolean(),
	isStagedGzip: fc.boolean(),
	/** One bit of what is staged. */
	damage: fc.option(fc.nat(0xffff)),
	commanded: fc.option(
		fc.record({ source: place, destination: fc.constantFrom(0, PLACES.filesystem, 0x8000) }),
		{
			freq: 3,
		},
	),
	fault: fc.option(
		fc.record({
			after: fc.nat(60),
			kind: fc.constantFrom("fail", "torn", "ignored", "power before", "power during", "power after"),
			only: fc.constantFrom(undefined, undefined, "erase", "program"),
			repeat: fc.boolean(),
		}),
	),
});
const record = fc.record({
	isWhole: mostly([true, true, true], fc.constant(false)),
	isSecondWhole: fc.boolean(),
	version: mostly([1, 1, 1], fc.nat(3)),
	flags: fc.oneof(fc.constantFrom(0, 1, 12, 13), fc.nat(31)),
	source: place,
	destination: mostly([0, 0, 0, PLACES.filesystem], place),
	size: fc.option(fc.nat(0x20000), { freq: 8 }),
	length: fc.option(fc.nat(0x20000), { freq: 8 }),
	isRight: fc.boolean(),
	starts: fc.nat(9),
	states: fc.array(state, { minLength: 16, maxLength: 16 }),
	beforeLength: known,
	before: known,
	resultCRC: known,
	progress: fc.array(fc.nat(0xffffffff), { minLength: 3, maxLength: 3 }),
});
type Given<T> = T extends fc.Arbitrary<infer V> ? V : never;

function staged({ result, isStagedGzip, damage }: Given<typeof flash>): Uint8Array {
	const bytes = isStagedGzip ? new Uint8Array(gzipSync(files[result])) : files[result].slice();
	if (damage !== null) bytes[damage % bytes.length] = (bytes[damage % bytes.length] ?? 0) ^ 0x10;
	return bytes;
}

function pair(word: number, which: Given<typeof known>): [word: number, inverted: number] {
	if (which === "none") return [0xffffffff, 0xffffffff];
	const value = which === "wrong" ? word ^ 0x100 : word;
	return [value, which === "torn" ? ~value ^ 0x20 : ~value];
}

/** The record's words as they lie in flash, with what they tell of `result` and `running`. */
function encode(given: Given<typeof record>, lies: Given<typeof flash>, size: number): Uint8Array {
	const [result, running] = [files[lies.result], files[lies.running]];
	const bytes = new Uint8Array(SECTOR).fill(0xff);
	const view = new DataView(bytes.buffer);
	const put = (at: number, words: readonly number[]) => {
		words.forEach((word, i) => {
			view.setUint32(at + 4 * i, word, true);
		});
	};
	const { flags, source, destination, starts, isRight, states } = given;
	const crc = zlibCRC(result.subarray(destination === 0 ? SECTOR : 0));
	const header = [0x4941544f, given.version, 7, flags, source, destination, given.size ?? size];
	header.push(given.length ?? result.length, isRight ? crc : crc ^ 1, starts, 0, 0, 0, 0, 0);
	put(0, header);
	put(HEADER_LENGTH - 4, [crc32(bytes, HEADER_LENGTH - 4)]);
	bytes.copyWithin(HEADER_LENGTH, 0, HEADER_LENGTH);
	if (!given.isWhole) bytes[9] = (bytes[9] ?? 0) ^ 1;
	if (!given.isSecondWhole) bytes[HEADER_LENGTH + 9] = (bytes[HEADER_LENGTH + 9] ?? 0) ^ 1;
	put(STATES, states);
	// As the loader counts it: whole sectors, the last one as it lies in flash.
	const padded = new Uint8Array(Math.ceil(Math.max(0, running.length - SECTOR) / SECTOR) * SECTOR).fill(0xff);
	padded.set(running.subarray(SECTOR));
	const [length, lengthInverted] = pair(padded.length, given.beforeLength);
	const [before, beforeInverted] = pair(zlibCRC(padded), given.before);
	put(0xc0, [length, before, lengthInverted, beforeInverted, ...pair(crc, given.resultCRC)]);
	for (const [i, at] of PROGRESS.entries()) put(at, [given.progress[i] ?? 0]);
	return bytes;
}

withCompiler("the boot loader's machine code and its model", () => {
	const bench = new JudgeBench();
	const { judged } = bench;

	test("property: do the same with any record, any flash, any fault", { timeout: 120_000 }, () => {
		const endings = new Map<string, number>();
		const told = new Set<string>();
		fc.assert(
			fc.property(flash, record, (given, recorded) => {
				const { config, running, kept, commanded, fault } = given;
				const bytes = staged(given);
				bench.insert(config);
				judged.each((board: JudgedBoard) => {
					if (given.hasFilesystem) board.put(PLACES.filesystem, DIRT);
					board.put(STAGING, bytes.subarray(0, FLASH_SIZE - STAGING));
					if (config.previous > 0) board.put(config.previous, files[kept].subarray(SECTOR));
					const { source } = recorded;
					const isThere = source % SECTOR === 0 && source < FLASH_SIZE;
					if (isThere) board.put(source, bytes.subarray(0, FLASH_SIZE - source));
					board.put(SECTOR, files[running].subarray(SECTOR));
					board.put(0, bench.cells(config).subarray(0, SECTOR));
					board.put(config.stages, bench.cells(config).subarray(config.stages, config.stages + SECTOR));
					board.put(config.record, encode(recorded, given, bytes.length));
					if (commanded) board.command(commanded.source, commanded.destination, bytes.length);
					const { after, kind, only, repeat } = fault ?? {};
					if (after === undefined || kind === undefined) return;
					const at = board.operations + after;
					board.control.arm({ at, kind, repeat: repeat === true, ...(only && { only }) });
				});
				for (let i = 0; i < 3; i++) {
					const ending = judged.start();
					endings.set(ending, (endings.get(ending) ?? 0) + 1);
					for (const [text] of judged.machine.uart.matchAll(/cp:\d*|back/g)) told.add(text);
					if (ending === "cut") judged.reset();
					expect(ending).not.toBe("restart");
				}
			}),
			{ numRuns: RUNS },
		);
		expect([...endings.keys()].sort()).toEqual(["application", "cut", "waits"]);
		for (const each of ["cp:0", "cp:1", "cp:4", "cp:5", "cp:6", "cp:10", "cp:11", "cp:12", "cp:13", "back"])
			expect([...told]).toContain(each);
	});
});
