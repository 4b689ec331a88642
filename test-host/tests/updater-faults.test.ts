/** Every flash operation of an update fails in every way, and is the moment of a power cut. */
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import type { Fault } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { codeOf, firmware, md5, OLD, UpdaterBench } from "./updater-bench";

const NEW = firmware("2.0.0", 14_000);
/** Four sectors: an erase each, and a program a page. */
const OPERATIONS = 4 + Math.ceil(14_000 / 256);

function arm(bench: UpdaterBench, at: number, kind: Fault["kind"]): void {
	bench.flash.control.arm({ at: bench.flash.operations + at, kind });
}

function unharmed(bench: UpdaterBench, cause: ResetCause): void {
	bench.restart();
	expect(bench.runs(cause)).toBe("1.0.0");
	expect(md5(bench.get(0, OLD.length))).toBe(md5(OLD));
}

test("an update takes as many flash operations as it has sectors and pages", () => {
	const bench = new UpdaterBench();
	bench.soil();
	bench.update(NEW);
	expect(bench.flash.operations).toBe(OPERATIONS);
});

describe.each(["fail", "torn"] as const)("a flash operation that reports a failure (%s)", (kind) => {
	test("ends the update at every one of them, and the next update succeeds", () => {
		for (let at = 0; at < OPERATIONS; at++) {
			const bench = new UpdaterBench();
			bench.soil();
			arm(bench, at, kind);
			const isErase = at % 17 === 0;
			expect(codeOf(() => bench.update(NEW))).toBe(isErase ? ErrorCode.ERASE : ErrorCode.WRITE);
			unharmed(bench, ResetCause.RESET);
			bench.start();
			bench.update(NEW);
			bench.restart();
			expect(bench.runs()).toBe("2.0.0");
		}
	});
});

test("a flash operation that is silently ignored is found before the choice, at every one that mattered", () => {
	for (let at = 0; at < OPERATIONS; at++) {
		const bench = new UpdaterBench();
		bench.soil();
		arm(bench, at, "ignored");
		const code = codeOf(() => bench.update(NEW));
		expect(code).toBe(ErrorCode.WRITE);
		unharmed(bench, ResetCause.RESET);
	}
});

describe.each(["power before", "power during", "power after"] as const)("a power cut (%s)", (kind) => {
	test("at every flash operation leaves the old firmware and no choice", () => {
		for (let at = 0; at < OPERATIONS; at++) {
			const bench = new UpdaterBench();
			bench.soil();
			arm(bench, at, kind);
			expect(codeOf(() => bench.update(NEW))).toBeDefined();
			expect(bench.hasCommand).toBe(false);
			expect(bench.runs(at % 2 ? ResetCause.POWER : ResetCause.RESET)).toBe("1.0.0");
			expect(md5(bench.get(0, OLD.length))).toBe(md5(OLD));
		}
	});
});
