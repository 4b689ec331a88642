/** The chip's memory as boot code fills it: what was loaded where, and what cannot be stored to. */
import { Exception } from "./uart";

/** Where a store succeeds: peripheral registers, data RAM, instruction RAM. */
const writable: readonly (readonly [start: number, end: number])[] = Object.freeze([
	[0x3ff00000, 0x3ff20000],
	[0x3ffe8000, 0x40000000],
	[0x40100000, 0x40110000],
	[0x60000000, 0x60002000],
]);

export class Memory {
	readonly #loads: { address: number; data: Uint8Array }[] = [];

	/** The CPU's exception that storing words there would raise, or undefined. Nothing stored, nothing raised. */
	exception(address: number, length: number): number | undefined {
		if (length === 0) return undefined;
		if (address % 4 !== 0) return Exception.LOAD_STORE_ALIGNMENT;
		const fits = writable.some(([start, end]) => address >= start && address + length <= end);
		return fits ? undefined : Exception.STORE_PROHIBITED;
	}

	store(address: number, data: Uint8Array): void {
		this.#loads.unshift({ address, data });
	}

	/** What was loaded, the first load first. */
	get loads(): readonly { address: number; data: Uint8Array }[] {
		return this.#loads.toReversed();
	}

	/** Up to `length` bytes that one load put at `address`, the last load first; undefined where none did. */
	read(address: number, length: number): Uint8Array | undefined {
		for (const load of this.#loads) {
			const offset = address - load.address;
			if (offset >= 0 && offset < load.data.length) return load.data.subarray(offset, offset + length);
		}
		return undefined;
	}
}
