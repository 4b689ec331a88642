/** A sector on its way, and how it comes to its place (boot/sector.c): as few erases as there may be, read back. */
import { SECTOR } from "../../../ota/image";
import { BLOCK_SIZE } from "../nor";
import type { RomFlash } from "../rom-flash";

const TRIES = 2;
/** One of each for all starts: nothing is read of what a start before has left there. */
const bytes = new Uint8Array(SECTOR);
const words = new Int32Array(bytes.buffer);
const held = new Uint8Array(SECTOR);
const blank = new Uint8Array(SECTOR).fill(0xff);

export class Sector {
	readonly bytes = bytes;
	/** The same. */
	readonly words = words;
	readonly #flash: RomFlash;

	constructor(flash: RomFlash) {
		this.#flash = flash;
	}

	/** From a flash offset; beyond the chip it stays as it was. */
	read(address: number): void {
		this.#flash.readInto(address, bytes);
	}

	/** Brings it to a flash offset, where it is not there; false where the flash does not hold it. */
	write(address: number, isBlock: boolean): boolean {
		const flash = this.#flash;
		for (let tries = 0; ; tries++) {
			flash.readInto(address, held);
			if (Buffer.compare(held, bytes) === 0) return true;
			if (tries === TRIES) return false;
			const isBlank = Buffer.compare(held, blank) === 0;
			if (isBlock && tries === 0 && !isBlank) flash.eraseBlock(Math.floor(address / BLOCK_SIZE));
			else if (tries > 0 || !isBlank) flash.eraseSector(Math.floor(address / SECTOR));
			flash.write(address, bytes);
		}
	}
}
