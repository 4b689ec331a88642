/** The SPI controller as far as loaders use it by hand: one command of the flash chip, made of registers. */

/** Offsets of the registers. */
const CMD = 0x00;
const USER_2 = 0x24;
const W0 = 0x40;
const END = 0x80;
/** CMD's bit that starts a user's command; it reads 0 when that is done. */
const CMD_USER = 1 << 18;

/** Commands of the flash chip. */
const WRITE_STATUS = 0x01;
const WRITE_DISABLE = 0x04;
const READ_STATUS = 0x05;
const WRITE_ENABLE = 0x06;
const READ_STATUS_2 = 0x35;
const READ_STATUS_3 = 0x15;
const READ_ID = 0x9f;

/** What a Winbond W25Q chip answers: maker EF, type 40. */
const CHIP_ID = 0x40ef;
const WRITE_ENABLED = 2;

export class SpiController {
	readonly #registers = new Uint32Array(END / 4);
	readonly #chipSize: number;
	#status = 0;

	/** `chipSize` in bytes, a power of two. */
	constructor(chipSize: number) {
		this.#chipSize = chipSize;
	}

	/** The register at `offset` from the controller's base. */
	read(offset: number): number {
		return this.#registers[offset / 4] ?? 0;
	}

	write(offset: number, value: number): void {
		if (offset >= END) return;
		this.#registers[offset / 4] = value;
		if (offset !== CMD) return;
		if (value & CMD_USER) this.#registers[W0 / 4] = this.#run((this.#registers[USER_2 / 4] ?? 0) & 0xff);
		this.#registers[CMD / 4] = 0;
	}

	/** What the flash chip answers, its first byte lowest. */
	#run(command: number): number {
		if (command === WRITE_ENABLE) this.#status |= WRITE_ENABLED;
		if (command === WRITE_DISABLE) this.#status &= ~WRITE_ENABLED;
		if (command === WRITE_STATUS && this.#status & WRITE_ENABLED) this.#status = (this.read(W0) & 0xfc) >>> 0;
		if (command === READ_STATUS) return this.#status;
		if (command === READ_STATUS_2 || command === READ_STATUS_3) return 0;
		// The third byte is the size as a power of two.
		if (command === READ_ID) return CHIP_ID | (Math.log2(this.#chipSize) << 16);
		// Nobody drives the line, which is pulled up.
		return 0xffffffff;
	}
}
