import { describe, expect, test } from "vitest";
import { SECTOR } from "../../ota/image";
import { AppSubtype, PartitionType } from "../../ota/slots/partition-table";
import { encodeTable } from "../../tools/partitions/binary";
import { type FaultKind, PowerCut } from "../virtual/nor";
import { OTA_0, partition, SlotsBench, slotImage, TWO_SLOTS } from "./slots-bench";

/** On the smallest flash that has room for them, since a new one is made for each point. */
const OTA_1 = 0x80000;
const TABLE = encodeTable([
	...TWO_SLOTS.slice(0, 3),
	partition("ota_0", PartitionType.APP, AppSubtype.OTA_0, OTA_0, 0x10000),
	partition("ota_1", PartitionType.APP, AppSubtype.OTA_0 + 1, OTA_1, 0x10000),
]);
const SIZE = 0x100000;

const OLD = slotImage("old", SECTOR + 500);
/** It spans sectors, and ends within one. */
const NEW = slotImage("new", SECTOR + 1000, OTA_1);
const moments = ["power before", "power during", "power after"] as const satisfies readonly FaultKind[];
const loaders = [
	["that knows trials", true],
	["that knows none", false],
] as const;

/** What a start does: an application that has come up, or the board that lost its power meanwhile. */
function withPower<T>(bench: SlotsBench, run: () => T): T | "cut" {
	try {
		return run();
	} catch (error) {
		if (!(error instanceof PowerCut) && bench.flash.control.powered) throw error;
		return "cut";
	}
}

interface Count {
	points: number;
	old: number;
	new: number;
}

/**
 * Cuts the power at every flash operation of what `act` does, at each of three moments, and looks at what then comes
 * up, several times over: it must be a whole image, the old one or the new one, and in the end it must stay.
 */
function cutEverywhere(prepare: () => SlotsBench, act: (bench: SlotsBench) => void): Count {
	const whole = prepare();
	const { control } = whole.flash;
	const before = control.operations;
	act(whole);
	const operations = control.operations - before;
	const count: Count = { points: 3 * operations, old: 0, new: 0 };
	for (let operation = 0; operation < operations; operation++) {
		for (const kind of moments) {
			const bench = prepare();
			const { control } = bench.flash;
			control.arm({ at: control.operations + operation, kind });
			withPower(bench, () => act(bench));
			expect(control.powered).toBe(false);
			control.powerOn();
			const seen = Array.from({ length: 4 }, () => bench.start());
			for (const version of seen) expect(["old", "new"]).toContain(version);
			// What is not confirmed has gone; what was confirmed, or was never chosen, stays.
			expect(seen[3]).toBe(seen[2]);
			expect(bench.updater.onTrial).toBe(false);
			if (seen[3] === "old") count.old += 1;
			else count.new += 1;
		}
	}
	return count;
}

function board(trials: boolean): SlotsBench {
	const bench = new SlotsBench({ size: SIZE, table: TABLE, running: OLD, trials });
	bench.start();
	return bench;
}

function updated(trials: boolean): SlotsBench {
	const bench = board(trials);
	bench.update(NEW);
	return bench;
}

function onTrial(trials: boolean): SlotsBench {
	const bench = updated(trials);
	expect(bench.start()).toBe("new");
	return bench;
}

describe.each(loaders)("with a boot loader %s a power cut", (_name, trials) => {
	test("during staging and switching leaves the old one, or the new one on trial", () => {
		const { points, old } = cutEverywhere(
			() => {
				const bench = board(trials);
				// Nothing of the slot is erased, or holds what comes.
				bench.put(OTA_1, new Uint8Array(2 * SECTOR));
				return bench;
			},
			(bench) => bench.update(NEW),
		);
		// Two sectors erased, 20 pages, the note of the image, and the record: an erase and its page.
		expect(points).toBe(3 * (2 + 20 + 1 + 2));
		// Nobody confirms here: a new one that came up is given up again.
		expect(old).toBe(points);
	});

	test("during the first boot, and while it is confirmed, leaves one of the two", () => {
		const {
			points,
			old,
			new: kept,
		} = cutEverywhere(
			() => updated(trials),
			(bench) => {
				bench.start();
				bench.updater.confirm();
			},
		);
		expect(points).toBeGreaterThan(0);
		expect(old + kept).toBe(points);
		// Behind the last page of the confirmation it stays.
		expect(kept).toBeGreaterThan(0);
	});

	test("during the second boot of what was not confirmed leaves the old one", () => {
		const { points, old } = cutEverywhere(
			() => onTrial(trials),
			(bench) => bench.start(),
		);
		expect(points).toBeGreaterThan(0);
		expect(old).toBe(points);
	});

	test("during a rollback by hand leaves one of the two", () => {
		const {
			points,
			old,
			new: kept,
		} = cutEverywhere(
			() => {
				const bench = onTrial(trials);
				bench.updater.confirm();
				return bench;
			},
			(bench) => bench.rollback(),
		);
		expect(points).toBeGreaterThan(0);
		expect(old + kept).toBe(points);
		expect(old).toBeGreaterThan(0);
	});

	test("during the update after the next, which is written over the first slot, leaves one of the two", () => {
		const again = slotImage("old", SECTOR);
		const {
			points,
			old,
			new: kept,
		} = cutEverywhere(
			() => {
				const bench = onTrial(trials);
				bench.updater.confirm();
				expect(bench.start()).toBe("new");
				return bench;
			},
			(bench) => bench.update(again),
		);
		expect(points).toBeGreaterThan(0);
		// What came up for a moment is given up, and what was confirmed before stays.
		expect([old, kept]).toEqual([0, points]);
	});
});
