/** Runs instructions of the lx106, block by block, each translated into JavaScript when it is first met. */
import { BOOT_CODE, BOOT_CODE_END, MachineFault, type MachineMemory } from "./memory";
import { translate } from "./translate";

/** It goes round in circles: nothing will happen any more. */
export class MachineHang extends Error {}

/** A block's end is where the CPU goes on. */
type Block = () => number;

/** More instructions than any boot takes are a hang. */
const INSTRUCTIONS_MAX = 2e9;
const BLOCK_MAX = 200;

export class Cpu {
	/** a0 to a15. */
	readonly registers = new Int32Array(16);
	instructions = 0;
	readonly #memory: MachineMemory;
	readonly #context = { sar: 0, next: 0, count: 0 };
	#blocks: (Block | undefined)[] = [];

	constructor(memory: MachineMemory) {
		this.#memory = memory;
	}

	/** What was translated may be other code now. */
	forget(): void {
		if (this.#blocks.length > 0) this.#blocks = [];
	}

	/**
	 * Runs from `pc` until code elsewhere is called or jumped to, whose address it gives. Throws MachineFault, MachineHang.
	 */
	run(pc: number): number {
		const context = this.#context;
		context.count = 0;
		try {
			for (let at = pc - BOOT_CODE; at >= 0 && at < BOOT_CODE_END - BOOT_CODE; at = pc - BOOT_CODE) {
				let block = this.#blocks[at];
				if (!block) {
					block = this.#translate(pc);
					this.#blocks[at] = block;
				}
				pc = block() >>> 0;
				if (context.count > INSTRUCTIONS_MAX) throw new MachineHang("too many instructions");
			}
		} finally {
			this.instructions += context.count;
		}
		return pc;
	}

	#translate(start: number): Block {
		let code = "";
		let count = 0;
		let pc = start;
		for (let ends = false; !ends; count++) {
			const low = this.#memory.l32(pc & ~3) >>> (8 * (pc & 3));
			const word = (pc & 3) > 1 ? low | (this.#memory.l32((pc & ~3) + 4) << (32 - 8 * (pc & 3))) : low;
			const instruction = translate(word & 0xffffff, pc);
			if (!instruction) {
				code += `throw new Fault("no instruction at 0x${pc.toString(16)}: ${(word & 0xffffff).toString(16)}");`;
				break;
			}
			const isCall = instruction.code.includes("C.next");
			if (instruction.code === `return ${pc};`) code += 'throw new Hang("a jump to itself");';
			code += isCall ? instruction.code.replace("C.next", String(pc + 3)) : instruction.code;
			pc += instruction.length;
			ends = instruction.ends;
			if (!ends && count === BLOCK_MAX) {
				code += `return ${pc};`;
				ends = true;
			}
		}
		const body = `return () => { C.count += ${count}; ${code} };`;
		const make = new Function("R", "C", "M", "Fault", "Hang", body);
		return make(this.registers, this.#context, this.#memory, MachineFault, MachineHang) as Block;
	}
}
