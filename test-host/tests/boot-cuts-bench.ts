/** The power cut at each flash operation of an update, and again at each one of its repair. */
import { expect, test } from "vitest";
import { Cuts } from "../judge/cuts";
import { type Plan, plans } from "../judge/plans";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

/** Tests those plans that `isWanted`: they are shared out to files, which run side by side. */
export function cutTwice(isWanted: (plan: Plan) => boolean): void {
	withCompiler("the boot loader's machine code, its power cut twice", () => {
		const bench = new JudgeBench();
		test.each(plans.filter(isWanted))("$name", { timeout: 600_000 }, (plan) => {
			const cuts = new Cuts(bench.judged, plan, bench.cells(plan.config));
			const { points, bricks, old, new: updated } = cuts.twice();
			expect(points).toBeGreaterThan(plan.stride === 1 ? 5000 : 1000);
			expect(bricks).toBe(0);
			expect(old + updated).toBe(points);
		});
	});
}
