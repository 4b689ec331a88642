import { describe, expect, test } from "vitest";
import { SECTOR } from "../../ota/image";
import { type FaultKind, PowerCut } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { BootBench, firmware, STAGING } from "./boot-bench";

/** Whole sectors, so that every page counts. */
const OLD = firmware("old", 8 * SECTOR);
const NEW = firmware("new", 8 * SECTOR);
const moments = ["power before", "power during", "power after"] as const satisfies readonly FaultKind[];
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

interface Plan {
	staging?: number;
	image?: Uint8Array;
	/** Whether the RTC memory keeps the command: the reset button, not the plug. */
	reset: boolean;
}

/** Ends the copy at every flash operation in turn, and counts by what the board is then, after the next boot. */
function interruptEverywhere(plan: Plan): {
	points: number;
	old: number;
	new: number;
	dead: number;
	hung: number;
} {
	const { staging = STAGING, image = NEW, reset } = plan;
	const bench = new BootBench();
	const { control } = bench.flash;
	const prepare = () => {
		bench.put(0, OLD);
		bench.put(staging, image);
		bench.command(staging, 0, image.length);
	};
	prepare();
	const before = control.operations;
	bench.eboot();
	const operations = control.operations - before;
	const count = { points: 3 * operations, old: 0, new: 0, dead: 0, hung: 0 };
	for (let operation = 0; operation < operations; operation++) {
		for (const kind of moments) {
			prepare();
			control.arm({ at: control.operations + operation, kind });
			expect(() => bench.eboot()).toThrow(PowerCut);
			control.powerOn();
			if (!reset) bench.rtc.powerOff();
			const outcome = bench.boot(reset ? ResetCause.RESET : ResetCause.POWER);
			if (outcome.kind === "hang") count.hung += 1;
			if (same(bench.get(0, OLD.length), OLD)) count.old += 1;
			else if (same(bench.get(0, image.length), image)) count.new += 1;
			else count.dead += 1;
		}
	}
	return count;
}

describe("a copy that is cut short", () => {
	test("by the power leaves neither the old firmware nor the new one, at nearly every operation", () => {
		const { points, old, new: updated, dead } = interruptEverywhere({ reset: false });
		expect(points).toBe(3 * 7 * 17);
		// Before the first erase it is the old one still; after the last page the new one already.
		expect(old).toBe(1);
		expect(updated).toBe(1);
		expect(dead).toBe(points - 2);
	});

	test("by a reset is repeated, since the command is still there, and succeeds at every operation", () => {
		const { points, new: updated } = interruptEverywhere({ reset: true });
		expect(updated).toBe(points);
	});

	test("by a reset fails at some operations where source and destination overlap", () => {
		// The copy runs over the first sectors of its own source.
		const { points, new: updated, dead } = interruptEverywhere({ staging: 3 * SECTOR, reset: true });
		expect(updated + dead).toBe(points);
		expect(dead / points).toBeGreaterThan(0.1);
		expect(updated / points).toBeGreaterThan(0.1);
	});

	test("by a reset may be the end, the ROM hanging, where it is in the boot loader's sector", () => {
		const image = NEW.slice();
		image[SECTOR - 1] = 0x55;
		const { points, new: updated, hung, dead } = interruptEverywhere({ image, reset: true });
		expect(hung).toBeGreaterThan(0);
		expect(hung).toBe(dead);
		expect(updated).toBe(points - dead);
		// The sector's erase, and its first page, which holds the whole boot loader image.
		expect(dead).toBeLessThanOrEqual(6);
	});
});

describe("in the middle of a copy", () => {
	function halfway(): BootBench {
		const bench = new BootBench();
		bench.put(0, OLD);
		bench.stage(NEW);
		bench.flash.control.arm({ at: 60, kind: "power during" });
		expect(() => bench.eboot()).toThrow(PowerCut);
		return bench;
	}

	test("the command is still in RTC memory", () => {
		expect(halfway().hasCommand).toBe(true);
	});

	test("the UART has said cp: and no result", () => {
		expect(halfway().uart).toMatch(/\r\n@cp:B$/);
	});

	test("a power cut loses the command, and nothing remembers the staged image, which is still whole", () => {
		const bench = halfway();
		bench.flash.control.powerOn();
		bench.rtc.powerOff();
		expect(bench.hasCommand).toBe(false);
		expect(same(bench.get(STAGING, NEW.length), NEW)).toBe(true);
		bench.boot(ResetCause.POWER);
		expect(bench.uart).toContain("~ld");
	});
});
