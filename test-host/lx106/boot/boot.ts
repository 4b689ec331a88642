/** From a reset to the application: the mask ROM, then the boot loader in the flash as the machine code that it is. */
import { Memory } from "../../virtual/memory";
import { Noise } from "../../virtual/noise";
import type { NorFlash } from "../../virtual/nor";
import { type Outcome, ResetCause } from "../../virtual/outcome";
import { runROM } from "../../virtual/rom";
import type { RtcMemory } from "../../virtual/rtc";
import { hex32, type Print } from "../../virtual/uart";
import { Clock } from "./clock";
import { MachineFault, SoftwareReset } from "./fault";
import type { Window } from "./instruction";
import { type End, Machine } from "./machine";
import { RomCalls } from "./rom-calls";

const DATA: Window = Object.freeze({ start: 0x3ffe8000, length: 0x18000 });
const INSTRUCTIONS: Window = Object.freeze({ start: 0x40100000, length: 0x10000 });
/** The ROM's own variables, which its functions need. */
const ROM_VARIABLES: Window = Object.freeze({ start: 0x3fffc000, length: 0x2000 });
/** Where the ROM's stack has come to when it calls the boot loader. */
const ROM_STACK = 0x3fffff30;
/** What an application expects. */
export const APPLICATION_STACK = 0x3ffffff0;
/** Instruction RAM that applications leave to boot loaders. */
const STAGES = 0x4010e000;
/** About a minute of the chip. */
const LIMIT = 3_000_000_000;

export interface BootMachineOptions {
	flash: NorFlash;
	rtc: RtcMemory;
	print: Print;
	/** None where there was no reset. */
	cause?: ResetCause | undefined;
	/** Of what RAM and registers hold at the reset. */
	seed?: number;
	/** What data RAM holds at the reset, in the place of noise: of a run before. */
	ram?: Uint8Array | undefined;
	/** Instructions after which it is taken for hung. */
	limit?: number;
}

export type BootMachineOutcome = Outcome & {
	/** Of the boot loader. */
	instructions: number;
	/** ms of erasing and programming. */
	flashTime: number;
	/** ms on the chip, all in all. */
	time: number;
	/** What the code did that it must not; the outcome is then the watchdog's reset. */
	fault?: string;
};

type Jump = Extract<Outcome, { kind: "jump" }>;

/** One for all runs: what is translated stays, and its RAM is used again. */
const machine = new Machine(DATA, INSTRUCTIONS);

/** Throws PowerCut where the flash loses its power, Error where the loader has no code in instruction RAM. */
export function bootMachine(options: BootMachineOptions): BootMachineOutcome {
	const { flash, rtc, print, cause, seed = 1, limit = LIMIT } = options;
	const clock = new Clock();
	const outcome = runLoader(runROM({ flash, print, cause }));
	return { ...outcome, instructions: clock.instructions, flashTime: clock.flash, time: clock.ms };

	function runLoader(rom: Outcome): Outcome & { fault?: string } {
		if (rom.kind !== "jump") return rom;
		const { ram, bus, registers } = machine;
		ram.scramble(seed);
		if (options.ram) ram.d8.set(options.ram);
		for (const { address, data } of rom.memory.loads) ram.view(address, data.length)?.set(data);
		const code = { ...codeAt(rom), window: DATA };
		bus.attach(code, { rtc, clock });
		new Noise(seed).fill(new Uint8Array(registers.buffer));
		registers[1] = ROM_STACK;
		const calls = new RomCalls({ flash, print, clock }, ram, bus);
		const { entry, memory } = rom;
		const entries = () => pointersIn(memory);
		try {
			const end = machine.run({ code, entry, stages: STAGES, entries, clock, rom: calls, limit, seed });
			const isWhole = ram.untouched(ROM_VARIABLES.start, ROM_VARIABLES.length);
			return isWhole ? ended(end) : fault("the ROM's variables were overwritten");
		} catch (error) {
			if (error instanceof MachineFault) return fault(error.message);
			if (!(error instanceof SoftwareReset)) throw error;
			return { kind: "reset", cause: ResetCause.RESET, reason: "software reset" };
		}
	}
}

/** The segment that the ROM jumps into. */
function codeAt({ entry, memory }: Jump): { start: number; bytes: Uint8Array } {
	const found = memory.loads.find(({ address, data }) => entry >= address && entry < address + data.length);
	if (!found) throw new Error(`the boot loader has no code at its entry 0x${hex32(entry)}`);
	return { start: found.address, bytes: found.data };
}

/** All words that were loaded: pointers to functions and tables of jumps are among them. */
function pointersIn(memory: Memory): number[] {
	return memory.loads.flatMap(({ data: { buffer, byteOffset, length } }) => {
		const view = new DataView(buffer, byteOffset, length);
		return Array.from({ length: length >> 2 }, (_, i) => view.getUint32(4 * i, true));
	});
}

function ended(end: End): Outcome & { fault?: string } {
	const { pc, ram, registers } = machine;
	const where = `0x${hex32(pc)}`;
	if (end === "watchdog")
		return { kind: "reset", cause: ResetCause.WATCHDOG, reason: `watchdog at ${where}` };
	if (end === "spin") return { kind: "hang", reason: `spins at ${where}` };
	if (end === "limit") return { kind: "hang", reason: `runs on and on at ${where}` };
	if (!ram.isInstruction(pc) || ram.untouched(pc & ~3, 4))
		return fault(`jump to ${where}, where nothing was loaded`);
	const stack = (registers[1] ?? 0) >>> 0;
	if (stack !== APPLICATION_STACK) return fault(`jump to ${where} with the stack at 0x${hex32(stack)}`);
	const memory = new Memory();
	for (const { start, length } of [DATA, INSTRUCTIONS]) {
		const bytes = ram.view(start, length);
		if (bytes) memory.store(start, bytes.slice());
	}
	return { kind: "jump", entry: pc, memory };
}

function fault(what: string): Outcome & { fault: string } {
	return { kind: "reset", cause: ResetCause.WATCHDOG, reason: what, fault: what };
}
