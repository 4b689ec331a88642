/** The chip's memory as boot code sees it: strict, since what the chip forgives today it need not tomorrow. */
import { Noise } from "../../virtual/noise";

const DATA = 0x3ffe8000;
const DATA_SIZE = 0x18000;
const CODE = 0x40100000;
const CODE_SIZE = 0x10000;
/** Where boot code runs: what is stored there is compared with what was translated. */
export const BOOT_CODE = 0x4010e000;
export const BOOT_CODE_END = CODE + CODE_SIZE;

const noise = new Noise(0x8266).fill(new Uint8Array(DATA_SIZE));

/** The CPU's exception, with the address that it was for. */
export class MachineFault extends Error {}

/** Registers that boot code may touch. */
export interface Registers {
	load(address: number): number | undefined;
	/** False where there is none. */
	store(address: number, value: number): boolean;
}

export class MachineMemory {
	readonly #data = new DataView(new ArrayBuffer(DATA_SIZE));
	readonly #code = new Int32Array(CODE_SIZE / 4);
	readonly #registers: Registers;
	/** Called when boot code changes. */
	readonly #onCode: () => void;

	constructor(registers: Registers, onCode: () => void) {
		this.#registers = registers;
		this.#onCode = onCode;
	}

	/** Noise where nothing was loaded. */
	reset(): void {
		new Uint8Array(this.#data.buffer).set(noise);
	}

	l32(address: number): number {
		const at = (address - DATA) >>> 0;
		if (at < DATA_SIZE && (at & 3) === 0) return this.#data.getInt32(at, true);
		const code = (address - CODE) >>> 0;
		if (code < CODE_SIZE && (code & 3) === 0) return this.#code[code >>> 2] ?? 0;
		const value = (address & 3) === 0 ? this.#registers.load(address >>> 0) : undefined;
		return value ?? this.#fault("load of a word", address);
	}

	l16(address: number): number {
		const at = (address - DATA) >>> 0;
		if (at < DATA_SIZE && (at & 1) === 0) return this.#data.getUint16(at, true);
		return this.#fault("load of a half word", address);
	}

	l8(address: number): number {
		const at = (address - DATA) >>> 0;
		return at < DATA_SIZE ? this.#data.getUint8(at) : this.#fault("load of a byte", address);
	}

	s32(address: number, value: number): void {
		const at = (address - DATA) >>> 0;
		if (at < DATA_SIZE && (at & 3) === 0) {
			this.#data.setInt32(at, value, true);
			return;
		}
		const code = (address - CODE) >>> 0;
		if (code < CODE_SIZE && (code & 3) === 0) {
			if (address >= BOOT_CODE && this.#code[code >>> 2] !== (value | 0)) this.#onCode();
			this.#code[code >>> 2] = value;
		} else if ((address & 3) !== 0 || !this.#registers.store(address >>> 0, value >>> 0)) {
			this.#fault("store of a word", address);
		}
	}

	s16(address: number, value: number): void {
		const at = (address - DATA) >>> 0;
		if (at < DATA_SIZE && (at & 1) === 0) this.#data.setInt16(at, value, true);
		else this.#fault("store of a half word", address);
	}

	s8(address: number, value: number): void {
		const at = (address - DATA) >>> 0;
		if (at < DATA_SIZE) this.#data.setInt8(at, value);
		else this.#fault("store of a byte", address);
	}

	/** Whole words, as the ROM moves them. */
	put(address: number, bytes: Uint8Array): void {
		const at = (address - DATA) >>> 0;
		if ((at & 3) === 0 && at + bytes.length <= DATA_SIZE) {
			new Uint8Array(this.#data.buffer).set(bytes, at);
			return;
		}
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
		for (let i = 0; i < bytes.length; i += 4) this.s32((address + i) | 0, view.getInt32(i, true));
	}

	/** `length` bytes of data RAM, whole words of instruction RAM. */
	get(address: number, length: number): Uint8Array {
		const at = (address - DATA) >>> 0;
		if (at + length <= DATA_SIZE) return new Uint8Array(this.#data.buffer, at, length).slice();
		const code = (address - CODE) >>> 0;
		if (code % 4 !== 0 || code + length > CODE_SIZE) this.#fault("read", address);
		return new Uint8Array(this.#code.buffer, code, length).slice();
	}

	#fault(what: string, address: number): never {
		throw new MachineFault(`${what} at 0x${(address >>> 0).toString(16)}`);
	}
}
