/** What a loader reads and writes by address: peripherals as far as tools ask for them, and RAM. */
import { Memory } from "../memory";
import { SpiController } from "./spi";

/** A word of the ROM by which tools tell the chips apart. */
const ROM_WORD = 0x40001000;
const ROM_WORD_ESP8266 = 0xfff0c101;
/** Four words of fuses: in the first two the MAC, in the last one its maker where that is none of the two. */
const EFUSE = 0x3ff00050;
const UART_CLOCK_DIVIDER = 0x60000014;
/** Twice the crystal's frequency, Hz. */
const UART_CLOCK = 52_000_000;
/** The UART's version, by which old tools tell the chips apart. */
const UART_DATE = 0x60000078;
const UART_DATE_ESP8266 = 0x00062000;
const SPI = 0x60000200;
/** Makers that one byte of the second word stands for. */
const makers: readonly number[] = [0x18fe34, 0xacd074];
/** What the ROM answers at where it is not told otherwise. */
const BAUD_RATE = 115_200;

export class Registers {
	/** Of the serial line. */
	baudRate = BAUD_RATE;
	readonly #spi: SpiController;
	readonly #efuse: readonly number[];
	readonly #memory = new Memory();
	readonly #written = new Map<number, number>();

	/** `mac` has six bytes, `flashSize` is in bytes. */
	constructor(mac: Uint8Array, flashSize: number) {
		this.#spi = new SpiController(flashSize);
		const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
		const maker = (a << 16) | (b << 8) | c;
		const number = makers.indexOf(maker);
		this.#efuse = [(f << 24) >>> 0, (Math.max(number, 0) << 16) | (d << 8) | e, 0, number === -1 ? maker : 0];
	}

	/** The word at `address`, a multiple of 4; 0 where nothing is known. */
	read(address: number): number {
		if (address === ROM_WORD) return ROM_WORD_ESP8266;
		if (address === UART_DATE) return UART_DATE_ESP8266;
		if (address === UART_CLOCK_DIVIDER) return Math.ceil(UART_CLOCK / this.baudRate);
		if (address >= EFUSE && address < EFUSE + 16) return this.#efuse[(address - EFUSE) / 4] ?? 0;
		if (address >= SPI && address < SPI + 0x100) return this.#spi.read(address - SPI);
		return this.#written.get(address) ?? 0;
	}

	/** Whether there is something to write to: RAM or a peripheral, on a word's boundary. */
	writable(address: number, length: number): boolean {
		return this.#memory.exception(address, length) === undefined;
	}

	/** Changes the bits of `mask`. What is not writable stays as it is. */
	write(address: number, value: number, mask: number): void {
		if (!this.writable(address, 4)) return;
		const word = ((value & mask) | (this.read(address) & ~mask)) >>> 0;
		if (address >= SPI && address < SPI + 0x100) this.#spi.write(address - SPI, word);
		else this.#written.set(address, word);
	}
}
