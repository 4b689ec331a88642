/** Loads, stores and the immediates that share their format, as JavaScript. */
import { type Flow, illegal, plain, register, signed, type Window } from "./instruction";

/** Instructions of the group LSAI; those of the window are typed arrays, all else is asked of the machine `m`. */
export function access(window: Window, word: number, pc: number): Flow {
	const t = register((word >> 4) & 15);
	const s = register((word >> 8) & 15);
	const immediate = word >>> 16;
	switch ((word >> 12) & 15) {
		case 0:
			return load(window, t, s, immediate, 1, "d8", pc);
		case 1:
			return load(window, t, s, 2 * immediate, 2, "d16", pc);
		case 2:
			return load(window, t, s, 4 * immediate, 4, "d32", pc);
		case 4:
			return store(window, t, s, immediate, 1, "d8", pc);
		case 5:
			return store(window, t, s, 2 * immediate, 2, "d16", pc);
		case 6:
			return store(window, t, s, 4 * immediate, 4, "d32", pc);
		case 9: {
			const loaded = load(window, t, s, 2 * immediate, 2, "d16", pc);
			return loaded.kind === "plain" ? plain(`${loaded.code} ${t} = ${t} << 16 >> 16;`) : loaded;
		}
		case 10:
			return plain(`${t} = ${signed(((word & 0xf00) | immediate) & 0xfff, 12)};`);
		case 12:
			return plain(`${t} = ${s} + ${signed(immediate, 8)} | 0;`);
		case 13:
			return plain(`${t} = ${s} + ${signed(immediate, 8) << 8} | 0;`);
		default:
			return illegal;
	}
}

type Width = 1 | 2 | 4;

/**
 * The index of an element: the address rotated right, so that one comparison refuses both what is not aligned (its
 * low bits are the highest now) and what lies outside.
 */
function index(window: Window, s: string, offset: number, width: Width): string {
	const from = `u = ${s} + ${offset - window.start} | 0`;
	const shift = Math.log2(width);
	const rotated = shift === 0 ? "u >>> 0" : `(u >>> ${shift} | u << ${32 - shift}) >>> 0`;
	return `(${from}, u = ${rotated}) < ${window.length / width}`;
}

function load(window: Window, t: string, s: string, offset: number, width: Width, array: string, pc: number) {
	const other = `m.load${8 * width}(${s} + ${offset} | 0, ${pc})`;
	return plain(`${t} = ${index(window, s, offset, width)} ? ${array}[u] : ${other};`);
}

function store(
	window: Window,
	t: string,
	s: string,
	offset: number,
	width: Width,
	array: string,
	pc: number,
) {
	const other = `m.store${8 * width}(${s} + ${offset} | 0, ${t}, ${pc})`;
	return plain(`if (${index(window, s, offset, width)}) ${array}[u] = ${t}; else ${other};`);
}
