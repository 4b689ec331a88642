/** What the modules of the board's firmware stand on in the bench: a processor in virtual time, and a network. */
import { Air, type AirOptions } from "./air";
import { Clock } from "./clock";
import { Cpu } from "./cpu";
import { Network } from "./network";

export class Machine {
	readonly clock = new Clock();
	readonly cpu = new Cpu(this.clock);
	readonly network: Network;
	/** Instructions that the firmware's script takes for a byte that it reads. */
	readonly script: number;

	constructor(air: AirOptions, script: number) {
		this.script = script;
		this.network = new Network(this.clock, this.cpu, new Air(this.clock, air));
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
