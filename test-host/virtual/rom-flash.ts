/** The mask ROM's flash functions, which boot code calls: SPIRead, SPIWrite, SPIEraseSector, SPIEraseBlock. */
import { BLOCK_SIZE, FlashFault, type NorFlash, SECTOR_SIZE } from "./nor";

/** What these functions take the chip for, whatever it is and whatever the image header says. */
const ASSUMED_SIZE = 0x400000;
/** A SPI command carries 24 address bits. */
const ADDRESS_MASK = 0xffffff;

export class RomFlash {
	/** Bytes that these functions take the chip for. */
	readonly size: number;
	readonly #flash: NorFlash;

	/** `size` where a program has told them another one. */
	constructor(flash: NorFlash, size = ASSUMED_SIZE) {
		this.#flash = flash;
		this.size = size;
	}

	/**
	 * SPIRead: whole words, the last one beyond `length` where that is no multiple of 4; a length that is not
	 * positive as a signed number gives none. Undefined (the function's 1) where address + length, in 32 bits,
	 * passes the size.
	 */
	read(address: number, length: number): Uint8Array | undefined {
		if ((address + length) >>> 0 > this.size) return undefined;
		if ((length | 0) < 1) return new Uint8Array(0);
		const bytes = new Uint8Array(4 * Math.ceil(length / 4));
		this.#pieces(address, bytes, (at, piece) => this.#flash.read(at, piece));
		return bytes;
	}

	/** SPIRead of as many whole words as a buffer has; false (the function's 1) where it stays as it was. */
	readInto(address: number, bytes: Uint8Array): boolean {
		if ((address + bytes.length) >>> 0 > this.size) return false;
		this.#pieces(address, bytes, (at, piece) => this.#flash.read(at, piece));
		return true;
	}

	/** SPIWrite; false where it reports a failure. */
	write(address: number, bytes: Uint8Array): boolean {
		if ((address + bytes.length) >>> 0 > this.size || bytes.length % 4 !== 0) return false;
		return succeeds(() => this.#pieces(address, bytes, (at, piece) => this.#flash.program(at, piece)));
	}

	/** SPIEraseSector of sector `number`; false where it reports a failure. */
	eraseSector(number: number): boolean {
		if (number >= this.size / SECTOR_SIZE) return false;
		return succeeds(() => this.#flash.eraseSector((number * SECTOR_SIZE) % this.#flash.size));
	}

	/** SPIEraseBlock of the 64 KiB with this number; false where it reports a failure. */
	eraseBlock(number: number): boolean {
		if (number >= this.size / BLOCK_SIZE) return false;
		return succeeds(() => this.#flash.eraseBlock((number * BLOCK_SIZE) % this.#flash.size));
	}

	/** A chip ignores the address bits that it has no cells for, so that addresses wrap at its end. */
	#pieces(address: number, bytes: Uint8Array, each: (address: number, piece: Uint8Array) => void): void {
		for (let done = 0; done < bytes.length; ) {
			const at = ((address + done) & ADDRESS_MASK) % this.#flash.size;
			const length = Math.min(bytes.length - done, this.#flash.size - at);
			each(at, bytes.subarray(done, done + length));
			done += length;
		}
	}
}

function succeeds(operation: () => void): boolean {
	try {
		operation();
		return true;
	} catch (error) {
		if (error instanceof FlashFault) return false;
		throw error;
	}
}
