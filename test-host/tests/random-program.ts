/**
 * Programs of random instructions, as assembler text for QEMU's machine `sim`: in between they write all registers
 * and SAR to a log.
 */
import { Noise } from "../virtual/noise";

/** Registers that the instructions may change; a1 points to the data, a13 into the log. */
const FREE = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15];
/** Bytes that loads and stores reach. */
export const DATA_LENGTH = 1020;
/** Words of one entry of the log: a0, a2..a12, a14, a15, SAR. */
export const ENTRY_WORDS = FREE.length + 1;
/** Random instructions between two entries. */
const STRETCH = 30;

const three = [
	...["add", "sub", "and", "or", "xor", "addx2", "addx4", "addx8", "subx2", "subx4", "subx8"],
	...["mull", "mul16u", "mul16s", "moveqz", "movnez", "movltz", "movgez", "add.n"],
];
const two = ["neg", "abs", "nsau", "nsa", "mov.n"];
const branchesOfTwo = [
	"beq",
	"bne",
	"blt",
	"bge",
	"bltu",
	"bgeu",
	"bany",
	"bnone",
	"ball",
	"bnall",
	"bbc",
	"bbs",
];
const branchesOfZero = ["beqz", "bnez", "bltz", "bgez", "beqz.n", "bnez.n"];
const compared = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256];

export class RandomProgram {
	readonly #noise: Noise;
	#label = 0;
	#lines: string[] = [];
	/** Instructions that are random, executed or branched over. */
	count = 0;
	#entries = 0;

	constructor(seed: number) {
		this.#noise = new Noise(seed);
	}

	/** The text of at least `count` instructions. The code begins at its section's start; behind it, all of .data is written out. */
	text(count: number): string {
		while (this.count < count) this.#stretch();
		return `
	.section .reset, "ax"
	.begin no-transform
	.global start
start:	j start_over
	.align 4
first_word: .word first
data_place: .word data
length_word: .word end - data
start_over:
	l32r a2, first_word
	jx a2
done:
	movi a2, 4
	movi a3, 1
	l32r a4, data_place
	l32r a5, length_word
	.byte 0x00, 0x51, 0x00
	movi a2, 1
	movi a3, 0
	.byte 0x00, 0x51, 0x00
	.text
first:	j begin
	.align 4
data_word: .word data
log_word: .word log
begin:
	l32r a1, data_word
	l32r a13, log_word
${FREE.map((register) => `	movi a${register}, ${this.#below(4096) - 2048}`).join("\n")}
	ssai 7
${this.#lines.join("\n")}
	j over_end
	.align 4
done_word: .word done
over_end:
	l32r a2, done_word
	jx a2
	.end no-transform
	.data
	.align 4
data: .word ${Array.from({ length: DATA_LENGTH / 4 + 1 }, () => this.#noise.next()).join(", ")}
log: .space ${this.#entries * 4 * ENTRY_WORDS}
end:
`;
	}

	#below(limit: number): number {
		return this.#noise.next() % limit;
	}

	#pick<T>(from: readonly T[]): T {
		const found = from[this.#below(from.length)];
		if (found === undefined) throw new RangeError("nothing to pick");
		return found;
	}

	#free(): string {
		return `a${this.#pick(FREE)}`;
	}

	/** Some literals, instructions that use them, and an entry of the log. */
	#stretch(): void {
		const over = this.#newLabel();
		const literals = [this.#newLabel(), this.#newLabel()];
		const lines = [
			`j ${over}`,
			".align 4",
			...literals.map((label) => `${label}: .word ${this.#value()}`),
			`${over}:`,
		];
		const random = literals.map((label) => `l32r ${this.#free()}, ${label}`);
		while (random.length < STRETCH) random.push(...this.#some());
		const log = FREE.map((register, i) => `s32i a${register}, a13, ${4 * i}`);
		const sar = 4 * FREE.length;
		log.push("rsr.sar a2", `s32i a2, a13, ${sar}`, "l32i a2, a13, 4", `addi a13, a13, ${sar + 4}`);
		this.#lines.push(...lines, ...random, ...log);
		this.count += random.filter((line) => !/[:.]$|^\.|: /.test(line)).length;
		this.#entries++;
	}

	/** Often one at the edge of its range. */
	#value(): number {
		const edges = [0, 1, -1, 0x7fffffff, -0x80000000, 0xffff, 0x8000, 31, 32];
		return this.#below(3) === 0 ? this.#pick(edges) : this.#noise.next();
	}

	#newLabel(): string {
		return `.L${this.#label++}`;
	}

	#some(): string[] {
		const [r, s, t] = [this.#free(), this.#free(), this.#free()];
		switch (this.#below(16)) {
			case 0:
			case 1:
			case 2:
				return [`${this.#pick(three)} ${r}, ${s}, ${t}`];
			case 3:
				return [`${this.#pick(two)} ${r}, ${s}`];
			case 4:
				return [this.#immediate(r, s)];
			case 5:
			case 6:
				return [this.#shiftByImmediate(r, s, t)];
			case 7:
			case 8:
				return this.#shiftByAmount(r, s, t);
			case 9:
			case 10:
			case 11:
				return [this.#memory(r)];
			case 12:
				return this.#branch(s, t);
			case 13:
				return this.#below(3) === 0 ? this.#loop(s, t) : this.#branch(s, t);
			case 14:
				return this.#call(t);
			default:
				return [this.#pick(["memw", "nop", "nop.n", "isync", "extw", "dsync"])];
		}
	}

	#immediate(r: string, s: string): string {
		return this.#pick([
			`addi ${r}, ${s}, ${this.#below(256) - 128}`,
			`addi.n ${r}, ${s}, ${this.#pick([-1, 1, 7, 15])}`,
			`addmi ${r}, ${s}, ${256 * (this.#below(256) - 128)}`,
			`movi ${r}, ${this.#below(4096) - 2048}`,
			`movi.n ${r}, ${this.#below(128) - 32}`,
		]);
	}

	#shiftByImmediate(r: string, s: string, t: string): string {
		const shift = this.#below(32);
		return this.#pick([
			`slli ${r}, ${s}, ${1 + this.#below(31)}`,
			`srli ${r}, ${t}, ${this.#below(16)}`,
			`srai ${r}, ${t}, ${shift}`,
			`extui ${r}, ${t}, ${shift}, ${1 + this.#below(Math.min(16, 32 - shift))}`,
		]);
	}

	/** QEMU 7.2 is wrong in SRL and SRA right behind SSL and SSA8B where SAR becomes 32: there is none here. */
	#shiftByAmount(r: string, s: string, t: string): string[] {
		const any = [`sll ${r}, ${s}`, `src ${r}, ${s}, ${t}`];
		const toTheRight = [...any, `srl ${r}, ${t}`, `sra ${r}, ${t}`];
		const left = [`ssl ${this.#free()}`, `ssa8b ${this.#free()}`];
		const right = [`ssr ${this.#free()}`, `ssa8l ${this.#free()}`, `ssai ${this.#below(32)}`];
		switch (this.#below(3)) {
			case 0:
				return [this.#pick(left), this.#pick(any)];
			case 1:
				return [this.#pick(right), this.#pick(toTheRight)];
			default:
				return [`movi ${s}, ${this.#below(33)}`, `wsr.sar ${s}`, this.#pick(toTheRight)];
		}
	}

	#memory(r: string): string {
		const byte = this.#below(256);
		const half = 2 * this.#below(256);
		const word = 4 * this.#below(DATA_LENGTH / 4);
		const near = 4 * this.#below(16);
		return this.#pick([
			...[
				`l8ui ${r}, a1, ${byte}`,
				`s8i ${r}, a1, ${byte}`,
				`l16ui ${r}, a1, ${half}`,
				`l16si ${r}, a1, ${half}`,
			],
			...[`s16i ${r}, a1, ${half}`, `l32i ${r}, a1, ${word}`, `s32i ${r}, a1, ${word}`],
			...[`l32i.n ${r}, a1, ${near}`, `s32i.n ${r}, a1, ${near}`],
		]);
	}

	/** As often as a register counts down. */
	#loop(counter: string, t: string): string[] {
		const label = this.#newLabel();
		const others = FREE.map((number) => `a${number}`).filter((name) => name !== counter);
		return [
			`movi ${counter}, ${1 + this.#below(5)}`,
			`${label}:`,
			`${this.#pick(three)} ${this.#pick(others)}, ${this.#free()}, ${t}`,
			`addi ${counter}, ${counter}, -1`,
			`bnez ${counter}, ${label}`,
		];
	}

	/** Forward over some instructions. */
	#branch(s: string, t: string): string[] {
		const label = this.#newLabel();
		const branch = this.#pick([
			`${this.#pick(branchesOfTwo)} ${s}, ${t}, ${label}`,
			`${this.#pick(branchesOfTwo)} ${s}, ${t}, ${label}`,
			`${this.#pick(branchesOfZero)} ${s}, ${label}`,
			`${this.#pick(["bbci", "bbsi"])} ${s}, ${this.#below(32)}, ${label}`,
			`${this.#pick(["beqi", "bnei", "blti", "bgei"])} ${s}, ${this.#pick(compared)}, ${label}`,
			`${this.#pick(["bltui", "bgeui"])} ${s}, ${this.#pick([32768, 65536, 2, 10, 256])}, ${label}`,
			`j ${label}`,
		]);
		const skipped = Array.from(
			{ length: this.#below(4) },
			() => `${this.#pick(three)} ${this.#free()}, ${s}, ${this.#free()}`,
		);
		// Branches of the density option go 4 bytes at least.
		return [branch, ...skipped, `addi ${this.#free()}, ${s}, ${this.#below(100)}`, `${label}:`];
	}

	/** A function in between, called by its name or through a register, which comes back in one of three ways. */
	#call(t: string): string[] {
		const [called, over, place] = [this.#newLabel(), this.#newLabel(), this.#newLabel()];
		const target = this.#free();
		const call =
			this.#below(2) === 0 ? [`call0 ${called}`] : [`l32r ${target}, ${place}`, `callx0 ${target}`];
		const body = [`add a2, a0, ${t}`, this.#pick(["ret", "ret.n", "jx a0"])];
		return [
			`j ${over}`,
			".align 4",
			`${place}: .word ${called}`,
			`${called}:`,
			...body,
			".align 4",
			`${over}:`,
			...call,
		];
	}
}
