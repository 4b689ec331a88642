import { expect, test } from "vitest";
import type { JudgedBoard } from "../judge/board";
import { PLACES, STAGING } from "../judge/places";
import { type Plan, plans } from "../judge/plans";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

const LENGTH = 0x3000;

withCompiler("the boot loader's machine code, what it stands on damaged after a power cut", () => {
	const bench = new JudgeBench();
	const { board } = bench;

	/** Cuts the power after each flash operation, and damages what the repair would read. */
	const lives = function* (plan: Plan, damage: (board: JudgedBoard) => void) {
		for (let operation = 0; ; operation++) {
			board.renew(bench.cells(plan.config));
			plan.prepare(board);
			board.arm(operation, "power after");
			let ending = board.start();
			for (let i = 1; i < plan.starts && ending === "application"; i++) ending = board.start();
			if (ending !== "cut") return;
			board.cutPower();
			damage(board);
			yield operation;
		}
	};
	const isWhole = (plan: Plan) => plan.isOld(board) || plan.isNew(board);

	test.each(plans.filter(({ name }) => !name.startsWith("filesystem")))(
		"what is whole is started: $name",
		{ timeout: 60_000 },
		(plan) => {
			let whole = 0;
			const damages = [
				(board: JudgedBoard) => board.erase(STAGING, LENGTH),
				(board: JudgedBoard) => board.erase(PLACES.previous, LENGTH),
			];
			for (const damage of damages) {
				for (const operation of lives(plan, damage)) {
					if (!isWhole(plan)) continue;
					whole += 1;
					for (let i = 0; i < 3; i++) {
						expect([operation, board.start(), board.uart]).toEqual([
							operation,
							"application",
							expect.anything(),
						]);
						expect([operation, isWhole(plan)]).toEqual([operation, true]);
					}
				}
			}
			expect(whole).toBeGreaterThan(plan.name === "first install" ? 1 : 10);
		},
	);
});
