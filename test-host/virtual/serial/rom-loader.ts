/**
 * The serial loader in the mask ROM, as far as tools use it: it writes flash without compression, cannot read it,
 * and loads a program into RAM.
 */
import { type NorFlash, SECTOR_SIZE } from "../nor";
import { RomFlash } from "../rom-flash";
import { Command, dataOf, decodeRequest, encodeResponse, type Request } from "./packet";
import { RamDownload } from "./ram-download";
import { readRegister, writeRegisters } from "./register-commands";
import type { Registers } from "./registers";
import { done, failed, type Next, type Reply, RomError } from "./status";

/** What a synchronization brings: a mark, and bytes by which the ROM finds the baud rate. */
const SYNC = Uint8Array.of(0x07, 0x07, 0x12, 0x20, ...new Uint8Array(32).fill(0x55));
/** What a response has where it reads nothing: that mark. */
const SYNC_VALUE = 0x20120707;
/** How often it is answered, and a command that the ROM does not have too. */
const REPEATS = 8;
const SECTORS_OF_BLOCK = 16;

export interface LoaderOptions {
	flash: NorFlash;
	registers: Registers;
	/** Sends one packet. */
	send(packet: Uint8Array): void;
}

export class RomLoader {
	readonly #flash: RomFlash;
	readonly #registers: Registers;
	readonly #ram: RamDownload;
	readonly #send: (packet: Uint8Array) => void;
	#synchronized = false;
	#answered: number = Command.SYNC;
	#writeAt = 0;
	#blocksLeft = 0;
	#sequence = 0;
	#written = false;

	constructor({ flash, registers, send }: LoaderOptions) {
		this.#flash = new RomFlash(flash);
		this.#registers = registers;
		this.#send = send;
		this.#ram = new RamDownload(registers, {
			length: RomError.FORMAT,
			checksum: RomError.CHECKSUM,
			order: RomError.FAILED,
			size: RomError.RAM_SIZE,
			address: RomError.RAM_ADDRESS,
		});
	}

	/** Flash was written, all of it that was announced. */
	get flashed(): boolean {
		return this.#written && this.#blocksLeft === 0;
	}

	/** Takes a packet. Gives what comes after its answer. */
	take(packet: Uint8Array): Next | undefined {
		const request = decodeRequest(packet);
		// Until it knows the baud rate it understands nothing else.
		if (!request || !(this.#synchronized || request.command === Command.SYNC)) return undefined;
		const { error, value = SYNC_VALUE, times = 1, next } = this.#handle(request);
		const status = Uint8Array.of(error === 0 ? 0 : 1, error);
		// What it does not have it answers with the command before, by which tools tell.
		if (times === 1 || error === 0) this.#answered = request.command;
		for (let i = 0; i < times; i++) this.#send(encodeResponse(this.#answered, value, status));
		return next;
	}

	#handle(request: Request): Reply {
		if (!request.whole) return failed(RomError.FORMAT);
		switch (request.command) {
			case Command.SYNC:
				return this.#sync(request);
			case Command.READ_REG:
				return readRegister(this.#registers, request, RomError.FORMAT);
			case Command.WRITE_REG:
				return writeRegisters(this.#registers, request, RomError.FORMAT);
			case Command.MEM_BEGIN:
				return this.#ram.begin(request);
			case Command.MEM_DATA:
				return this.#ram.data(request);
			case Command.MEM_END:
				return this.#ram.end(request);
			case Command.FLASH_BEGIN:
				return this.#begin(request);
			case Command.FLASH_DATA:
				return this.#data(request);
			case Command.FLASH_END:
				return this.#end(request);
			default:
				return { error: RomError.FORMAT, times: REPEATS };
		}
	}

	#sync({ body }: Request): Reply {
		if (!Buffer.from(SYNC).equals(body)) return failed(RomError.FORMAT);
		this.#synchronized = true;
		return { error: 0, times: REPEATS };
	}

	/** Erases at once. A size of 0 only attaches the flash. */
	#begin({ body, words: [size = 0, blocks = 0, , offset = 0] }: Request): Reply {
		if (body.length < 16) return failed(RomError.FORMAT);
		const first = Math.floor(offset / SECTOR_SIZE);
		const count = erasedSectors(first, Math.ceil(size / SECTOR_SIZE));
		this.#blocksLeft = 0;
		if (offset + size > this.#flash.size) return failed(RomError.FAILED);
		for (let sector = first; sector < first + count; sector++) {
			if (!this.#flash.eraseSector(sector)) return failed(RomError.FAILED);
		}
		this.#writeAt = offset;
		this.#blocksLeft = blocks;
		this.#sequence = 0;
		return done;
	}

	/** Writes, and compares with what was to be written, since it does not know whether that was erased. */
	#data(request: Request): Reply {
		const data = dataOf(request);
		if (data === "length") return failed(RomError.FORMAT);
		if (data === "checksum") return failed(RomError.CHECKSUM);
		const [, sequence] = request.words;
		if (this.#blocksLeft === 0 || sequence !== this.#sequence) return failed(RomError.FAILED);
		const at = this.#writeAt;
		if (!this.#flash.write(at, data)) return failed(RomError.FLASH_WRITE);
		const read = this.#flash.read(at, data.length);
		if (!read || !Buffer.from(read).equals(data)) return failed(RomError.FLASH_WRITE);
		this.#writeAt += data.length;
		this.#blocksLeft -= 1;
		this.#sequence += 1;
		this.#written = true;
		return done;
	}

	/** 0 resets, 1 runs what is in flash. */
	#end({ body, words: [stay = 0] }: Request): Reply {
		if (body.length !== 4) return failed(RomError.FORMAT);
		return { error: 0, next: stay === 0 ? "reset" : "run" };
	}
}

/**
 * How many sectors the ROM erases where it is told `count`. Those up to the next block it erases one by one, and
 * forgets that they were among `count`; esptool asks for as many less.
 */
function erasedSectors(first: number, count: number): number {
	return count + Math.min(count, SECTORS_OF_BLOCK - (first % SECTORS_OF_BLOCK));
}
