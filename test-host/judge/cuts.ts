/** Cuts the power at every flash operation of an update, and at every one of what then repairs it. */
import type { FaultKind } from "../virtual/nor";
import type { ResetCause } from "../virtual/outcome";
import type { Ending, JudgedBoard } from "./board";
import type { Plan } from "./plans";
import { RecordState } from "./record";

/** What both a board and two that live through the same can do. */
export interface Judged {
	start(cause?: ResetCause): Ending;
	each(act: (board: JudgedBoard) => void): void;
	arm(after: number, kind: FaultKind): void;
	cutPower(): void;
	reset(): void;
	readonly machine: JudgedBoard;
}

export interface Count {
	/** Moments at which the power was cut. */
	points: number;
	/** What the board then comes up with. */
	old: number;
	new: number;
	/** Nothing whole comes up. */
	bricks: number;
}

/** Where the power goes, or the chip is reset. */
interface Cut {
	/** Of the flash, counted from the start. */
	operation: number;
	kind: FaultKind;
	/** RTC memory outlives it, and with it a command: a reset, or a short dip of the power. */
	keepsMemory: boolean;
}

/** Between two operations there is one moment: after the one, before the other. */
const moments = ["power during", "power after"] as const satisfies readonly FaultKind[];
/** More starts than any update takes. */
const SETTLED = 4;

export class Cuts {
	readonly #judged: Judged;
	readonly #plan: Plan;
	readonly #cells: Uint8Array;

	/** `bootLoader`: cells of a flash that has nothing else. */
	constructor(judged: Judged, plan: Plan, bootLoader: Uint8Array) {
		this.#judged = judged;
		this.#plan = plan;
		this.#cells = bootLoader;
	}

	/** With `twice` each repair is cut, too, at every one of its own moments. `stride`: of the first cuts every so many. */
	count({ twice = false, stride = 1 }: { twice?: boolean; stride?: number } = {}): Count {
		const count: Count = { points: 0, old: 0, new: 0, bricks: 0 };
		const firsts = this.#points([]).filter((_, i) => i % stride === 0);
		for (const first of firsts) {
			const seconds = twice ? this.#points([first]) : [];
			for (const cuts of twice ? seconds.map((second) => [first, second]) : [[first]]) {
				this.#begin(cuts);
				this.#settle(count);
			}
		}
		return count;
	}

	/** A board on which these have happened, one after the other. */
	#begin(cuts: readonly Cut[]): void {
		this.#judged.each((board) => {
			board.renew(this.#cells);
			this.#plan.prepare(board);
		});
		for (const cut of cuts) this.#cut(cut);
	}

	/** Every moment of what follows. */
	#points(cuts: readonly Cut[]): Cut[] {
		this.#begin(cuts);
		const { machine } = this.#judged;
		const before = machine.operations;
		this.#live();
		const operations = machine.operations - before;
		const points: Cut[] = [];
		// Where nothing is in RTC memory, nothing is lost with it.
		for (const keepsMemory of this.#plan.isCommanded ? [false, true] : [false]) {
			if (operations > 0) points.push({ operation: 0, kind: "power before", keepsMemory });
			for (let operation = 0; operation < operations; operation++) {
				for (const kind of moments) points.push({ operation, kind, keepsMemory });
			}
		}
		return points;
	}

	/** What the plan's starts are, up to a power cut. */
	#live(): Ending {
		let ending: Ending = "application";
		for (let i = 0; i < this.#plan.starts && ending === "application"; i++) ending = this.#startOnce();
		return ending;
	}

	#startOnce(): Ending {
		const ending = this.#judged.start();
		if (ending !== "application" || !this.#plan.confirms) return ending;
		this.#judged.each((board) => {
			if (this.#plan.isNew(board)) board.cells.fill(0, ...this.#confirmation());
		});
		return ending;
	}

	#confirmation(): [start: number, end: number] {
		const start = this.#plan.config.record + RecordState.CONFIRMED;
		return [start, start + 4];
	}

	#cut({ operation, kind, keepsMemory }: Cut): void {
		this.#judged.arm(operation, kind);
		if (this.#live() !== "cut") throw new Error(`no power cut at operation ${operation}`);
		if (keepsMemory) this.#judged.reset();
		else this.#judged.cutPower();
	}

	/** Each start must bring up something whole; in the end it is what was to come. */
	#settle(count: Count): void {
		const { machine } = this.#judged;
		const { isOld, isNew, mayBeLost } = this.#plan;
		count.points += 1;
		let isWhole = true;
		for (let i = 0; i < SETTLED && isWhole; i++) {
			isWhole = this.#startOnce() === "application" && (isOld(machine) || isNew(machine));
		}
		if (!isWhole) count.bricks += 1;
		else if (isNew(machine)) count.new += 1;
		else if (mayBeLost) count.old += 1;
		else throw new Error("what was intended is lost");
	}
}
