/**
 * The lx106's instructions, each translated into JavaScript over the int32 variables a0..a15 and s (SAR). Xtensa
 * call0 with the density option, 16 and 32-bit multiply, no windows, no loops.
 */
import { access } from "./access";
import { arithmetic } from "./arithmetic";

/** RAM that loads and stores reach without a call: bytes. */
export interface Window {
	readonly start: number;
	readonly length: number;
}

/** The code that is translated, and where it lies. */
export interface Code {
	readonly start: number;
	readonly bytes: Uint8Array;
	readonly window: Window;
}

export type Flow =
	/** Goes on behind it. */
	| { kind: "plain"; code: string; constant?: number }
	| { kind: "branch"; condition: string; target: number }
	| { kind: "jump"; target: number }
	| { kind: "call"; target: number }
	/** To where a register points; a call keeps the return address. */
	| { kind: "indirect"; register: string; call: boolean }
	| { kind: "illegal" };

export type Instruction = Flow & { length: number };

export const register = (number: number): string => `a${number}`;
export const plain = (code: string): Flow => ({ kind: "plain", code });
export const illegal: Flow = Object.freeze({ kind: "illegal" });

/** Sign-extends the low `bits` bits. */
export const signed = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

/** The constants that beqi and its like compare with; for the unsigned ones the first two are others. */
const compared = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256];
const comparedUnsigned = [32768, 65536, ...compared.slice(2)];

/** The instruction at the address `pc`. */
export function decode(code: Code, pc: number): Instruction {
	const offset = pc - code.start;
	const byte = (i: number) => code.bytes[offset + i] ?? 0;
	const length = (byte(0) & 15) < 8 ? 3 : 2;
	if (offset < 0 || offset + length > code.bytes.length) return { ...illegal, length };
	const word = byte(0) | (byte(1) << 8) | (length === 3 ? byte(2) << 16 : 0);
	const flow = length === 3 ? wide(code, pc, word) : narrow(code, pc, word);
	return { ...flow, length };
}

function wide(code: Code, pc: number, word: number): Flow {
	switch (word & 15) {
		case 0:
			return arithmetic(word, pc);
		case 1:
			return literal(code, pc, word);
		case 2:
			return access(code.window, word, pc);
		case 5:
			if (((word >> 4) & 3) !== 0) return illegal;
			return { kind: "call", target: (pc & ~3) + (signed(word >> 6, 18) << 2) + 4 };
		case 6:
			return compare(pc, word);
		case 7:
			return branch(pc, word);
		default:
			return illegal;
	}
}

/** L32R: a constant where it lies in the code itself, which does not change. */
function literal(code: Code, pc: number, word: number): Flow {
	const to = register((word >> 4) & 15);
	const address = ((pc + 3) & ~3) + (((word >> 8) | 0xffff0000) << 2);
	const offset = address - code.start;
	const { bytes } = code;
	if (offset < 0 || offset + 4 > bytes.length) return plain(`${to} = m.load32(${address}, ${pc});`);
	const constant = new DataView(bytes.buffer, bytes.byteOffset).getInt32(offset, true);
	return { kind: "plain", code: `${to} = ${constant};`, constant };
}

/** J, and the branches that compare with zero or a constant. */
function compare(pc: number, word: number): Flow {
	const s = register((word >> 8) & 15);
	const r = (word >> 12) & 15;
	const near = pc + 4 + signed(word >> 16, 8);
	const to = (condition: string, target: number): Flow => ({ kind: "branch", condition, target });
	const way = (word >> 6) & 3;
	switch ((word >> 4) & 3) {
		case 0:
			return { kind: "jump", target: pc + 4 + signed(word >> 6, 18) };
		case 1:
			return to(`${s} ${["===", "!==", "<", ">="][way]} 0`, pc + 4 + signed(word >> 12, 12));
		case 2:
			return to(`${s} ${["===", "!==", "<", ">="][way]} ${compared[r]}`, near);
		default:
			if (way < 2) return illegal;
			return to(`${s} >>> 0 ${way === 2 ? "<" : ">="} ${comparedUnsigned[r]}`, near);
	}
}

/** The branches that compare two registers, or look at bits. */
function branch(pc: number, word: number): Flow {
	const number = (word >> 4) & 15;
	const t = register(number);
	const s = register((word >> 8) & 15);
	const r = (word >> 12) & 15;
	const bit = `1 << ${number | ((r & 1) << 4)}`;
	const conditions = [
		`(${s} & ${t}) === 0`,
		`${s} === ${t}`,
		`${s} < ${t}`,
		`${s} >>> 0 < ${t} >>> 0`,
		`(~${s} & ${t}) === 0`,
		`(${s} & (1 << ${t})) === 0`,
		`(${s} & (${bit})) === 0`,
		`(${s} & (${bit})) === 0`,
		`(${s} & ${t}) !== 0`,
		`${s} !== ${t}`,
		`${s} >= ${t}`,
		`${s} >>> 0 >= ${t} >>> 0`,
		`(~${s} & ${t}) !== 0`,
		`(${s} & (1 << ${t})) !== 0`,
		`(${s} & (${bit})) !== 0`,
		`(${s} & (${bit})) !== 0`,
	];
	return { kind: "branch", condition: conditions[r] ?? "", target: pc + 4 + signed(word >> 16, 8) };
}

/** The two-byte ones of the density option. */
function narrow(code: Code, pc: number, word: number): Flow {
	const number = (word >> 4) & 15;
	const t = register(number);
	const s = register((word >> 8) & 15);
	const field = (word >> 12) & 15;
	const r = register(field);
	switch (word & 15) {
		case 8:
			// L32I.N and S32I.N are L32I and S32I with a shorter offset.
			return access(code.window, (word & 0xff0) | 0x2002 | (field << 16), pc);
		case 9:
			return access(code.window, (word & 0xff0) | 0x6002 | (field << 16), pc);
		case 10:
			return plain(`${r} = ${s} + ${t} | 0;`);
		case 11:
			return plain(`${r} = ${s} + ${number === 0 ? -1 : number} | 0;`);
		case 12: {
			if (number < 8) {
				const value = ((number & 7) << 4) | field;
				return plain(`${s} = ${value >= 96 ? value - 128 : value};`);
			}
			const target = pc + 4 + (((number & 3) << 4) | field);
			return { kind: "branch", condition: `${s} ${number < 12 ? "===" : "!=="} 0`, target };
		}
		default:
			if (field === 0) return plain(`${t} = ${s};`);
			if (field === 15 && number === 0) return { kind: "indirect", register: "a0", call: false };
			return field === 15 && number === 3 ? plain("") : illegal;
	}
}
