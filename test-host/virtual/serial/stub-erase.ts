/** How the stub erases a region: from its start on, as far as needed, by blocks where a whole one is to go. */
import { BLOCK_SIZE, FlashFault, type NorFlash, SECTOR_SIZE } from "../nor";

export class StubErase {
	/** The chip reported a failure. */
	failed = false;
	readonly #flash: NorFlash;
	#at: number;
	readonly #end: number;

	/** The sectors that `length` bytes from `offset` on lie in. */
	constructor(flash: NorFlash, offset: number, length: number) {
		this.#flash = flash;
		this.#at = offset - (offset % SECTOR_SIZE);
		this.#end = length > 0 ? Math.ceil((offset + length) / SECTOR_SIZE) * SECTOR_SIZE : this.#at;
	}

	/** Erases what lies before `address`. The commands know no end of the chip: addresses wrap there. */
	upTo(address: number): void {
		const flash = this.#flash;
		while (this.#at < Math.min(address, this.#end)) {
			const byBlock = this.#at % BLOCK_SIZE === 0 && this.#end - this.#at >= BLOCK_SIZE;
			try {
				if (byBlock) flash.eraseBlock(this.#at % flash.size);
				else flash.eraseSector(this.#at % flash.size);
			} catch (error) {
				if (!(error instanceof FlashFault)) throw error;
				this.failed = true;
			}
			this.#at += byBlock ? BLOCK_SIZE : SECTOR_SIZE;
		}
	}
}
