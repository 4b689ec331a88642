/** Cuts the power at every flash operation of an update, and at every one of what then repairs it. */
import type { FaultKind } from "../virtual/nor";
import type { ResetCause } from "../virtual/outcome";
import type { Ending, JudgedBoard } from "./board";
import { Past } from "./past";
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
const KINDS = ["power during", "power after"] as const;
/** More starts than any update takes. */
const SETTLED = 4;

/** Of so many operations. */
function moments(operations: number, keeping: readonly boolean[]) {
	const numbers = Array.from({ length: operations }, (_, operation) => operation);
	return numbers.flatMap((operation) =>
		KINDS.flatMap((kind) => keeping.map((keepsMemory) => ({ operation, kind, keepsMemory }))),
	);
}

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

	/** Cuts once, at every moment; `resets`: RTC memory outlives half of these, if there is a command in it. */
	once(resets = true): Count {
		const count: Count = { points: 0, old: 0, new: 0, bricks: 0 };
		for (const cut of this.#points()) {
			if (cut.keepsMemory && !resets) continue;
			this.#begin(cut);
			this.#settle(count, SETTLED);
		}
		return count;
	}

	/** Cuts each repair, too, at every one of its own moments. `stride`: of the first cuts every so many. */
	twice(stride = this.#plan.stride): Count {
		const count: Count = { points: 0, old: 0, new: 0, bricks: 0 };
		for (const first of this.#points().filter((_, i) => i % stride === 0)) {
			this.#begin(first);
			const pasts: Past[] = [];
			this.#judged.each((board) => pasts.push(new Past(board)));
			const keeping = this.#keeping;
			this.#live();
			const operations = Math.max(...pasts.map((past) => past.end()));
			for (const { operation, kind, keepsMemory } of moments(operations, keeping)) {
				for (const past of pasts) past.return(operation, kind, keepsMemory);
				this.#settle(count, this.#plan.starts + 1);
			}
		}
		return count;
	}

	/** A board on which this has happened. */
	#begin(cut?: Cut): void {
		this.#judged.each((board) => {
			board.renew(this.#cells);
			this.#plan.prepare(board);
		});
		if (cut) this.#cut(cut);
	}

	/** Every moment of the update. */
	#points(): Cut[] {
		this.#begin();
		const { machine } = this.#judged;
		const keeping = this.#keeping;
		const before = machine.operations;
		this.#live();
		const first = keeping.map((keepsMemory) => ({
			operation: 0,
			kind: "power before" as const,
			keepsMemory,
		}));
		return [...first, ...moments(machine.operations - before, keeping)];
	}

	/** Where nothing is in RTC memory, nothing is lost with it. */
	get #keeping(): boolean[] {
		return this.#judged.machine.hasCommand ? [false, true] : [false];
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
	#settle(count: Count, starts: number): void {
		const { machine } = this.#judged;
		const { isOld, isNew, mayBeLost } = this.#plan;
		count.points += 1;
		let isWhole = true;
		for (let i = 0; i < starts && isWhole; i++) {
			isWhole = this.#startOnce() === "application" && (isOld(machine) || isNew(machine));
		}
		if (!isWhole) count.bricks += 1;
		else if (isNew(machine)) count.new += 1;
		else if (mayBeLost) count.old += 1;
		else throw new Error("what was intended is lost");
	}
}
