/** The mask ROM's functions that boot code calls, by their addresses (the SDK's eagle.rom.addr.v6.ld). */

import { BLOCK_SIZE, type NorFlash, PAGE_SIZE, SECTOR_SIZE } from "../../virtual/nor";
import { RomFlash } from "../../virtual/rom-flash";
import { hex32, type Print, printf } from "../../virtual/uart";
import type { Bus } from "./bus";
import type { Clock } from "./clock";
import { MachineFault } from "./fault";
import type { Registers } from "./program";
import type { Ram } from "./ram";
import { format } from "./rom-printf";

/** ROM code lies between these. */
export const ROM_START = 0x40000000;
export const ROM_END = 0x40010000;

const TEXT_MAX = 256;

/** What a call sees: its arguments, and where it comes from. */
interface Call {
	readonly arguments: Registers;
	readonly pc: number;
}

/** Gives the result, if there is one. */
type RomFunction = (rom: RomCalls, call: Call, a: number, b: number, c: number) => number | undefined;

const functions = new Map<number, RomFunction>([
	[0x400018a4, (rom, call, to, value, length) => rom.fill(call, to, value, length)],
	[0x400018b4, (rom, call, to, from, length) => rom.copy(call, to, from, length)],
	[0x400018c4, (rom, call, to, from, length) => rom.copy(call, to, from, length)],
	[0x400018d4, (rom, call, a, b, length) => rom.compare(call, a, b, length)],
	[0x400024cc, (rom, call, pattern) => rom.printf(call, pattern)],
	[0x40002be8, (rom, _, character) => rom.putc(character)],
	[0x40002ecc, (rom, _, us) => rom.delay(us)],
	[0x40002fa0, (rom, call, mode, time, end) => rom.watch(call, mode, time, end)],
	[0x400030f0, (rom) => rom.unwatch()],
	// Cache_Read_Enable would take the RAM that the code runs in.
	[0x400047f0, () => undefined],
	[0x40004878, () => 0],
	[0x400049b4, (rom, _, number) => rom.eraseBlock(number)],
	[0x40004a00, (rom, _, number) => rom.eraseSector(number)],
	[0x40004a4c, (rom, call, to, from, length) => rom.write(call, to, from, length)],
	[0x40004b1c, (rom, call, from, to, length) => rom.read(call, from, to, length)],
	[0x40004c2c, (rom, call, _id, size) => rom.configure(call, size)],
]);

export class RomCalls {
	readonly #chip: NorFlash;
	#flash: RomFlash;
	readonly #ram: Ram;
	readonly #bus: Bus;
	readonly #clock: Clock;
	readonly #print: Print;

	constructor(board: { flash: NorFlash; print: Print; clock: Clock }, ram: Ram, bus: Bus) {
		this.#chip = board.flash;
		this.#flash = new RomFlash(board.flash);
		this.#print = board.print;
		this.#clock = board.clock;
		this.#ram = ram;
		this.#bus = bus;
	}

	/** The function at an address: its result. Throws MachineFault, PowerCut. */
	call(address: number, registers: Registers, pc: number): number | undefined {
		const found = functions.get(address);
		if (!found) throw new MachineFault(`call of 0x${hex32(address)}, which is no function of the ROM,`, pc);
		const [, , a = 0, b = 0, c = 0] = registers;
		return found(this, { arguments: registers, pc }, a >>> 0, b >>> 0, c >>> 0);
	}

	read(call: Call, from: number, to: number, length: number): number {
		const bytes = this.#flash.read(from, length);
		if (!bytes) return 1;
		if (bytes.length === 0) return 0;
		this.#words("SPIRead", call, to, bytes.length, true).set(bytes);
		return 0;
	}

	write(call: Call, to: number, from: number, length: number): number {
		const rounded = length & ~3;
		const bytes = this.#words("SPIWrite", call, from, rounded, false);
		if (rounded !== length) return 1;
		this.#clock.programmed(to, length);
		return this.#flash.write(to, bytes) ? 0 : 1;
	}

	eraseSector(number: number): number {
		this.#clock.erasedSector();
		return this.#flash.eraseSector(number) ? 0 : 1;
	}

	eraseBlock(number: number): number {
		this.#clock.erasedBlock();
		return this.#flash.eraseBlock(number) ? 0 : 1;
	}

	configure(call: Call, size: number): number {
		const [block, sector, page] = call.arguments.subarray(4, 7);
		if (block !== BLOCK_SIZE || sector !== SECTOR_SIZE || page !== PAGE_SIZE) {
			throw new MachineFault(
				`SPIParamCfg with blocks of ${block}, sectors of ${sector}, pages of ${page}`,
				call.pc,
			);
		}
		this.#flash = new RomFlash(this.#chip, size);
		return 0;
	}

	printf(call: Call, pattern: number): number {
		const { arguments: registers } = call;
		let at = 3;
		const next = () => {
			const [stack = 0] = registers.subarray(1, 2);
			const value = at < 8 ? registers[at] : this.#int(call, stack + 4 * (at - 8));
			at++;
			return value ?? 0;
		};
		const text = format(this.#text(call, pattern), next, (address) => this.#text(call, address));
		printf(this.#print, text);
		return text.length;
	}

	putc(character: number): undefined {
		this.#print(String.fromCharCode(character & 0xff));
	}

	delay(us: number): undefined {
		this.#clock.waited += us / 1000;
	}

	watch(call: Call, mode: number, time: number, end: number): undefined {
		if (mode !== 4 || time !== 12 || end !== 12) {
			throw new MachineFault(`ets_wdt_enable(${mode}, ${time}, ${end}), not (4, 12, 12),`, call.pc);
		}
		this.#clock.watch();
	}

	unwatch(): undefined {
		this.#clock.watching = false;
	}

	fill(call: Call, to: number, value: number, length: number): number {
		this.#bytes("ets_memset", call, to, length, true).fill(value & 0xff);
		return to;
	}

	copy(call: Call, to: number, from: number, length: number): number {
		this.#bytes("ets_memcpy", call, to, length, true).set(
			this.#bytes("ets_memcpy", call, from, length, false),
		);
		return to;
	}

	compare(call: Call, a: number, b: number, length: number): number {
		const one = this.#bytes("ets_memcmp", call, a, length, false);
		return Buffer.compare(one, this.#bytes("ets_memcmp", call, b, length, false));
	}

	/** RAM that a function of the flash moves words of. */
	#words(name: string, call: Call, address: number, length: number, written: boolean): Uint8Array {
		const bytes = address % 4 === 0 ? this.#ram.view(address, length) : undefined;
		if (!bytes) throw new MachineFault(`${name} of ${length} bytes at 0x${hex32(address)}`, call.pc);
		if (written) this.#bus.checkStore(address, length, call.pc);
		return bytes;
	}

	/** RAM that a function handles byte by byte, where address and length are not both of words. */
	#bytes(name: string, call: Call, address: number, length: number, written: boolean): Uint8Array {
		if (length === 0) return new Uint8Array(0);
		const inWords = (address | length) % 4 === 0;
		const bytes = inWords || !this.#ram.isInstruction(address) ? this.#ram.view(address, length) : undefined;
		if (!bytes) throw new MachineFault(`${name} of ${length} bytes at 0x${hex32(address)}`, call.pc);
		if (written) this.#bus.checkStore(address, length, call.pc);
		return bytes;
	}

	#int(call: Call, address: number): number {
		const bytes = this.#words("ets_printf", call, address >>> 0, 4, false);
		return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
	}

	/** A text in data RAM, which ends in 0. */
	#text(call: Call, address: number): string {
		let text = "";
		for (let at = address; text.length < TEXT_MAX; at++) {
			const [byte] = this.#bytes("ets_printf", call, at, 1, false);
			if (!byte) return text;
			text += String.fromCharCode(byte);
		}
		throw new MachineFault(`text at 0x${hex32(address)} without an end`, call.pc);
	}
}
