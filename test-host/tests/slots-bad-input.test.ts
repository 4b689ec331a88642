import { describe, expect, test } from "vitest";
import { bootStrategy } from "../../ota/boot-loader";
import { EbootStrategy } from "../../ota/eboot";
import { ErrorCode } from "../../ota/errors";
import { RunningFirmware } from "../../ota/running";
import { encodeRecord, OtaState, RECORD_LENGTH } from "../../ota/slots/otadata-record";
import { AppSubtype, PartitionType, TABLE_OFFSET } from "../../ota/slots/partition-table";
import { PartitionTableStrategy } from "../../ota/slots/partition-table-strategy";
import { Updater } from "../../ota/updater";
import { encodeTable } from "../../tools/partitions/binary";
import board from "../shims/board";
import { OLD, OTA_0, OTA_1, OTADATA, partition, SlotsBench, slotImage, TWO_SLOTS } from "./slots-bench";
import { codeOf, firmware, md5, UpdaterBench } from "./updater-bench";

const NEW = slotImage("2.0.0", 30_000);

describe("an image", () => {
	function refusal(image: Uint8Array): ErrorCode | undefined {
		const bench = new SlotsBench();
		bench.start();
		const code = codeOf(() => bench.update(image));
		// Whatever it was: nothing is chosen, and the old one goes on.
		expect(bench.records).toEqual([undefined, undefined]);
		expect(bench.start()).toBe("1.0.0");
		return code;
	}

	test.each([
		["that is linked for another slot", () => slotImage("2.0.0", 20_000, 0x80000), ErrorCode.WRONG_SLOT],
		["with a wrong checksum", () => NEW.with(-1, (NEW.at(-1) ?? 0) ^ 1), ErrorCode.IMAGE],
		["with another byte in it", () => NEW.with(20_000, (NEW[20_000] ?? 0) ^ 1), ErrorCode.IMAGE],
		["that is cut short", () => NEW.subarray(0, 20_000), ErrorCode.IMAGE],
		["for eboot", () => firmware("2.0.0", 20_000), ErrorCode.IMAGE],
		["that is no image", () => new Uint8Array(20_000), ErrorCode.MAGIC_BYTE],
		["in a gzip", () => Uint8Array.of(0x1f, 0x8b, ...new Uint8Array(5000)), ErrorCode.IMAGE],
	])("%s is refused, and the old one runs", (_name, image, code) => {
		expect(refusal(image())).toBe(code);
	});

	test("of the slot's size fits, one byte more does not", () => {
		const table = encodeTable([
			...TWO_SLOTS.slice(0, 4),
			partition("ota_1", PartitionType.APP, AppSubtype.OTA_0 + 1, OTA_1, 0x8000),
		]);
		const bench = new SlotsBench({ table });
		bench.start();
		expect(codeOf(() => bench.open(new Uint8Array(0x8001)))).toBe(ErrorCode.SPACE);
		bench.update(slotImage("2.0.0", 0x8000));
		expect(bench.start()).toBe("2.0.0");
	});

	test("whose length is not told is bounded by the slot", () => {
		const bench = new SlotsBench();
		bench.start();
		expect(bench.updater.freeSpace("firmware")).toBe(0xf0000);
		bench.update(NEW, { byteLength: undefined });
		expect(bench.start()).toBe("2.0.0");
	});
});

describe("otadata", () => {
	const record = (sequence: number, state: number = OtaState.VALID) => {
		const bytes = new Uint8Array(RECORD_LENGTH);
		encodeRecord(new DataView(bytes.buffer), { sequence, state, started: false });
		return bytes;
	};
	const damaged = (sequence: number) => record(sequence).with(28, 0);

	function withRecords(first: Uint8Array | undefined, second: Uint8Array | undefined): SlotsBench {
		const bench = new SlotsBench();
		bench.put(OTA_1, slotImage("other", 20_000));
		if (first) bench.put(OTADATA, first);
		if (second) bench.put(OTADATA + 0x1000, second);
		return bench;
	}

	test.each([
		["both erased: the first slot", undefined, undefined, "1.0.0"],
		["the larger one first", record(4), record(3), "other"],
		["the larger one second", record(2), record(3), "1.0.0"],
		["the first damaged: the second", damaged(4), record(3), "1.0.0"],
		["the second damaged: the first", record(2), damaged(3), "other"],
		["one damaged, one erased: every slot", damaged(2), undefined, "1.0.0"],
		["both damaged: every slot", damaged(2), damaged(3), "1.0.0"],
		["the larger one aborted: the other", record(4, OtaState.ABORTED), record(3), "1.0.0"],
	])("with %s", (_name, first, second, version) => {
		const bench = withRecords(first, second);
		expect(bench.start()).toBe(version);
		// And an update goes into the slot that does not run, and boots.
		bench.update(NEW);
		expect(bench.start()).toBe("2.0.0");
		bench.updater.confirm();
		expect(bench.start()).toBe("2.0.0");
	});

	test("that means a slot whose image is damaged: the other slot runs, and an update repairs it", () => {
		const bench = withRecords(record(2), undefined);
		bench.put(OTA_1, slotImage("other", 20_000).with(5000, 0xff).with(5001, 0xff));
		expect(bench.start()).toBe("1.0.0");
		expect(bench.uart).toContain("OTA app partition slot 1 is not bootable");
		// What was chosen does not run: it cannot be given up.
		expect(codeOf(() => bench.updater.rollback())).toBe(ErrorCode.NO_WAY_BACK);
		bench.update(NEW);
		expect(bench.start()).toBe("2.0.0");
	});
});

describe("a rollback", () => {
	test("to what was half overwritten is refused, and what runs goes on", () => {
		const bench = new SlotsBench();
		bench.start();
		bench.update(NEW);
		bench.start();
		bench.updater.confirm();
		const next = slotImage("3.0.0", 30_000);
		const update = bench.open(next);
		update.write(next.subarray(0, 9000));
		update.close();
		expect(codeOf(() => bench.updater.rollback())).toBe(ErrorCode.NO_WAY_BACK);
		expect(bench.start()).toBe("2.0.0");
	});

	test("of what a cable put there has no way back", () => {
		const bench = new SlotsBench();
		bench.start();
		expect(bench.updater.onTrial).toBe(false);
		expect(codeOf(() => bench.updater.rollback())).toBe(ErrorCode.NO_WAY_BACK);
		bench.updater.confirm();
	});

	test("goes back to the factory's app where nothing was chosen before", () => {
		const table = encodeTable([
			...TWO_SLOTS.slice(0, 3),
			partition("factory", PartitionType.APP, AppSubtype.FACTORY, OTA_0, 0x40000),
			partition("ota_0", PartitionType.APP, AppSubtype.OTA_0, OTA_1, 0x40000),
			partition("ota_1", PartitionType.APP, AppSubtype.OTA_0 + 1, 0x150000, 0x40000),
		]);
		const bench = new SlotsBench({ table, trials: false });
		expect(bench.start()).toBe("1.0.0");
		bench.update(NEW);
		expect(bench.start()).toBe("2.0.0");
		bench.rollback();
		expect(bench.start()).toBe("1.0.0");
		expect(bench.records).toEqual([undefined, undefined]);
		expect(bench.updater.refuses({ md5: md5(NEW), version: "", tag: "" })).toBe(true);
	});
});

describe("what was refused", () => {
	function refuseNext(bench: SlotsBench, image: Uint8Array, tag = ""): void {
		bench.update(image, { tag });
		bench.start();
		bench.rollback();
		expect(bench.start()).toBe("1.0.0");
	}
	const images = Array.from({ length: 7 }, (_, i) => slotImage(`2.0.${i}`, 20_000));
	const refuses = (bench: SlotsBench, image: Uint8Array) =>
		bench.updater.refuses({ md5: md5(image), version: "", tag: "" });

	test.each([true, false])(
		"is remembered over other updates, the last four at least (trials: %s)",
		(trials) => {
			const bench = new SlotsBench({ trials });
			bench.start();
			for (const image of images) refuseNext(bench, image);
			for (const image of images.slice(-4)) expect(refuses(bench, image)).toBe(true);
			expect(refuses(bench, NEW)).toBe(false);
			bench.update(NEW);
			bench.start();
			bench.updater.confirm();
			bench.start();
			for (const image of images.slice(-4)) expect(refuses(bench, image)).toBe(true);
		},
	);

	test.each([true, false])("however many there were, updates go on (trials: %s)", (trials) => {
		const bench = new SlotsBench({ trials });
		bench.start();
		for (let i = 0; i < 20; i++) {
			const image = images[i % images.length] ?? NEW;
			bench.update(image);
			bench.start();
			// Not confirmed: the next start goes back.
			expect(bench.start()).toBe("1.0.0");
			expect(refuses(bench, image)).toBe(true);
		}
	});

	test("is known by its MD5; without that by its ETag; without both by its version", () => {
		const bench = new SlotsBench();
		bench.start();
		refuseNext(bench, NEW, '"abc"');
		const knows = (identity: { md5?: string; tag?: string; version?: string }) =>
			bench.updater.refuses({ md5: "", tag: "", version: "", ...identity });
		expect(knows({ md5: md5(NEW), tag: '"other"' })).toBe(true);
		expect(knows({ md5: md5(OLD), tag: '"abc"', version: "2.0.0" })).toBe(false);
		expect(knows({ tag: '"abc"', version: "3.0.0" })).toBe(true);
		expect(knows({ tag: '"abcd"', version: "2.0.0" })).toBe(false);
		expect(knows({ version: "2.0.0" })).toBe(true);
		expect(knows({ version: "2.0.1" })).toBe(false);
		expect(knows({})).toBe(false);
	});

	test.each([true, false])("is what ran, not what was taken back before it could (trials: %s)", (trials) => {
		const bench = new SlotsBench({ trials });
		bench.start();
		const [first = NEW, second = NEW] = images;
		bench.update(first);
		refuseNext(bench, second);
		expect([refuses(bench, first), refuses(bench, second)]).toEqual([false, true]);
	});

	test("is taken from a person again, and is welcome once it has been confirmed", () => {
		const bench = new SlotsBench();
		bench.start();
		refuseNext(bench, NEW);
		expect(codeOf(() => bench.update(NEW, { isAsked: true }))).toBe(ErrorCode.ROLLED_BACK);
		bench.update(NEW);
		expect(bench.start()).toBe("2.0.0");
		bench.updater.confirm();
		expect(refuses(bench, NEW)).toBe(false);
	});
});

describe("a board whose table", () => {
	function updaterOf(table: Uint8Array): Updater {
		const bench = new SlotsBench();
		bench.start();
		bench.put(TABLE_OFFSET, table);
		const boot = bootStrategy(board);
		expect(boot).toBeInstanceOf(PartitionTableStrategy);
		return new Updater({ board, running: new RunningFirmware(boot.applicationOffset), boot });
	}
	const opens = (updater: Updater) => codeOf(() => updater.open({ kind: "firmware", byteLength: 10_000 }));

	test("has one slot only takes no firmware, and says what it wants", () => {
		const table = TWO_SLOTS.filter(({ label }) => label !== "ota_1");
		expect(opens(updaterOf(encodeTable(table)))).toBe(ErrorCode.NO_SLOT);
	});

	test("has no otadata, or a short one, takes none either", () => {
		const without = TWO_SLOTS.filter(({ label }) => label !== "otadata");
		expect(opens(updaterOf(encodeTable(without)))).toBe(ErrorCode.NO_SLOT);
		const short = TWO_SLOTS.map((one) => (one.label === "otadata" ? { ...one, size: 0x1000 } : one));
		expect(opens(updaterOf(encodeTable(short)))).toBe(ErrorCode.NO_SLOT);
	});

	test("is damaged keeps what runs, and takes none, with the damage as the reason", () => {
		const table = encodeTable(TWO_SLOTS);
		const updater = updaterOf(table.with(13, 0x41));
		expect(opens(updater)).toBe(ErrorCode.TABLE_MD5);
		expect(codeOf(() => updater.confirm())).toBe(ErrorCode.TABLE_MD5);
		expect(updater.onTrial).toBe(false);
	});
});

describe("a board with eboot", () => {
	test("has no trials, and says so", () => {
		const bench = new UpdaterBench();
		expect(bootStrategy(board)).toBeInstanceOf(EbootStrategy);
		expect(bench.updater.onTrial).toBe(false);
		expect(codeOf(() => bench.updater.confirm())).toBe(ErrorCode.NO_TRIAL);
		expect(codeOf(() => bench.updater.rollback())).toBe(ErrorCode.NO_TRIAL);
		expect(bench.updater.refuses({ md5: md5(NEW), version: "", tag: "" })).toBe(false);
	});

	test("is none with slots because of what its application has in the place of a table", () => {
		const running = firmware("1.0.0", 60_000);
		running.set(encodeTable(TWO_SLOTS), TABLE_OFFSET);
		const bench = new UpdaterBench({ running });
		expect(bench.updater.freeSpace("firmware")).toBe(0xfc000);
		expect(bootStrategy(board)).toBeInstanceOf(EbootStrategy);
	});
});
