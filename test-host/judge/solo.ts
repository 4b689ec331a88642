/** One board, judged by itself. */
import type { FaultKind } from "../virtual/nor";
import type { ResetCause } from "../virtual/outcome";
import type { Ending, JudgedBoard } from "./board";

export class Solo {
	readonly machine: JudgedBoard;

	constructor(machine: JudgedBoard) {
		this.machine = machine;
	}

	each(act: (board: JudgedBoard) => void): void {
		act(this.machine);
	}

	arm(after: number, kind: FaultKind): void {
		this.machine.arm(after, kind);
	}

	cutPower(): void {
		this.machine.cutPower();
	}

	reset(): void {
		this.machine.reset();
	}

	start(cause?: ResetCause): Ending {
		return this.machine.start(cause);
	}
}
