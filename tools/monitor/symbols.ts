/** Names for addresses, from the symbol table of an ELF file. */
import { ErrorCode, UpdateError } from "../../ota/errors";
import { type ElfSymbol, readElf } from "../elf/elf";
import { readBounded } from "../read-image";

/** A build with debug information has a few MiB. */
const SIZE_MAX = 64 << 20;
const TYPE_FUNCTION = 2;
const TYPE_NONE = 0;

/** Further than this from a symbol without a size an address is another one's, bytes. */
const REACH = 0x1000;

export class Symbols {
	readonly #symbols: readonly ElfSymbol[];

	/** Any order. */
	constructor(symbols: readonly ElfSymbol[]) {
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
		const symbols = readElf(bytes).symbols.filter(isCode);
		if (symbols.length === 0) throw failure("it has none, it is stripped");
		return new Symbols(symbols);
	} catch (error) {
		throw error instanceof RangeError ? failure(error.message) : error;
	}
}

function isCode({ type, address }: ElfSymbol): boolean {
	return (type === TYPE_FUNCTION || type === TYPE_NONE) && address >>> 24 === 0x40;
}
