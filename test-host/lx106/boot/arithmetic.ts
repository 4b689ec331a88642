/** The instructions of the group QRST: registers to registers, shifts, special registers, jumps through a register. */
import { type Flow, illegal, plain, register } from "./instruction";

/** The only special register that code of ours touches. */
const SAR = 3;

export function arithmetic(word: number, pc: number): Flow {
	const t = register((word >> 4) & 15);
	const s = register((word >> 8) & 15);
	const r = register((word >> 12) & 15);
	const op1 = (word >> 16) & 15;
	const op2 = (word >> 20) & 15;
	switch (op1) {
		case 0:
			return basic(word, pc, op2, r, s, t);
		case 1:
			return shift(word, op2, r, s, t);
		case 2:
			return op2 === 8 ? plain(`${r} = Math.imul(${s}, ${t});`) : illegal;
		case 3:
			return special(word, op2, r, s, t);
		case 4:
		case 5: {
			const from = ((word >> 8) & 15) | ((op1 & 1) << 4);
			return plain(`${r} = ${t} >>> ${from} & ${2 ** (op2 + 1) - 1};`);
		}
		default:
			return illegal;
	}
}

function basic(word: number, pc: number, op2: number, r: string, s: string, t: string): Flow {
	switch (op2) {
		case 0:
			return control(word, pc, t);
		case 1:
			return plain(`${r} = ${s} & ${t};`);
		case 2:
			return plain(`${r} = ${s} | ${t};`);
		case 3:
			return plain(`${r} = ${s} ^ ${t};`);
		case 4:
			return shiftAmount(word, s, t);
		case 6:
			if (((word >> 8) & 15) === 0) return plain(`${r} = -${t} | 0;`);
			if (((word >> 8) & 15) === 1) return plain(`${r} = ${t} < 0 ? -${t} | 0 : ${t};`);
			return illegal;
		case 8:
			return plain(`${r} = ${s} + ${t} | 0;`);
		case 12:
			return plain(`${r} = ${s} - ${t} | 0;`);
		case 9:
		case 10:
		case 11:
			return plain(`${r} = (${s} << ${op2 - 8}) + ${t} | 0;`);
		case 13:
		case 14:
		case 15:
			return plain(`${r} = (${s} << ${op2 - 12}) - ${t} | 0;`);
		default:
			return illegal;
	}
}

/** Jumps, barriers (nothing here is out of order) and the interrupt level. */
function control(word: number, pc: number, t: string): Flow {
	const target = register((word >> 8) & 15);
	const s = (word >> 8) & 15;
	const way = (word >> 4) & 15;
	switch ((word >> 12) & 15) {
		case 0:
			if (way === 8 && s === 0) return { kind: "indirect", register: "a0", call: false };
			if (way === 10) return { kind: "indirect", register: target, call: false };
			if (way === 12) return { kind: "indirect", register: target, call: true };
			return illegal;
		case 2:
			return s === 0 && [0, 1, 2, 3, 8, 12, 13, 15].includes(way) ? plain("") : illegal;
		case 6:
			return plain(`${t} = m.setLevel(${s}, ${pc});`);
		default:
			return illegal;
	}
}

function shiftAmount(word: number, s: string, t: string): Flow {
	switch ((word >> 12) & 15) {
		case 0:
			return plain(`s = ${s} & 31;`);
		case 1:
			return plain(`s = 32 - (${s} & 31);`);
		case 2:
			return plain(`s = (${s} & 3) << 3;`);
		case 3:
			return plain(`s = 32 - ((${s} & 3) << 3);`);
		case 4:
			return plain(`s = ${((word >> 8) & 15) | (word & 0x10)};`);
		case 14:
			return plain(`${t} = Math.clz32(${s} ^ ${s} >> 31) - 1;`);
		case 15:
			return plain(`${t} = Math.clz32(${s});`);
		default:
			return illegal;
	}
}

/** SAR goes up to 32, where JavaScript's shifts are modulo 32. */
function shift(word: number, op2: number, r: string, s: string, t: string): Flow {
	const low = (word >> 4) & 15;
	const amount = (word >> 8) & 15;
	switch (op2) {
		case 0:
		case 1: {
			const left = 32 - (low | ((op2 & 1) << 4));
			return plain(left === 32 ? `${r} = 0;` : `${r} = ${s} << ${left};`);
		}
		case 2:
		case 3:
			return plain(`${r} = ${t} >> ${amount | ((op2 & 1) << 4)};`);
		case 4:
			return plain(`${r} = ${t} >>> ${amount} | 0;`);
		case 8:
			return plain(`${r} = s === 0 ? ${t} : s > 31 ? ${s} : ${t} >>> s | ${s} << 32 - s;`);
		case 9:
			return plain(`${r} = s > 31 ? 0 : ${t} >>> s | 0;`);
		case 10:
			return plain(`${r} = s === 0 ? 0 : ${s} << 32 - s;`);
		case 11:
			return plain(`${r} = ${t} >> (s > 31 ? 31 : s);`);
		case 12:
			return plain(`${r} = Math.imul(${s} & 65535, ${t} & 65535);`);
		case 13:
			return plain(`${r} = Math.imul(${s} << 16 >> 16, ${t} << 16 >> 16);`);
		default:
			return illegal;
	}
}

function special(word: number, op2: number, r: string, s: string, t: string): Flow {
	const conditions: Record<number, string> = { 8: "===", 9: "!==", 10: "<", 11: ">=" };
	const condition = conditions[op2];
	if (condition !== undefined) return plain(`if (${t} ${condition} 0) ${r} = ${s};`);
	if (((word >> 8) & 0xff) !== SAR || op2 > 1) return illegal;
	return plain(op2 === 0 ? `${t} = s;` : `s = ${t} & 63;`);
}
