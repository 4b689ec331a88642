import { expect, test } from "vitest";
import { Cuts } from "../judge/cuts";
import { plans } from "../judge/plans";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

withCompiler("the boot loader's machine code, its power cut", () => {
	const bench = new JudgeBench();

	test.each(plans)("at each flash operation of: $name", { timeout: 120_000 }, (plan) => {
		const {
			points,
			bricks,
			old,
			new: updated,
		} = new Cuts(bench.judged, plan, bench.cells(plan.config)).once();
		expect(points).toBeGreaterThan(100);
		expect(bricks).toBe(0);
		expect(old + updated).toBe(points);
	});
});
