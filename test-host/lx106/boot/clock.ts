/** The board's time while a boot loader runs, and the watchdog that counts it. */

/** The CPU's clock as the ROM leaves it. */
const INSTRUCTIONS_PER_MS = 52_000;
/** ets_wdt_enable(4, 12, 12) and a flash chip's usual data sheet. */
const WATCHDOG_MS = 13_000;
const ERASE_SECTOR_MS = 45;
const ERASE_BLOCK_MS = 150;
const PROGRAM_PAGE_MS = 0.7;
const PAGE = 256;

export class Clock {
	/** Instructions since the reset; the machine counts them up. */
	instructions = 0;
	/** What the flash took, and what was waited for: ms since the reset. */
	flash = 0;
	waited = 0;
	/** Whether the watchdog runs. The ROM starts it. */
	watching = true;
	#fed = 0;

	/** Since the reset. */
	get ms(): number {
		return this.instructions / INSTRUCTIONS_PER_MS + this.flash + this.waited;
	}

	/** Instructions until the watchdog resets the chip; endless without it. */
	get instructionsLeft(): number {
		if (!this.watching) return Number.POSITIVE_INFINITY;
		return Math.ceil((this.#fed + WATCHDOG_MS - this.ms) * INSTRUCTIONS_PER_MS);
	}

	feed(): void {
		this.#fed = this.ms;
	}

	watch(): void {
		this.watching = true;
		this.feed();
	}

	erasedSector(): void {
		this.flash += ERASE_SECTOR_MS;
	}

	erasedBlock(): void {
		this.flash += ERASE_BLOCK_MS;
	}

	/** The ROM's SPIWrite goes by pages. */
	programmed(address: number, length: number): void {
		this.flash += PROGRAM_PAGE_MS * (Math.ceil((address + length) / PAGE) - Math.floor(address / PAGE));
	}
}
