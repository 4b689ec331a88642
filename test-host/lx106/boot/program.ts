/**
 * Code, found along its flow from where it is entered and translated into JavaScript functions of some hundred
 * instructions each: a loop around a switch over the places that are jumped to.
 */
import { type Code, decode, type Instruction } from "./instruction";
import type { Ram } from "./ram";

/** Words of `Registers` behind a0..a15. */
export const SAR = 16;
export const PC = 17;
/** Instructions that are still allowed. */
export const BUDGET = 18;
export type Registers = Int32Array;

/** What a function returns, if not the next place. */
export const Exit = Object.freeze({ ELSEWHERE: -1, SPIN: -2, BUDGET: -3 } as const);

/** V8 optimizes functions up to 60 KB of its byte code. */
const INSTRUCTIONS_MAX = 600;

/** Runs from a place on; what it needs of memory outside of the window it asks for. */
type Chunk = (place: number) => number;

/** Whose methods the translated instructions call. Each throws where the chip would not do it. */
export interface Outside {
	load8(address: number, pc: number): number;
	load16(address: number, pc: number): number;
	load32(address: number, pc: number): number;
	store8(address: number, value: number, pc: number): void;
	store16(address: number, value: number, pc: number): void;
	store32(address: number, value: number, pc: number): void;
	setLevel(level: number, pc: number): number;
	illegal(pc: number): never;
}

export class Program {
	readonly code: Code;
	/** By offset in the code: the number of the place there, or -1. */
	readonly places: Int32Array;
	readonly #entries = new Set<number>();
	#instructions = new Map<number, Instruction>();
	/** Addresses by place. */
	#addresses: number[] = [];
	/** The place that each chunk begins with. */
	#starts: number[] = [];
	#chunks: (Chunk | undefined)[] = [];
	/** By place. */
	#chunkOf: number[] = [];
	readonly #outside: Outside;
	readonly #registers: Registers;
	readonly #ram: Ram;

	/** `entries`: addresses that may be jumped to, beside what the flow shows. */
	constructor(code: Code, entries: Iterable<number>, ram: Ram, registers: Registers, outside: Outside) {
		this.code = code;
		this.places = new Int32Array(code.bytes.length);
		this.#ram = ram;
		this.#registers = registers;
		this.#outside = outside;
		this.#translate(entries);
	}

	/** Runs from PC on; PC is then where it ended. */
	run(): (typeof Exit)[keyof typeof Exit] {
		const { code, places } = this;
		let place = this.#place(this.#registers[PC] ?? 0);
		while (place >= 0) {
			const chunk = this.#chunkOf[place] ?? 0;
			place = (this.#chunks[chunk] ?? this.#compile(chunk))(place);
			if (place !== Exit.ELSEWHERE) continue;
			const pc = (this.#registers[PC] ?? 0) >>> 0;
			if (pc >= code.start && pc < code.start + places.length) place = this.#place(pc);
		}
		return place as (typeof Exit)[keyof typeof Exit];
	}

	#place(pc: number): number {
		const offset = (pc >>> 0) - this.code.start;
		if (this.places[offset] === -1) this.#translate([pc >>> 0]);
		return this.places[offset] ?? Exit.ELSEWHERE;
	}

	/** Follows the flow from more entries, and begins anew. */
	#translate(entries: Iterable<number>): void {
		const { start, bytes } = this.code;
		const end = start + bytes.length;
		const waiting = [...entries];
		for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
			if (entry < start || entry >= end || this.#entries.has(entry)) continue;
			this.#entries.add(entry);
			for (let pc = entry; ; ) {
				if (this.#instructions.has(pc)) break;
				const instruction = decode(this.code, pc);
				this.#instructions.set(pc, instruction);
				const next = pc + instruction.length;
				if ("target" in instruction) waiting.push(instruction.target);
				if (instruction.kind === "call") waiting.push(next);
				if (instruction.kind === "indirect" && instruction.call) waiting.push(next);
				// The address of a function, perhaps.
				if (instruction.kind === "plain" && instruction.constant !== undefined) {
					waiting.push(instruction.constant >>> 0);
				}
				if (instruction.kind !== "plain" && instruction.kind !== "branch") break;
				pc = next;
			}
		}
		this.#divide();
	}

	/** Numbers the places by their addresses, and parts them into chunks. */
	#divide(): void {
		this.#addresses = [...this.#entries].sort((a, b) => a - b);
		this.places.fill(-1);
		this.#starts = [];
		let size = INSTRUCTIONS_MAX;
		this.#addresses.forEach((address, place) => {
			this.places[address - this.code.start] = place;
			const length = this.#block(address).length;
			if (size + length > INSTRUCTIONS_MAX) {
				this.#starts.push(place);
				size = 0;
			}
			size += length;
			this.#chunkOf[place] = this.#starts.length - 1;
		});
		this.#chunks = [];
	}

	/** The instructions from a place to the next one, or to where the flow ends. */
	#block(address: number): { pc: number; instruction: Instruction }[] {
		const block: { pc: number; instruction: Instruction }[] = [];
		for (let pc = address; pc === address || !this.#entries.has(pc); ) {
			const instruction = this.#instructions.get(pc);
			if (!instruction) break;
			block.push({ pc, instruction });
			if (instruction.kind !== "plain" && instruction.kind !== "branch") break;
			pc += instruction.length;
		}
		return block;
	}

	#compile(chunk: number): Chunk {
		const first = this.#starts[chunk] ?? 0;
		const end = this.#starts[chunk + 1] ?? this.#addresses.length;
		const cases: string[] = [];
		for (let place = first; place < end; place++) cases.push(this.#case(place, first, end));
		const names = Array.from({ length: 16 }, (_, i) => `a${i}`);
		const source = `
			const { d8, d16, d32 } = ram;
			return function chunk(b) {
				let ${names.map((name, i) => `${name} = r[${i}]`).join(", ")};
				let s = r[${SAR}], n = r[${BUDGET}], p = 0, u = 0;
				for (;;) {
					switch (b) {
						${cases.join("\n")}
					}
					break;
				}
				${names.map((name, i) => `r[${i}] = ${name};`).join(" ")}
				r[${SAR}] = s; r[${BUDGET}] = n; r[${PC}] = p;
				return b;
			};`;
		const make = new Function("m", "ram", "r", "places", source);
		const made: Chunk = make(this.#outside, this.#ram, this.#registers, this.places);
		this.#chunks[chunk] = made;
		return made;
	}

	/** A place's instructions as a case of the switch; those that a branch skips are given back to the budget. */
	#case(place: number, first: number, end: number): string {
		const address = this.#addresses[place] ?? 0;
		const block = this.#block(address);
		const last = block.at(-1);
		const inside = (target: number) => {
			const to = this.#placeOf(target);
			return to >= first && to < end;
		};
		const go = (target: number) =>
			inside(target) ? `b = ${this.#placeOf(target)}; continue;` : this.#leave(target);
		const lines = [
			`case ${place}: if ((n = n - ${block.length} | 0) < 0) { n = n + ${block.length} | 0; p = ${address}; b = ${Exit.BUDGET}; break; }`,
		];
		block.forEach(({ pc, instruction }, i) => {
			const left = block.length - 1 - i;
			const back = pc + instruction.length;
			switch (instruction.kind) {
				case "plain":
					lines.push(instruction.code);
					break;
				case "branch":
					lines.push(`if (${instruction.condition}) { n = n + ${left} | 0; ${go(instruction.target)} }`);
					break;
				case "jump":
					lines.push(
						spins(block, instruction.target) ? `p = ${pc}; b = ${Exit.SPIN}; break;` : go(instruction.target),
					);
					break;
				case "call":
					lines.push(`a0 = ${back | 0}; ${go(instruction.target)}`);
					break;
				case "indirect":
					lines.push(`p = ${instruction.register};${instruction.call ? ` a0 = ${back | 0};` : ""}`);
					lines.push(this.#lookUp());
					break;
				case "illegal":
					lines.push(`m.illegal(${pc});`);
			}
		});
		if (last && (last.instruction.kind === "plain" || last.instruction.kind === "branch")) {
			const next = last.pc + last.instruction.length;
			if (this.#placeOf(next) !== place + 1 || place + 1 === end) lines.push(go(next));
		}
		return lines.join("\n");
	}

	/** The place at an address, or -1. */
	#placeOf(address: number): number {
		return this.places[address - this.code.start] ?? Exit.ELSEWHERE;
	}

	#leave(target: number): string {
		return `p = ${target | 0}; b = ${this.#placeOf(target)}; break;`;
	}

	#lookUp(): string {
		const offset = `p - ${this.code.start} >>> 0`;
		return `u = ${offset}; b = u < ${this.places.length} ? places[u] : ${Exit.ELSEWHERE}; continue;`;
	}
}

/** Whether a block that ends in a jump to its own start does nothing that could ever end it. */
function spins(block: readonly { pc: number; instruction: Instruction }[], target: number): boolean {
	const idle = ({ instruction }: { instruction: Instruction }) =>
		instruction.kind === "plain" && instruction.code === "";
	return block[0]?.pc === target && block.slice(0, -1).every(idle);
}
