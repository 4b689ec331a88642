/** Names for addresses, from the symbol table of an ELF file (System V ABI, 32 bits, little-endian). */
import { ErrorCode, UpdateError } from "../../ota/errors";
import { readBounded } from "../read-image";

/** A build with debug information has a few MiB. */
const SIZE_MAX = 64 << 20;
const MAGIC = 0x464c457f;
const CLASS_32 = 1;
const LITTLE_ENDIAN = 1;
const MACHINE_XTENSA = 94;
const SECTION_LENGTH = 40;
const SECTION_SYMBOLS = 2;
const SYMBOL_LENGTH = 16;
const TYPE_FUNCTION = 2;
const TYPE_NONE = 0;

interface Symbol {
	name: string;
	address: number;
	/** Bytes; 0 where assembler does not tell. */
	size: number;
}

/** Further than this from a symbol without a size an address is another one's, bytes. */
const REACH = 0x1000;

export class Symbols {
	readonly #symbols: readonly Symbol[];

	/** Any order. */
	constructor(symbols: readonly Symbol[]) {
		// Of those at one address the one that tells its size counts.
		this.#symbols = [...symbols].sort((a, b) => a.address - b.address || a.size - b.size);
	}

	/** The function that an address lies in and how far within, as `main + 0x12`; undefined where none is there. */
	find(address: number): string | undefined {
		let low = 0;
		for (let high = this.#symbols.length; low < high; ) {
			const middle = (low + high) >> 1;
			if ((this.#symbols[middle]?.address ?? 0) <= address) low = middle + 1;
			else high = middle;
		}
		const symbol = this.#symbols[low - 1];
		if (!symbol || address - symbol.address >= (symbol.size || REACH)) return undefined;
		const offset = address - symbol.address;
		return offset === 0 ? symbol.name : `${symbol.name} + 0x${offset.toString(16)}`;
	}
}

/** Throws UpdateError FILE, or SYMBOLS where it is no ELF of the ESP8266 or has none. */
export async function readSymbols(file: string): Promise<Symbols> {
	const bytes = await readBounded(file, SIZE_MAX, "are more than an ELF of the ESP8266 has");
	const failure = (reason: string) => new UpdateError(ErrorCode.SYMBOLS, file, reason);
	try {
		const symbols = symbolsOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes);
		if (symbols === undefined) throw failure("that is no ELF of the ESP8266");
		if (symbols.length === 0) throw failure("it has none, it is stripped");
		return new Symbols(symbols);
	} catch (error) {
		throw error instanceof RangeError ? failure("the file is damaged") : error;
	}
}

/** Undefined where it is no such ELF. Throws RangeError where it is cut short. */
function symbolsOf(view: DataView, bytes: Uint8Array): Symbol[] | undefined {
	if (view.byteLength < 52 || view.getUint32(0, true) !== MAGIC) return undefined;
	if (view.getUint8(4) !== CLASS_32 || view.getUint8(5) !== LITTLE_ENDIAN) return undefined;
	if (view.getUint16(18, true) !== MACHINE_XTENSA) return undefined;
	const table = view.getUint32(32, true);
	const count = view.getUint16(48, true);
	const section = (number: number) => {
		const at = table + number * SECTION_LENGTH;
		const word = (index: number) => view.getUint32(at + 4 * index, true);
		return { type: word(1), offset: word(4), length: word(5), link: word(6) };
	};
	const found: Symbol[] = [];
	for (let i = 0; i < count; i++) {
		const { type, offset, length, link } = section(i);
		if (type !== SECTION_SYMBOLS) continue;
		const names = section(link);
		for (let at = offset; at + SYMBOL_LENGTH <= offset + length; at += SYMBOL_LENGTH) {
			const symbolType = view.getUint8(at + 12) & 15;
			const address = view.getUint32(at + 4, true);
			if ((symbolType !== TYPE_FUNCTION && symbolType !== TYPE_NONE) || address >>> 24 !== 0x40) continue;
			const start = names.offset + view.getUint32(at, true);
			const end = bytes.indexOf(0, start);
			const name = Buffer.from(bytes.subarray(start, end)).toString();
			if (name !== "") found.push({ name, address, size: view.getUint32(at + 8, true) });
		}
	}
	return found;
}
