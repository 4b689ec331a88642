import { expect, test } from "vitest";
import { Cuts } from "../judge/cuts";
import { plans } from "../judge/plans";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

withCompiler("the boot loader's machine code, its power cut", () => {
	const bench = new JudgeBench();

	test.each(plans)("at each flash operation of: $name", { timeout: 120_000 }, (plan) => {
		const cuts = new Cuts(bench.judged, plan, bench.cells(plan.config));
		const { points, bricks, old, new: updated } = cuts.count();
		expect(points).toBeGreaterThan(15);
		expect(bricks).toBe(0);
		expect(old + updated).toBe(points);
	});

	/** A keeping board has more to do, and one that restores most. */
	const strides: Readonly<Record<string, number>> = { restore: 29, "raw, the one before kept": 17 };
	const raw = plans.filter(({ name }) => !name.includes("gzip"));
	test.each(raw)("and again at each operation of the repair: $name", { timeout: 120_000 }, (plan) => {
		const cuts = new Cuts(bench.judged, plan, bench.cells(plan.config));
		// Of the first cuts some, of the second all.
		const { points, bricks } = cuts.count({ twice: true, stride: strides[plan.name] ?? 7 });
		expect(points).toBeGreaterThan(100);
		expect(bricks).toBe(0);
	});
});
