import { describe, expect, test } from "vitest";
import { RecordState } from "../../ota/boot-record/header";
import { ErrorCode } from "../../ota/errors";
import { SECTOR } from "../../ota/image";
import { NO_PREVIOUS, PLACES } from "../judge/places";
import type { FaultKind } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";
import { OwnBench, ownFirmware } from "./own-bench";
import { codeOf, md5 } from "./updater-bench";

const OLD = ownFirmware("old", 2 * SECTOR + 496);
const NEW = ownFirmware("new", 2 * SECTOR + 1008);
const SILENT = ownFirmware("silent", 2 * SECTOR + 1008, false);
const moments = ["power before", "power during", "power after"] as const satisfies readonly FaultKind[];
const identity = (file: Uint8Array, version = "") => ({ md5: md5(file), version, tag: "" });

/** The boot loader's part is played by the test. */
describe("a firmware that our boot loader has installed", () => {
	/** `running`: what lies in the application's place. */
	function installed(running = NEW): OwnBench {
		const bench = new OwnBench();
		bench.insert(running);
		bench.run();
		bench.update(NEW);
		bench.set(RecordState.KEPT, RecordState.BEGUN, RecordState.INSTALLED);
		bench.run();
		return bench;
	}

	test("is on trial until it is confirmed, by a word that needs no erase", () => {
		const bench = installed();
		expect(bench.updater.onTrial).toBe(true);
		const { operations } = bench.judged;
		bench.updater.confirm();
		expect([bench.updater.onTrial, bench.run().onTrial]).toEqual([false, false]);
		expect(bench.judged.operations).toBe(operations + 1);
		expect(bench.record.is(RecordState.CONFIRMED)).toBe(true);
	});

	test("is not on trial where it cannot confirm itself", () => {
		expect(installed(SILENT).updater.onTrial).toBe(false);
	});

	test.each(["CONFIRMED", "RESTORE", "RESTORED"] as const)("is not on trial with the state %s", (state) => {
		const bench = installed();
		bench.set(RecordState[state]);
		expect(bench.run().onTrial).toBe(false);
	});

	test("is not on trial where none was kept, or it is not installed", () => {
		for (const states of [[RecordState.INSTALLED], [RecordState.KEPT]]) {
			const bench = new OwnBench();
			bench.insert(NEW);
			bench.run();
			bench.update(NEW);
			bench.set(...states);
			expect(bench.run().onTrial).toBe(false);
		}
	});

	test("is remembered as refused where the boot loader went back from it on trial", () => {
		const bench = installed();
		bench.set(RecordState.RESTORE, RecordState.RESTORED);
		const updater = bench.run();
		expect(updater.refuses(identity(NEW))).toBe(true);
		expect(updater.refuses({ md5: "", version: "new", tag: "" })).toBe(true);
		expect(updater.refuses(identity(OLD))).toBe(false);
	});

	test("is not where it was confirmed, and damaged later", () => {
		const bench = installed();
		bench.updater.confirm();
		bench.set(RecordState.RESTORE, RecordState.RESTORED);
		expect(bench.run().refuses(identity(NEW))).toBe(false);
	});

	test("three that were refused are remembered over the next updates, the oldest no more; one that is then confirmed is good", () => {
		const bench = new OwnBench();
		bench.insert(NEW);
		const files = Array.from({ length: 5 }, (_, i) => ownFirmware(`v${i}`, 2 * SECTOR + 1008));
		for (const file of files) {
			bench.run();
			bench.update(file);
			bench.set(RecordState.KEPT, RecordState.INSTALLED, RecordState.RESTORE, RecordState.RESTORED);
		}
		bench.run();
		const refused = () => files.map((file) => bench.updater.refuses(identity(file)));
		expect(refused()).toEqual([false, true, true, true, true]);
		bench.update(files[3] ?? NEW);
		expect(refused()).toEqual([false, false, true, true, true]);
		bench.set(RecordState.KEPT, RecordState.INSTALLED);
		bench.run();
		bench.updater.confirm();
		expect(refused()).toEqual([false, false, true, false, true]);
	});

	test.each([
		[
			"without a record",
			(bench: OwnBench) => bench.judged.erase(PLACES.record, SECTOR),
			"not chosen by an update",
		],
		[
			"after it has gone back",
			(bench: OwnBench) => bench.set(RecordState.RESTORED),
			"not chosen by an update",
		],
		["whose copy is damaged", (bench: OwnBench) => bench.judged.erase(PLACES.previous, 100), "it is damaged"],
	])("does not go back %s, and goes on", (_what, change, reason) => {
		const bench = installed();
		const before = OLD.subarray(SECTOR);
		bench.judged.put(PLACES.previous, before);
		change(bench);
		bench.run();
		const cells = bench.judged.cells.slice();
		expect(() => bench.updater.rollback()).toThrow(reason);
		expect(codeOf(() => bench.updater.rollback())).toBe(ErrorCode.NO_WAY_BACK);
		expect(Buffer.compare(bench.judged.cells, cells)).toBe(0);
	});
});

withCompiler("with our boot loader's machine code", () => {
	const bench = new OwnBench(new JudgeBench());

	function updated(running = OLD, file = NEW): void {
		bench.insert(running);
		bench.start();
		bench.update(file);
	}

	function onTrial(): void {
		updated();
		expect(bench.start()).toBe("new");
		expect(bench.updater.onTrial).toBe(true);
	}

	test("a firmware that is not confirmed goes at the next start, and is refused", () => {
		onTrial();
		expect(bench.start(ResetCause.WATCHDOG)).toBe("old");
		expect(bench.judged.uart).toContain("back");
		expect(bench.updater.refuses(identity(NEW))).toBe(true);
		expect([bench.has(OLD), bench.updater.onTrial]).toEqual([true, false]);
	});

	test("one that was confirmed stays, and goes back by hand", () => {
		onTrial();
		bench.updater.confirm();
		expect(bench.start()).toBe("new");
		bench.rollback();
		expect(bench.start()).toBe("old");
		expect(bench.updater.refuses(identity(NEW))).toBe(true);
		expect(codeOf(() => bench.updater.rollback())).toBe(ErrorCode.NO_WAY_BACK);
	});

	test("one that cannot confirm stays, by no word of its own", () => {
		updated(OLD, SILENT);
		for (let i = 0; i < 3; i++) {
			expect(bench.start()).toBe("silent");
			expect(bench.updater.onTrial).toBe(false);
		}
	});

	test("without room for the firmware before there is no trial", () => {
		bench.insert(OLD, NO_PREVIOUS);
		bench.start();
		bench.update(NEW);
		expect([bench.start(), bench.start()]).toEqual(["new", "new"]);
		expect(codeOf(() => bench.updater.rollback())).toBe(ErrorCode.NO_TRIAL);
	});

	test("an update that was completed is installed after a power cut, too", () => {
		updated();
		bench.judged.cutPower();
		expect(bench.start(ResetCause.POWER)).toBe("new");
	});

	interface Count {
		points: number;
		old: number;
		new: number;
	}

	/** Cuts the power at every flash operation of `act`, at each of three moments; what then comes up must be whole, and stay. */
	function cutEverywhere(prepare: () => void, act: () => void): Count {
		prepare();
		const before = bench.judged.operations;
		act();
		const operations = bench.judged.operations - before;
		const count: Count = { points: 3 * operations, old: 0, new: 0 };
		for (let operation = 0; operation < operations; operation++) {
			for (const kind of moments) {
				prepare();
				bench.judged.arm(operation, kind);
				expect(bench.isCut(act)).toBe(true);
				bench.judged.cutPower();
				const seen = Array.from({ length: 4 }, () => bench.start(ResetCause.POWER));
				for (const version of seen) expect(["old", "new"]).toContain(version);
				expect(seen[3]).toBe(seen[2]);
				expect(bench.has(seen[3] === "old" ? OLD : NEW)).toBe(true);
				expect(bench.updater.onTrial).toBe(false);
				if (seen[3] === "old") count.old += 1;
				else count.new += 1;
			}
		}
		return count;
	}

	const LONG = { timeout: 120_000 };

	test(
		"a power cut while it is staged and chosen leaves the old one: the new one is not confirmed here",
		LONG,
		() => {
			const { points, old } = cutEverywhere(
				() => {
					bench.insert(OLD);
					// Nothing of the staging area is erased, or holds what comes.
					bench.judged.cells.fill(0, 0x1d000, 0x20000);
					bench.start();
				},
				() => bench.update(NEW),
			);
			// Three sectors erased, 36 pages; the record: an erase, the note, the header twice.
			expect(points).toBe(3 * (3 + 36 + 4));
			expect(old).toBe(points);
		},
	);

	test(
		"a power cut during the install, the first start and the confirmation leaves one of the two",
		LONG,
		() => {
			const count = cutEverywhere(
				() => updated(),
				() => {
					if (bench.start() === "cut") return;
					bench.updater.confirm();
				},
			);
			expect(count.points).toBeGreaterThan(50);
			expect(count.old + count.new).toBe(count.points);
			// Behind the last page of the confirmation it stays.
			expect(count.new).toBeGreaterThan(0);
		},
	);

	test("a power cut during the start that goes back leaves the old one", LONG, () => {
		const { points, old } = cutEverywhere(
			() => onTrial(),
			() => {
				bench.start();
			},
		);
		expect(points).toBeGreaterThan(20);
		expect(old).toBe(points);
	});

	test("a power cut during a rollback by hand leaves one of the two", LONG, () => {
		const count = cutEverywhere(
			() => {
				onTrial();
				bench.updater.confirm();
			},
			() => bench.rollback(),
		);
		// The note, and the word.
		expect(count.points).toBe(6);
		expect([count.old + count.new, count.old > 0]).toEqual([6, true]);
	});
});
