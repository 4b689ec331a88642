/** The lx106 with the chip's RAM: runs code until it jumps away, spins, or has run long enough. */
import { Noise } from "../../virtual/noise";
import { Bus } from "./bus";
import type { Clock } from "./clock";
import type { Code, Window } from "./instruction";
import { BUDGET, Exit, PC, Program, type Registers } from "./program";
import { Ram } from "./ram";
import { ROM_END, ROM_START, type RomCalls } from "./rom-calls";

/** Programs that are kept translated. */
const PROGRAMS_MAX = 32;
/** The budget is an int32. */
const SLICE_MAX = 0x3fffffff;
/** a3..a11 are the callee's. */
const CLOBBERED = [3, 4, 5, 6, 7, 8, 9, 10, 11];

export interface Start {
	code: Code;
	entry: number;
	/** More addresses that may be jumped to; where they are missing the program is translated anew meanwhile. */
	entries?: Iterable<number>;
	clock: Clock;
	/** Without it a call of the ROM ends the run. */
	rom?: RomCalls;
	/** Instructions. */
	limit: number;
	/** Of the noise that ROM calls leave behind. */
	seed: number;
}

export type End = "away" | "spin" | "watchdog" | "limit";

export class Machine {
	readonly ram: Ram;
	readonly bus: Bus;
	/** a0..a15, SAR, PC. */
	readonly registers: Registers = new Int32Array(BUDGET + 1);
	readonly #programs = new Map<string, Program>();
	#last: Program | undefined;

	constructor(data: Window, instructions: Window) {
		this.ram = new Ram(data, instructions);
		this.bus = new Bus(this.ram);
	}

	get pc(): number {
		return (this.registers[PC] ?? 0) >>> 0;
	}

	/** Throws MachineFault, SoftwareReset, PowerCut. */
	run({ code, entry, entries = [], clock, rom, limit, seed }: Start): End {
		const { registers } = this;
		const program = this.#program(code, [entry, ...entries]);
		const noise = new Noise(seed);
		registers[PC] = entry;
		for (;;) {
			const watched = clock.instructionsLeft;
			const left = Math.min(watched, limit - clock.instructions, SLICE_MAX);
			if (left <= 0) return watched <= 0 ? "watchdog" : "limit";
			registers[BUDGET] = left;
			const exit = program.run();
			const ran = left - (registers[BUDGET] ?? 0);
			clock.instructions += ran;
			if (exit === Exit.SPIN) return clock.watching ? "watchdog" : "spin";
			if (exit === Exit.BUDGET) {
				if (ran > 0 && left === SLICE_MAX) continue;
				return left === watched ? "watchdog" : "limit";
			}
			if (!rom || this.pc < ROM_START || this.pc >= ROM_END) return "away";
			this.#call(rom, noise);
		}
	}

	#call(rom: RomCalls, noise: Noise): void {
		const { registers } = this;
		const back = registers[0] ?? 0;
		const result = rom.call(this.pc, registers, (back - 3) >>> 0);
		for (const register of CLOBBERED) registers[register] = noise.next();
		registers[2] = result ?? noise.next();
		registers[PC] = back;
	}

	/** The translated program, kept by its bytes. */
	#program(code: Code, entries: Iterable<number>): Program {
		const { start, bytes } = code;
		const last = this.#last?.code;
		if (this.#last && last?.start === start && Buffer.compare(last.bytes, bytes) === 0) return this.#last;
		const key = `${start} ${Buffer.from(bytes).toString("latin1")}`;
		let program = this.#programs.get(key);
		if (!program) {
			if (this.#programs.size === PROGRAMS_MAX) this.#programs.clear();
			const kept = { ...code, bytes: bytes.slice() };
			program = new Program(kept, entries, this.ram, this.registers, this.bus);
			this.#programs.set(key, program);
		}
		this.#last = program;
		return program;
	}
}
