/** The lx106 with the chip's RAM: runs code until it jumps away, spins, or has run long enough. */
import { Noise } from "../../virtual/noise";
import { Bus } from "./bus";
import type { Clock } from "./clock";
import { MachineFault } from "./fault";
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
	/** Where the loader's later stages run, which lie below `code`: address of the first one. */
	stages?: number;
	/** More addresses that may be jumped to; where they are missing the program is translated anew meanwhile. */
	entries?: () => Iterable<number>;
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
	readonly #programs: Program[] = [];

	constructor(data: Window, instructions: Window) {
		this.ram = new Ram(data, instructions);
		this.bus = new Bus(this.ram);
	}

	get pc(): number {
		return (this.registers[PC] ?? 0) >>> 0;
	}

	/** Throws MachineFault, SoftwareReset, PowerCut. */
	run(start: Start): End {
		const { entry, clock, rom, limit, seed, stages = start.code.start } = start;
		const { registers } = this;
		let { code } = start;
		let program = this.#program(code, start);
		const noise = new Noise(seed);
		registers[PC] = entry;
		for (;;) {
			const watched = clock.instructionsLeft;
			const left = Math.min(watched, limit - clock.instructions, SLICE_MAX);
			if (left <= 0) return watched <= 0 ? "watchdog" : "limit";
			registers[BUDGET] = left;
			const exit = program.run();
			clock.instructions += left - (registers[BUDGET] ?? 0);
			if (exit === Exit.SPIN) return clock.watching ? "watchdog" : "spin";
			if (exit === Exit.BUDGET) {
				if (left === SLICE_MAX) continue;
				return left === watched ? "watchdog" : "limit";
			}
			const { pc } = this;
			if (rom && pc >= ROM_START && pc < ROM_END) this.#call(rom, noise);
			else if (pc >= stages && pc < code.start) {
				code = this.#extend(code, stages);
				program = this.#program(code, start);
			} else return "away";
		}
	}

	/** With the stage that has been loaded below the code; neither may change from now on. */
	#extend(code: Code, stages: number): Code {
		const { pc, ram, bus } = this;
		const bytes = ram.view(stages, code.start + code.bytes.length - stages);
		if (!bytes || ram.untouched(pc & ~3, 4)) throw new MachineFault("no code was loaded", pc);
		const extended = { ...code, start: stages, bytes };
		bus.protect(extended);
		return extended;
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
	#program(code: Code, { entry, entries = () => [] }: Start): Program {
		const { start, bytes } = code;
		const kept = this.#programs.find(
			(program) => program.code.start === start && Buffer.compare(program.code.bytes, bytes) === 0,
		);
		if (kept) return kept;
		if (this.#programs.length === PROGRAMS_MAX) this.#programs.shift();
		const own = { ...code, bytes: bytes.slice() };
		const program = new Program(own, [entry, ...entries()], this.ram, this.registers, this.bus);
		this.#programs.push(program);
		return program;
	}
}
