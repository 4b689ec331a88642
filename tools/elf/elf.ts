/**
 * ELF files as the ESP8266's linker makes them: 32 bits, little-endian, linked. Source of the format: System V
 * ABI, chapters 4 and 5. Every number in a file is checked before it is used.
 */

const HEADER_LENGTH = 52;
const SECTION_HEADER_LENGTH = 40;
const SYMBOL_LENGTH = 16;
/** "\x7fELF", little-endian. */
const MAGIC = 0x464c457f;
/** Class, byte order, version of the format: 32 bits, little-endian, 1. */
const KIND = [1, 1, 1];
const EXECUTABLE = 2;
const SYMBOL_TABLE = 2;
const NO_BITS = 8;
const ALLOCATED = 2;

/** The machine of the ESP8266's CPU, and of the ESP32's. */
export const MACHINE_XTENSA = 94;
/** Of other files that people may have at hand. */
const machineNames: Readonly<Record<number, string>> = {
	3: "x86",
	40: "ARM",
	62: "x86-64",
	83: "AVR",
	183: "AArch64",
	243: "RISC-V",
};

export interface ElfSection {
	name: string;
	/** Where it lies in memory. */
	address: number;
	/** Its content; empty for what is zero at the start. */
	data: Uint8Array;
	/** Part of the program, with content to be loaded. */
	loaded: boolean;
}

export interface ElfSymbol {
	name: string;
	address: number;
	/** Bytes; 0 where that is not told. */
	size: number;
	/** 1 data, 2 a function, 0 and others neither. */
	type: number;
}

export interface Elf {
	entry: number;
	/** In the file's order. */
	sections: readonly ElfSection[];
	/** The defined symbols; empty for a file that was stripped. */
	symbols: readonly ElfSymbol[];
}

interface SectionHeader {
	name: number;
	type: number;
	flags: number;
	address: number;
	data: Uint8Array;
	link: number;
}

/** Reads a program for the Xtensa. Throws RangeError, with the reason, for everything else and for damaged files. */
export function readElf(bytes: Uint8Array): Elf {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	requireProgram(view);
	const headers = sectionHeaders(bytes, view);
	const names = headers[view.getUint16(50, true)]?.data;
	if (!names) throw new RangeError("a damaged ELF file, without its sections' names");
	const sections = headers.map(({ name, type, flags, address, data }) => ({
		name: textAt(names, name),
		address,
		data,
		loaded: (flags & ALLOCATED) !== 0 && type !== NO_BITS && data.length > 0,
	}));
	return { entry: view.getUint32(24, true), sections, symbols: symbolsIn(headers) };
}

/** The address of a symbol, or undefined. */
export function symbolAddress({ symbols }: Pick<Elf, "symbols">, name: string): number | undefined {
	return symbols.find((symbol) => symbol.name === name)?.address;
}

function requireProgram(view: DataView): void {
	if (view.byteLength < 4 || view.getUint32(0, true) !== MAGIC) throw new RangeError("not an ELF file");
	if (view.byteLength < HEADER_LENGTH) throw new RangeError("a damaged ELF file, its header is cut short");
	const machine = view.getUint16(18, true);
	if (KIND.some((value, i) => view.getUint8(4 + i) !== value) || machine !== MACHINE_XTENSA) {
		const name = machineNames[machine] ?? `machine ${machine}`;
		throw new RangeError(`an ELF file for another chip (${name})`);
	}
	if (view.getUint16(16, true) !== EXECUTABLE) throw new RangeError("an ELF file that is not linked");
}

function sectionHeaders(bytes: Uint8Array, view: DataView): SectionHeader[] {
	const start = view.getUint32(32, true);
	const count = view.getUint16(48, true);
	if (view.getUint16(46, true) !== SECTION_HEADER_LENGTH || count === 0) {
		throw new RangeError("an ELF file without sections");
	}
	if (start + count * SECTION_HEADER_LENGTH > bytes.length) {
		throw new RangeError("a damaged ELF file, its sections' table is cut short");
	}
	return Array.from({ length: count }, (_, i) => {
		const at = start + i * SECTION_HEADER_LENGTH;
		const word = (index: number) => view.getUint32(at + 4 * index, true);
		const [type, offset, length] = [word(1), word(4), hasNoBytes(word(1)) ? 0 : word(5)];
		if (offset + length > bytes.length && length > 0) {
			throw new RangeError(`a damaged ELF file, its section ${i} is cut short`);
		}
		const data = bytes.subarray(offset, offset + length);
		return { name: word(0), type, flags: word(2), address: word(3), data, link: word(6) };
	});
}

/** Whether a section of this type has no bytes in the file. */
function hasNoBytes(type: number): boolean {
	return type === 0 || type === NO_BITS;
}

function symbolsIn(headers: readonly SectionHeader[]): ElfSymbol[] {
	const symbols: ElfSymbol[] = [];
	for (const { data, link } of headers.filter(({ type }) => type === SYMBOL_TABLE)) {
		const names = headers[link]?.data;
		if (!names) throw new RangeError("a damaged ELF file, without its symbols' names");
		const view = new DataView(data.buffer, data.byteOffset, data.length);
		for (let at = 0; at + SYMBOL_LENGTH <= data.length; at += SYMBOL_LENGTH) {
			const name = textAt(names, view.getUint32(at, true));
			const [address, size] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
			const defined = view.getUint16(at + 14, true) !== 0;
			if (defined && name !== "") symbols.push({ name, address, size, type: view.getUint8(at + 12) & 15 });
		}
	}
	return symbols;
}

/** The text in a string table, up to its zero. */
function textAt(table: Uint8Array, offset: number): string {
	const end = table.indexOf(0, offset);
	if (end < 0) throw new RangeError("a damaged ELF file, a name is cut short");
	return Buffer.from(table.buffer, table.byteOffset + offset, end - offset).toString("latin1");
}
