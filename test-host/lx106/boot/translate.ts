/**
 * Instructions of the lx106 (Xtensa: call0, density option, 16 and 32-bit multiply) as JavaScript. Encodings: Cadence's Xtensa
 * Instruction Set Architecture Reference Manual. Little-endian: op0 is the lowest four bits.
 */

/** A piece of code for one instruction: reads and writes `R` (a0 to a15) and `C.sar`, memory through `M`. */
export interface Translated {
	/** Bytes. */
	length: 2 | 3;
	code: string;
	/** It ends its block: the code returns where it goes on. */
	ends: boolean;
}

const branchConstants = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256];
const unsignedConstants = [32768, 65536, ...branchConstants.slice(2)];

/** The instruction in the lowest 24 bits of `word` at `pc`; undefined where it is none that is known. */
export function translate(word: number, pc: number): Translated | undefined {
	const op0 = word & 15;
	if (op0 >= 8) return narrow(word, pc);
	const line = (code: string | undefined): Translated | undefined =>
		code === undefined ? undefined : { length: 3, code, ends: code.includes("return ") };
	const field = fieldsOf(word);
	if (op0 === 0) return line(registers(field));
	if (op0 === 1) {
		const address = (((pc + 3) & ~3) + (0xfffc0000 | ((word >>> 8) << 2))) | 0;
		return line(`R[${field.t}]=M.l32(${address});`);
	}
	if (op0 === 2) return line(immediate(field, word));
	if (op0 === 5 && (word & 0x30) === 0) {
		const target = ((pc & ~3) + (sign(word >>> 6, 18) << 2) + 4) | 0;
		return line(`R[0]=${pc + 3};return ${target};`);
	}
	if (op0 === 6) return jump(word, pc, field);
	return op0 === 7 ? branch(condition(field), pc, sign(word >>> 16, 8), 3) : undefined;
}

interface Fields {
	t: number;
	s: number;
	r: number;
	op1: number;
	op2: number;
}

function fieldsOf(word: number): Fields {
	const nibble = (shift: number) => (word >>> shift) & 15;
	return { t: nibble(4), s: nibble(8), r: nibble(12), op1: nibble(16), op2: nibble(20) };
}

function sign(value: number, bits: number): number {
	return (value << (32 - bits)) >> (32 - bits);
}

function narrow(word: number, pc: number): Translated | undefined {
	const { t, s, r } = fieldsOf(word);
	const line = (code: string): Translated => ({ length: 2, code, ends: code.includes("return ") });
	switch (word & 15) {
		case 8:
			return line(`R[${t}]=M.l32(R[${s}]+${4 * r}|0);`);
		case 9:
			return line(`M.s32(R[${s}]+${4 * r}|0,R[${t}]);`);
		case 10:
			return line(`R[${r}]=R[${s}]+R[${t}];`);
		case 11:
			return line(`R[${r}]=R[${s}]+${t === 0 ? -1 : t};`);
		case 12: {
			if (t < 8) {
				const value = r | ((t & 7) << 4);
				return line(`R[${s}]=${value >= 96 ? value - 128 : value};`);
			}
			const offset = r | ((t & 3) << 4);
			return branch(`R[${s}]${t & 4 ? "!" : "="}==0`, pc, offset, 2);
		}
		case 13:
			if (r === 0) return line(`R[${t}]=R[${s}];`);
			if (r === 15 && t === 0) return line("return R[0];");
			if (r === 15 && t === 3) return line("");
	}
	return undefined;
}

function registers({ t, s, r, op1, op2 }: Fields): string | undefined {
	const S = `R[${s}]`;
	const T = `R[${t}]`;
	const to = (value: string) => `R[${r}]=${value};`;
	const key = (op1 << 4) | op2;
	if (op1 === 4 || op1 === 5) {
		const mask = op2 === 15 ? 0xffff : (1 << (op2 + 1)) - 1;
		return to(`(${T}>>>${s | ((op1 & 1) << 4)})&${mask}`);
	}
	switch (key) {
		case 0x00:
			return special(r, s, t);
		case 0x01:
			return to(`${S}&${T}`);
		case 0x02:
			return to(`${S}|${T}`);
		case 0x03:
			return to(`${S}^${T}`);
		case 0x04:
			return shiftAmount(r, s, t);
		case 0x06:
			if (s === 0) return to(`-${T}`);
			return s === 1 ? to(`Math.abs(${T})`) : undefined;
		case 0x08:
			return to(`${S}+${T}`);
		case 0x09:
		case 0x0a:
		case 0x0b:
			return to(`(${S}<<${op2 - 8})+${T}`);
		case 0x0c:
			return to(`${S}-${T}`);
		case 0x0d:
		case 0x0e:
		case 0x0f:
			return to(`(${S}<<${op2 - 12})-${T}`);
		case 0x10:
		case 0x11: {
			const by = 32 - (((op2 & 1) << 4) | t);
			return to(by === 32 ? "0" : `${S}<<${by}`);
		}
		case 0x12:
		case 0x13:
			return to(`${T}>>${((op2 & 1) << 4) | s}`);
		case 0x14:
			return to(`${T}>>>${s}`);
		case 0x18:
			return to(`C.sar===0?${T}:C.sar===32?${S}:(${S}<<(32-C.sar))|(${T}>>>C.sar)`);
		case 0x19:
			return to(`C.sar===32?0:${T}>>>C.sar`);
		case 0x1a:
			return to(`C.sar===0?0:${S}<<(32-C.sar)`);
		case 0x1b:
			return to(`C.sar===32?${T}>>31:${T}>>C.sar`);
		case 0x1c:
			return to(`Math.imul(${S}&0xffff,${T}&0xffff)`);
		case 0x1d:
			return to(`Math.imul(${S}<<16>>16,${T}<<16>>16)`);
		case 0x28:
			return to(`Math.imul(${S},${T})`);
		case 0x30:
			return ((r << 4) | s) === 3 ? `R[${t}]=C.sar;` : undefined;
		case 0x31:
			return ((r << 4) | s) === 3 ? `C.sar=R[${t}]&63;` : undefined;
		case 0x38:
			return `if(${T}===0)R[${r}]=${S};`;
		case 0x39:
			return `if(${T}!==0)R[${r}]=${S};`;
		case 0x3a:
			return `if(${T}<0)R[${r}]=${S};`;
		case 0x3b:
			return `if(${T}>=0)R[${r}]=${S};`;
	}
	return undefined;
}

function special(r: number, s: number, t: number): string | undefined {
	// isync, rsync, esync, dsync, memw, extw, nop: nothing is out of order here.
	if (r === 2) return [0, 1, 2, 3, 12, 13, 15].includes(t) ? "" : undefined;
	if (r !== 0) return undefined;
	if (t === 8) return "return R[0];";
	if (t === 10) return `return R[${s}];`;
	return t === 12 ? `{const to=R[${s}];R[0]=C.next;return to;}` : undefined;
}

function shiftAmount(r: number, s: number, t: number): string | undefined {
	switch (r) {
		case 0:
			return `C.sar=R[${s}]&31;`;
		case 1:
			return `C.sar=32-(R[${s}]&31);`;
		case 2:
			return `C.sar=(R[${s}]&3)<<3;`;
		case 3:
			return `C.sar=32-((R[${s}]&3)<<3);`;
		case 4:
			return `C.sar=${s | ((t & 1) << 4)};`;
		case 14:
			return `R[${t}]=Math.clz32(R[${s}]<0?~R[${s}]:R[${s}])-1;`;
		case 15:
			return `R[${t}]=Math.clz32(R[${s}]);`;
	}
	return undefined;
}

function immediate({ t, s, r }: Fields, word: number): string | undefined {
	const value = word >>> 16;
	const T = `R[${t}]`;
	const at = (scale: number) => `R[${s}]+${value * scale}|0`;
	switch (r) {
		case 0:
			return `${T}=M.l8(${at(1)});`;
		case 1:
			return `${T}=M.l16(${at(2)});`;
		case 2:
			return `${T}=M.l32(${at(4)});`;
		case 4:
			return `M.s8(${at(1)},${T});`;
		case 5:
			return `M.s16(${at(2)},${T});`;
		case 6:
			return `M.s32(${at(4)},${T});`;
		case 9:
			return `${T}=M.l16(${at(2)})<<16>>16;`;
		case 10:
			return `${T}=${sign((s << 8) | value, 12)};`;
		case 12:
			return `${T}=R[${s}]+${sign(value, 8)};`;
		case 13:
			return `${T}=R[${s}]+${sign(value, 8) << 8};`;
	}
	return undefined;
}

function jump(word: number, pc: number, { s, r }: Fields): Translated | undefined {
	const n = (word >>> 4) & 3;
	const m = (word >>> 6) & 3;
	const S = `R[${s}]`;
	if (n === 0) {
		return { length: 3, code: `return ${(pc + 4 + sign(word >>> 6, 18)) | 0};`, ends: true };
	}
	if (n === 1) {
		return branch(`${S}${["===", "!==", "<", ">="][m]}0`, pc, sign(word >>> 12, 12), 3);
	}
	const offset = sign(word >>> 16, 8);
	if (n === 2) {
		return branch(`${S}${["===", "!==", "<", ">="][m]}${branchConstants[r]}`, pc, offset, 3);
	}
	if (m < 2) return undefined;
	return branch(`(${S}>>>0)${m === 2 ? "<" : ">="}${unsignedConstants[r]}`, pc, offset, 3);
}

function condition({ t, s, r }: Fields): string {
	const S = `R[${s}]`;
	const T = `R[${t}]`;
	const bit = t | ((r & 1) << 4);
	switch (r) {
		case 0:
			return `(${S}&${T})===0`;
		case 1:
			return `${S}===${T}`;
		case 2:
			return `${S}<${T}`;
		case 3:
			return `(${S}>>>0)<(${T}>>>0)`;
		case 4:
			return `(~${S}&${T})===0`;
		case 5:
			return `(${S}>>>(${T}&31)&1)===0`;
		case 6:
		case 7:
			return `(${S}>>>${bit}&1)===0`;
		case 8:
			return `(${S}&${T})!==0`;
		case 9:
			return `${S}!==${T}`;
		case 10:
			return `${S}>=${T}`;
		case 11:
			return `(${S}>>>0)>=(${T}>>>0)`;
		case 12:
			return `(~${S}&${T})!==0`;
		case 13:
			return `(${S}>>>(${T}&31)&1)!==0`;
		default:
			return `(${S}>>>${bit}&1)!==0`;
	}
}

function branch(condition: string, pc: number, offset: number, length: 2 | 3): Translated {
	return { length, code: `return ${condition}?${(pc + 4 + offset) | 0}:${pc + length};`, ends: true };
}
