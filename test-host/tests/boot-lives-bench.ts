/** Random lives of a board, by their seeds. */
import { expect, test } from "vitest";
import { NO_PREVIOUS, PLACES } from "../judge/places";
import { Life, type Tally } from "../judge/sequences";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

/** In CI 100,000, shared out to files, which run side by side. */
const LIVES = 25_000;

/** Tests the `part`th of these. */
export function live(part: number): void {
	const first = part * LIVES;
	withCompiler(`the boot loader's machine code, over random lives from ${first} on`, () => {
		const bench = new JudgeBench();

		test("starts a whole application wherever there is one", { timeout: 1_200_000 }, () => {
			const tally: Tally = { starts: 0, cuts: 0, whole: 0, waits: 0, blind: 0, bricks: 0 };
			for (let seed = first; seed < first + LIVES; seed++) {
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
}
