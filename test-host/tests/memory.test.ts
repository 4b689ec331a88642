/** The device's memory, in the real engine: what an update leaves of it for the application. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { measure, memoryTable, RESERVE, type Scenario, STACK, scenarios } from "../memory";
import { hasXS } from "./engines";

describe.skipIf(!hasXS && !process.env.CI)("an update of 600,000 bytes (needs gcc-multilib)", () => {
	test.each(scenarios.map((scenario): [string, Scenario] => [scenario.name, scenario]))(
		"by %s leaves a quarter of the engine's memory and of its stack untouched",
		async (_name, scenario) => {
			const { unused, stack } = await measure(scenario);
			expect(unused).toBeGreaterThanOrEqual(RESERVE.unused);
			expect(STACK - stack).toBeGreaterThanOrEqual(RESERVE.stack);
		},
	);
});

test("DESIGN.md has a line of peaks for each receiver", () => {
	const design = readFileSync(new URL("../../DESIGN.md", import.meta.url), "utf8");
	const [, table = ""] = /<!-- memory -->\n([\s\S]*)\n<!-- \/memory -->/.exec(design) ?? [];
	const titles = memoryTable([]).split("\n");
	expect(table.split("\n").slice(0, 2)).toEqual(titles);
	for (const { name } of scenarios) expect(table).toContain(`| ${name} |`);
});
