import { expect, test } from "vitest";
import { SECTOR } from "../../ota/image";
import { applicationOf } from "../judge/images";
import { PLACES, STAGING } from "../judge/places";
import { OLD, type Plan, plans } from "../judge/plans";
import type { Twins } from "../judge/twins";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

const LENGTH = 0x3000;

withCompiler("the boot loader's machine code, what it stands on damaged after a power cut", () => {
	const bench = new JudgeBench();
	const { judged, board } = bench;

	/** Cuts the power after each flash operation, and damages what the repair would read. */
	const lives = function* (plan: Plan, damage: (judged: Twins) => void) {
		for (let operation = 0; ; operation++) {
			judged.renew(bench.cells(plan.config));
			judged.each((each) => plan.prepare(each));
			judged.arm(operation, "power after");
			let ending = judged.start();
			for (let i = 1; i < plan.starts && ending === "application"; i++) ending = judged.start();
			if (ending !== "cut") return;
			judged.cutPower();
			damage(judged);
			yield operation;
		}
	};
	const isWhole = (plan: Plan) => plan.isOld(board) || plan.isNew(board);
	/** Whether a copy of the application before is whole, where it is kept. */
	const isKept = ({ config }: Plan) =>
		config.previous > 0 &&
		Buffer.compare(
			board.cells.subarray(config.previous, config.previous + OLD.length - SECTOR),
			applicationOf(OLD),
		) === 0;

	test.each(plans.filter(({ name }) => !name.startsWith("filesystem")))(
		"what is whole is started: $name",
		{ timeout: 60_000 },
		(plan) => {
			let whole = 0;
			const damages = [
				(twins: Twins) => twins.erase(STAGING, LENGTH),
				(twins: Twins) => twins.erase(PLACES.previous, LENGTH),
				// Behind the copy's end, in its last sector.
				(twins: Twins) => twins.put(PLACES.previous + OLD.length - SECTOR + 100, Uint8Array.of(0)),
			];
			for (const damage of damages) {
				for (const operation of lives(plan, damage)) {
					if (!isWhole(plan) && !isKept(plan)) continue;
					whole += 1;
					for (let i = 0; i < 3; i++) {
						expect([operation, judged.start(), board.uart]).toEqual([
							operation,
							"application",
							expect.anything(),
						]);
						expect([operation, isWhole(plan)]).toEqual([operation, true]);
					}
				}
			}
			expect(whole).toBeGreaterThan(plan.name.startsWith("first install") ? 1 : 10);
		},
	);
});
