/** What the modules of the board's firmware stand on in the bench: a processor in virtual time, and a network. */
import { Air, type AirOptions } from "./air";
import { Clock } from "./clock";
import { Cpu } from "./cpu";
import { Network } from "./network";

/** Erases before the bytes come; does not erase what is erased; does not write what is there. */
export type Saving = "ahead" | "erased" | "equal";
export const SAVINGS: readonly Saving[] = ["ahead", "erased", "equal"];

export interface MachineOptions {
	air: AirOptions;
	/** Instructions that the firmware's script takes for a byte that it reads. */
	script: number;
	savings: readonly Saving[];
}

export class Machine {
	readonly clock = new Clock();
	readonly cpu = new Cpu(this.clock);
	readonly network: Network;
	readonly script: number;
	readonly savings: readonly Saving[];

	constructor({ air, script, savings }: MachineOptions) {
		this.network = new Network(this.clock, this.cpu, new Air(this.clock, air));
		this.script = script;
		this.savings = savings;
	}
}

let inserted: Machine | undefined;

/** Makes `machine` the one that the firmware stands on. */
export function insertMachine(machine: Machine | undefined): void {
	inserted = machine;
}

export function machine(): Machine {
	if (!inserted) throw new Error("no machine");
	return inserted;
}

/** Milliseconds on the board's clock; 0 before there is one. */
export function now(): number {
	return inserted ? inserted.cpu.now / 1000 : 0;
}
