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
		const firsts = this.#points(() => this.#prepare()).filter((_, i) => i % stride === 0);
		for (const first of firsts) {
			if (twice) {
				const begin = () => {
					this.#prepare();
					this.#cut(first);
				};
				for (const second of this.#points(begin)) {
					begin();
					// What the first cut has torn is other bits each time: the repair may be shorter.
					if (this.#isCut(second)) this.#settle(count);
				}
			} else {
				this.#prepare();
				this.#cut(first);
				this.#settle(count);
			}
		}
		return count;
	}

	#prepare(): void {
		this.#judged.each((board) => {
			board.control.disarm();
			board.control.powerOn();
			board.cells.set(this.#cells);
			this.#plan.prepare(board);
		});
	}

	/** Every moment of what follows `begin`. */
	#points(begin: () => void): (readonly [operation: number, kind: FaultKind])[] {
		begin();
		const { machine } = this.#judged;
		const before = machine.operations;
		this.#live();
		const operations = machine.operations - before;
		const points: [number, FaultKind][] = operations > 0 ? [[0, "power before"]] : [];
		for (let operation = 0; operation < operations; operation++) {
			for (const kind of moments) points.push([operation, kind]);
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

	#cut(point: readonly [number, FaultKind]): void {
		if (!this.#isCut(point)) throw new Error(`no power cut at operation ${point[0]}`);
	}

	#isCut([operation, kind]: readonly [number, FaultKind]): boolean {
		this.#judged.arm(operation, kind);
		const isCut = this.#live() === "cut";
		this.#judged.cutPower();
		return isCut;
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
