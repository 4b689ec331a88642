import { existsSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { bootLoaderFile, buildBootLoader } from "../../boot/build";
import { cutLine, installs, timeLine } from "../bench/boot-loaders";
import { commanded } from "../judge/plans";
import { withCompiler } from "./lx106";

withCompiler("the bench of boot loaders", () => {
	beforeAll(() => {
		if (!existsSync(bootLoaderFile)) buildBootLoader();
	});

	test("counts dead boards: eboot's at most moments, ours at none", { timeout: 60_000 }, () => {
		const plan = commanded.find(({ name }) => name.startsWith("raw, overlapping"));
		if (!plan) throw new Error("no such plan");
		const [, eboot = "", ...ours] = cutLine(plan, 29);
		const [bricks = 0, points = 0] = eboot.split(" of ").map(Number);
		expect(points).toBeGreaterThan(100);
		expect(bricks).toBeGreaterThan(points / 2);
		for (const cell of ours) expect(cell).toMatch(/^0 of \d{3,}$/);
	});

	test("measures an install, and the start behind it", { timeout: 60_000 }, () => {
		const seconds = (name: string) => {
			const install = installs.find((one) => one.name === name);
			if (!install) throw new Error(`no ${name}`);
			const [, , first, , next] = timeLine(install).map(Number);
			return [first ?? 0, next ?? 0] as const;
		};
		for (const how of ["raw", "gzip"]) {
			const [eboot] = seconds(`${how}, eboot`);
			const [ours, next] = seconds(`${how}, ours`);
			// It erases by blocks.
			expect(ours).toBeLessThan(eboot);
			expect(ours).toBeGreaterThan(1);
			expect(next).toBeLessThan(0.5);
		}
	});
});
