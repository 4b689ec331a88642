import { crc32, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Staged } from "../../ota/boot";
import { bootStrategy } from "../../ota/boot-loader";
import { RecordFlag, RecordState } from "../../ota/boot-record/header";
import { readOutcome } from "../../ota/boot-record/outcome";
import { OwnBootStrategy } from "../../ota/boot-record/own-boot-strategy";
import { readConfig } from "../../ota/boot-record/read-config";
import { EbootStrategy } from "../../ota/eboot";
import { ErrorCode } from "../../ota/errors";
import { SECTOR } from "../../ota/image";
import type { BootConfig } from "../../tools/image/boot-config";
import { FLASH_SIZE, NO_PREVIOUS, PLACES, STAGING } from "../judge/places";
import board from "../shims/board";
import { insertChip, QUIET } from "../virtual/chip";
import { Noise } from "../virtual/noise";
import type { FaultKind } from "../virtual/nor";
import { layoutOf, OwnBench, ownFirmware, restarting } from "./own-bench";
import { codeOf, md5, UpdaterBench } from "./updater-bench";

const OLD = ownFirmware("old", 2 * SECTOR + 496);
const NEW = ownFirmware("new", 3 * SECTOR + 1008);
const moments = ["power before", "power during", "power after"] as const satisfies readonly FaultKind[];

function inserted(config: BootConfig = PLACES): OwnBench {
	const bench = new OwnBench();
	bench.insert(OLD, config);
	bench.run();
	return bench;
}

function own(config: BootConfig = PLACES): OwnBootStrategy {
	const strategy = bootStrategy(board);
	expect(strategy).toBeInstanceOf(OwnBootStrategy);
	expect(readConfig()).toEqual(config.previousEnd > 0 ? { ...PLACES } : { ...NO_PREVIOUS });
	return strategy as OwnBootStrategy;
}

describe("the boot loader of a board", () => {
	test("is ours where its configuration lies at flash 0x10", () => {
		inserted();
		own();
	});

	test.each([
		["without one", 0x10],
		["with one of another version", 0x14],
	])("is eboot %s", (_what, at) => {
		const bench = inserted();
		bench.judged.cells[at] = 2;
		expect(bootStrategy(board)).toBeInstanceOf(EbootStrategy);
	});

	test("is eboot where that lies in sector 0", () => {
		new UpdaterBench();
		expect(readConfig()).toBeUndefined();
		expect(bootStrategy(board)).toBeInstanceOf(EbootStrategy);
	});
});

describe("an update for our boot loader", () => {
	test("is written to its record: a raw firmware with the CRC of what is behind sector 0, on trial", () => {
		const bench = inserted();
		bench.update(NEW);
		const { header, isUntouched, isTrial } = bench.record;
		expect(header).toEqual({
			sequence: 1,
			flags: RecordFlag.TRIAL,
			source: 0x20000 - 4 * SECTOR,
			destination: 0,
			size: NEW.length,
			length: NEW.length,
			crc: crc32(NEW.subarray(SECTOR)),
			starts: 1,
		});
		expect([isUntouched, isTrial]).toEqual([true, false]);
		expect(Buffer.compare(bench.judged.cells.subarray(header?.source, 0x20000 - 0x1000 + 1008), NEW)).toBe(0);
	});

	test("is never on trial where there is no room for the firmware before", () => {
		const bench = inserted(NO_PREVIOUS);
		bench.update(NEW);
		expect(bench.record.header).toMatchObject({ flags: 0, starts: 0 });
		expect(codeOf(() => bench.updater.confirm())).toBe(ErrorCode.NO_TRIAL);
	});

	test("is as a gzip without a CRC, and with the length that it inflates to", () => {
		const bench = inserted();
		const gzip = new Uint8Array(gzipSync(NEW));
		bench.update(gzip);
		const flags = RecordFlag.TRIAL | RecordFlag.GZIP | RecordFlag.CRC_UNKNOWN;
		expect(bench.record.header).toMatchObject({ flags, size: gzip.length, length: NEW.length, crc: 0 });
	});

	test("is as a filesystem for its place, with the CRC of all of it, and not on trial", () => {
		const bench = inserted();
		const files = new Noise(3).fill(new Uint8Array(3 * SECTOR - 900));
		bench.update(files, "filesystem");
		const { length } = files;
		const expected = {
			flags: 0,
			destination: PLACES.filesystem,
			size: length,
			length,
			crc: crc32(files),
			starts: 0,
		};
		expect(bench.record.header).toMatchObject(expected);
	});

	test("needs no boot loader in its first sector, nor another one's to be whole", () => {
		const bench = inserted();
		for (const fill of [0, 0xff, 0x5a]) {
			const file = NEW.slice();
			// eboot checks the checksum there, and the count of segments.
			file.fill(fill, 1, SECTOR);
			file[3] = 1 << 4;
			bench.update(file);
			expect(bench.record.header).toMatchObject({ crc: crc32(NEW.subarray(SECTOR)) });
		}
		expect(bench.record.header?.sequence).toBe(3);
	});

	test("takes back what was chosen before it, and what is already taken up stays as it is", () => {
		const bench = inserted();
		bench.update(NEW);
		const opened = bench.updater.open({ kind: "firmware", byteLength: NEW.length });
		expect(bench.record.is(RecordState.REFUSED)).toBe(true);
		// The next start has nothing to tell of it.
		expect(readOutcome()).toBeUndefined();
		opened.close();
		bench.update(NEW);
		expect(bench.record.is(RecordState.REFUSED)).toBe(false);
		bench.set(RecordState.BEGUN);
		bench.run().open({ kind: "firmware", byteLength: NEW.length }).close();
		expect(bench.record.is(RecordState.REFUSED)).toBe(false);
	});

	test("restarts without a command in RTC memory", () => {
		const bench = inserted();
		bench.update(NEW);
		restarting(() => bench.updater.restart());
		expect(bench.judged.hasCommand).toBe(false);
	});

	test("is refused while what runs is on trial, a filesystem too: the record has one place", () => {
		const bench = new OwnBench();
		bench.insert(NEW);
		bench.run();
		bench.update(NEW);
		bench.set(RecordState.KEPT, RecordState.BEGUN, RecordState.INSTALLED);
		bench.run();
		expect(bench.updater.onTrial).toBe(true);
		for (const kind of ["firmware", "filesystem"] as const) {
			expect(codeOf(() => bench.updater.open({ kind, byteLength: 5000 }))).toBe(ErrorCode.ON_TRIAL);
		}
		expect(codeOf(() => own().check(staged({})))).toBe(ErrorCode.ON_TRIAL);
	});

	test.each([
		["code that reaches into where the second stage is loaded", 0x4010bff0, 0x2014, false],
		["code right below", 0x4010bff0, 0x2010, true],
		["what is neither loaded nor mapped", 0x4010c000, 16, false],
		["what is mapped", 0x40201010, 16, true],
		["what is mapped, and more", 0x402fff00, 0x104, false],
		["data up to the ROM's own", 0x3fffbff0, 16, true],
		["data over the ROM's own", 0x3fffbff0, 20, false],
	])("has, as the boot loader wants it, %s", (_what, address, length, isTaken) => {
		inserted();
		const view = new DataView(new ArrayBuffer(2 * SECTOR));
		[0x01e9, 0x40100000, address, length].forEach((word, i) => {
			view.setUint32(SECTOR + 4 * i, word, true);
		});
		expect(own().scanner().write(view, view.byteLength)).toBe(isTaken ? undefined : "application segment");
	});
});

/** A raw firmware of four sectors at the end of the staging area, with these changes. */
function staged(changes: Partial<Staged>): Staged {
	const image = { md5: md5(NEW), version: "new", tag: "" };
	const place = { address: 0x1c000, size: 4 * SECTOR, destination: 0, room: PLACES.applicationEnd };
	return { ...place, inflated: undefined, image, ...changes };
}

describe("what is staged for our boot loader", () => {
	const { applicationEnd, filesystem, filesystemEnd, record, stages } = PLACES;
	const room = filesystemEnd - filesystem;
	test.each([
		["between sectors", { address: 0x1c004 }],
		["in sector 0", { address: 0 }],
		["beyond the chip", { address: FLASH_SIZE - 3 * SECTOR }],
		["of no byte", { size: 0 }],
		["a byte larger than the application's place", { size: applicationEnd + 1, address: 0x10000 }],
		["inflated a byte larger than that", { inflated: applicationEnd + 1 }],
		["larger than its partition", { room: 4 * SECTOR - 1 }],
		["over the record", { address: record - 3 * SECTOR }],
		["over the second stage", { address: stages + SECTOR }],
		["for a place that is none", { destination: PLACES.previous, room }],
		[
			"a byte larger than the filesystem's place",
			{ destination: filesystem, inflated: room + 1, room: room + 1 },
		],
		["a filesystem that reaches over the end from within", { destination: filesystem + 30 * SECTOR, room }],
		[
			"a gzip that its result would lie over",
			{ address: 3 * SECTOR, size: SECTOR, inflated: 3 * SECTOR + 1 },
		],
		[
			"a filesystem that lies over its place from below",
			{ address: filesystem - SECTOR, destination: filesystem, room, size: 2 * SECTOR },
		],
	] as const)("is refused %s, before anything changes", (_what, changes) => {
		const bench = inserted();
		const strategy = own();
		expect(codeOf(() => strategy.check(staged(changes)))).toBe(ErrorCode.SPACE);
		expect(bench.judged.operations).toBe(0);
	});

	test.each([
		["as it is", {}],
		["as large as the application's place", { size: applicationEnd, address: 0x10000 }],
		["inflated as large as that", { inflated: applicationEnd }],
		["raw over its own place from above", { address: 2 * SECTOR, size: 3 * SECTOR }],
		["a gzip right behind its result", { address: 4 * SECTOR, size: SECTOR, inflated: 4 * SECTOR }],
		["right below the record", { address: record - 4 * SECTOR }],
		["right behind the second stage", { address: stages + 2 * SECTOR }],
		["a filesystem as large as its place", { destination: filesystem, inflated: room, room }],
		["at the end of the chip", { address: FLASH_SIZE - 4 * SECTOR }],
	] as const)("is taken %s", (_what, changes) => {
		inserted();
		expect(codeOf(() => own().check(staged(changes)))).toBeUndefined();
	});
});

describe("a boot loader with other places than the application's layout", () => {
	type Changes = Readonly<Record<string, { offset: number; size: number } | undefined>>;

	function withLayout(changes: Changes): OwnBench {
		const bench = inserted();
		const layout = new Map(layoutOf(PLACES));
		for (const [name, partition] of Object.entries(changes)) {
			if (partition) layout.set(name, { ...partition, readOnly: false });
			else layout.delete(name);
		}
		insertChip({
			...QUIET,
			flash: bench.judged.flash,
			rtc: bench.judged.rtc,
			layout,
			restart: () => process.exit(1),
		});
		return bench;
	}

	test.each([
		["less room for the firmware before", { previous: { offset: 6 * SECTOR, size: 4 * SECTOR } }],
		["no place for the firmware before", { previous: undefined }],
	] as const)("takes updates, without a trial: %s", (_what, changes) => {
		const bench = withLayout(changes);
		bench.run();
		bench.update(NEW);
		expect([own().fault, own().trial]).toEqual([undefined, undefined]);
		expect(bench.record.header?.flags).toBe(0);
	});

	test.each([
		["another record", { bootrecord: { offset: 13 * SECTOR, size: SECTOR } }, "bootrecord"],
		["no record", { bootrecord: undefined }, "bootrecord"],
		["another second stage", { bootstages: { offset: 0x3e000, size: 2 * SECTOR } }, "bootstages"],
	] as const)("is told of, and gets no firmware: %s", (_what, changes, place) => {
		const updater = withLayout(changes).run();
		expect(own().fault?.message).toContain(`(${place})`);
		const open = () => updater.open({ kind: "firmware", byteLength: NEW.length });
		expect(codeOf(open)).toBe(ErrorCode.OTHER_LAYOUT);
		// Nor a filesystem that would be staged.
		const filesystem = () => updater.open({ kind: "filesystem", byteLength: 5000 });
		expect(codeOf(filesystem)).toBe(ErrorCode.OTHER_LAYOUT);
		expect(codeOf(() => own().check(staged({})))).toBe(ErrorCode.OTHER_LAYOUT);
	});
});

describe("a power cut while an update is chosen", () => {
	test("leaves the whole choice, or none, and never another one", () => {
		const bench = inserted();
		const choose = () => {
			bench.judged.put(STAGING, NEW);
			own().select(staged({ address: STAGING, size: NEW.length }));
		};
		choose();
		const { operations } = bench.judged;
		// An erase, the note of the image, the header and its copy.
		expect(operations).toBe(4);
		const count = { none: 0, before: 0, whole: 0 };
		for (let operation = 0; operation < operations; operation++) {
			for (const kind of moments) {
				bench.insert(OLD);
				choose();
				bench.set(RecordState.BEGUN, RecordState.INSTALLED, RecordState.CONFIRMED);
				bench.judged.arm(operation, kind);
				expect(bench.isCut(choose)).toBe(true);
				bench.judged.cutPower();
				const { header, isUntouched } = bench.record;
				if (!header) count.none += 1;
				else if (header.sequence === 2 && isUntouched && header.crc === crc32(NEW.subarray(SECTOR)))
					count.whole += 1;
				else if (header.sequence === 1 && !isUntouched) count.before += 1;
			}
		}
		expect(count.none + count.before + count.whole).toBe(3 * operations);
		// Before the erase; from the end of the header on.
		expect(count.before).toBe(1);
		expect(count.whole).toBe(4);
	});
});
