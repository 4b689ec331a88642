/** A start of the board with its boot loader's machine code: mask ROM, the code, and what it calls of the ROM. */
import { Memory } from "../../virtual/memory";
import { Noise } from "../../virtual/noise";
import type { NorFlash } from "../../virtual/nor";
import { type Outcome, ResetCause } from "../../virtual/outcome";
import { runROM } from "../../virtual/rom";
import { RomFlash } from "../../virtual/rom-flash";
import type { RtcMemory } from "../../virtual/rtc";
import { type Print, printf } from "../../virtual/uart";
import { Cpu, MachineHang } from "./cpu";
import { MachineFault, MachineMemory } from "./memory";
import { formatted } from "./printf";

const RTC = 0x60001200;
const RTC_SIZE = 0x200;
const RESET_REGISTER = 0x60000700;
const WATCHDOG_FEED = 0x60000914;
/** Where the application gets its stack. */
const STACK = 0x3ffffff0;
const ROM_START = 0x40000000;
const ROM_END = 0x40010000;
/** Instructions of the ROM change these, as all that is called does. */
const CLOBBERED = [3, 4, 5, 6, 7, 8, 9, 10, 11];

export interface MachineStart {
	flash: NorFlash;
	rtc: RtcMemory;
	print: Print;
	cause?: ResetCause;
}

/** The chip restarts itself. */
class SoftwareReset extends Error {}

/** Keeps what it has translated, over the starts. */
export class BootMachine {
	/** Of the last start. */
	get instructions(): number {
		return this.#cpu.instructions;
	}
	readonly #memory: MachineMemory;
	readonly #cpu: Cpu;
	readonly #noise = new Noise(0x106);
	readonly #word = new Uint8Array(4);
	readonly #view = new DataView(this.#word.buffer);
	#rtc: RtcMemory | undefined;
	#flash: RomFlash | undefined;
	#chip: NorFlash | undefined;
	#print: Print = () => {};

	constructor() {
		const registers = {
			load: (address: number) => this.#loadRegister(address),
			store: (address: number, value: number) => this.#storeRegister(address, value),
		};
		this.#memory = new MachineMemory(registers, () => this.#cpu.forget());
		this.#cpu = new Cpu(this.#memory);
	}

	/** From the reset up to the application. Throws PowerCut where the flash loses its power. */
	start({ flash, rtc, print, cause = ResetCause.POWER }: MachineStart): Outcome {
		const rom = runROM({ flash, print, cause });
		if (rom.kind !== "jump") return rom;
		this.#chip = flash;
		this.#flash = new RomFlash(flash);
		this.#rtc = rtc;
		this.#print = print;
		this.#memory.reset();
		for (const { address, data } of rom.memory.loads) this.#memory.put(address, data);
		this.#cpu.instructions = 0;
		try {
			return this.#run(rom.entry);
		} catch (error) {
			if (error instanceof MachineHang) return { kind: "hang", reason: error.message };
			if (error instanceof SoftwareReset) {
				return { kind: "reset", cause: ResetCause.RESET, reason: "software" };
			}
			if (!(error instanceof MachineFault)) throw error;
			return { kind: "reset", cause: ResetCause.WATCHDOG, reason: error.message };
		}
	}

	#run(entry: number): Outcome {
		const { registers } = this.#cpu;
		let pc = entry;
		for (;;) {
			pc = this.#cpu.run(pc);
			if (pc < ROM_START || pc >= ROM_END) break;
			registers[2] = this.#callROM(pc);
			for (const register of CLOBBERED) registers[register] = this.#noise.next();
			pc = (registers[0] ?? 0) >>> 0;
		}
		if (registers[1] !== STACK) throw new MachineFault(`the application's stack is ${registers[1]}`);
		const memory = new Memory();
		memory.store(0x3ffe8000, this.#memory.get(0x3ffe8000, 0x14000));
		memory.store(0x40100000, this.#memory.get(0x40100000, 0xe000));
		return { kind: "jump", entry: pc, memory };
	}

	#callROM(address: number): number {
		const [, , first = 0, second = 0, third = 0, fourth = 0] = this.#cpu.registers;
		const flash = this.#flash;
		const memory = this.#memory;
		if (!flash || !this.#chip) throw new MachineFault("no flash");
		switch (address) {
			case 0x40004b1c: {
				const bytes = flash.read(first >>> 0, third);
				if (bytes) memory.put(second, bytes);
				return bytes ? 0 : 1;
			}
			case 0x40004a4c:
				return flash.write(first >>> 0, memory.get(second, third)) ? 0 : 1;
			case 0x40004a00:
				return flash.eraseSector(first >>> 0) ? 0 : 1;
			case 0x400049b4:
				return flash.eraseBlock(first >>> 0) ? 0 : 1;
			case 0x40004c2c:
				this.#flash = new RomFlash(this.#chip, second >>> 0);
				return 0;
			case 0x400018a4:
				for (let i = 0; i < third; i++) memory.s8((first + i) | 0, second);
				return first;
			case 0x400018b4:
				for (let i = 0; i < third; i++) memory.s8((first + i) | 0, memory.l8((second + i) | 0));
				return first;
			case 0x400024cc:
				printf(this.#print, formatted(memory, first, [second, third, fourth]));
				return 0;
			case 0x40002be8:
				this.#print(String.fromCharCode(first & 0xff));
				return 0;
			case 0x40002fa0:
			case 0x400030f0:
				return 0;
		}
		throw new MachineFault(`a call of 0x${address.toString(16)}`);
	}

	#loadRegister(address: number): number | undefined {
		if (address >= RTC && address < RTC + RTC_SIZE) {
			this.#rtc?.read(address - RTC, this.#word);
			return this.#view.getInt32(0, true);
		}
		return address === RESET_REGISTER ? 0 : undefined;
	}

	#storeRegister(address: number, value: number): boolean {
		if (address >= RTC && address < RTC + RTC_SIZE) {
			this.#view.setUint32(0, value, true);
			this.#rtc?.write(address - RTC, this.#word);
			return true;
		}
		if (address === RESET_REGISTER && value >= 0x80000000) throw new SoftwareReset();
		return address === RESET_REGISTER || (address === WATCHDOG_FEED && value === 0x73);
	}
}
