/**
 * The stub, which esptool and esptool-js load into RAM to take the ROM loader's place: it writes compressed data,
 * reads flash, computes MD5. Its machine code is not run; this answers in its stead.
 */
import { createHash } from "node:crypto";
import { BLOCK_SIZE, type NorFlash, SECTOR_SIZE } from "../nor";
import { Command, dataOf, decodeRequest, encodeResponse, type Request } from "./packet";
import { GREETING, RamDownload } from "./ram-download";
import { readRegister, writeRegisters } from "./register-commands";
import type { Registers } from "./registers";
import type { LoaderOptions } from "./rom-loader";
import { done, failed, type Next, type Reply, StubError } from "./status";
import { StubErase } from "./stub-erase";
import { StubReading } from "./stub-reading";
import { StubWriting } from "./stub-writing";

/** The largest block of a write. */
export const STUB_BLOCK = 0x4000;
const SYNC_LENGTH = 36;
/** As the ROM answers a synchronization, so that tools need not know who is there. */
const REPEATS = 8;
/** What the ROM's flash functions take the chip for, until SPI_SET_PARAMS tells them. */
const FLASH_SIZE = 0x400000;
/** Packets of READ_FLASH: the length of one, and how many may be on their way. */
const READ_PACKET_MAX = 0x1000;
const READ_WINDOW_MAX = 1024;

export class StubLoader {
	readonly #flash: NorFlash;
	readonly #registers: Registers;
	readonly #ram: RamDownload;
	readonly #send: (packet: Uint8Array) => void;
	#flashSize = FLASH_SIZE;
	#writing: StubWriting | undefined;
	#reading: StubReading | undefined;
	#written = false;

	/** It says that it runs. */
	constructor({ flash, registers, send }: LoaderOptions) {
		this.#flash = flash;
		this.#registers = registers;
		this.#send = send;
		const length = StubError.DATA_LENGTH;
		this.#ram = new RamDownload(registers, {
			length,
			checksum: StubError.CHECKSUM,
			order: length,
			size: length,
			address: length,
		});
		send(GREETING);
	}

	/** Flash was written, all of it that was announced. */
	get flashed(): boolean {
		return this.#written && !this.#writing?.left;
	}

	/** Takes a packet. Gives what comes after its answer. Throws PowerCut. */
	async take(packet: Uint8Array): Promise<Next | undefined> {
		if (this.#reading) {
			this.#reading.acknowledge(packet);
			if (this.#reading.over) this.#reading = undefined;
			return undefined;
		}
		const request = decodeRequest(packet);
		if (!request) return undefined;
		if (request.command === Command.RUN_USER_CODE) return "run";
		const { error, value = 0, data, times = 1, next } = this.#handle(request);
		const body = Uint8Array.of(...(data ?? []), error, 0);
		for (let i = 0; i < times; i++) this.#send(encodeResponse(request.command, value, body));
		if (error === 0) await this.#afterwards(request);
		return next;
	}

	#handle(request: Request): Reply {
		const { body, words, whole, command } = request;
		const lengths = lengthsOf.get(command);
		if (!whole || (lengths && !lengths.includes(body.length))) return failed(StubError.DATA_LENGTH);
		const [first = 0, second = 0] = words;
		switch (command) {
			case Command.SYNC:
				return { error: 0, times: REPEATS };
			case Command.READ_REG:
				return readRegister(this.#registers, request, StubError.DATA_LENGTH);
			case Command.WRITE_REG:
				return writeRegisters(this.#registers, request, StubError.DATA_LENGTH);
			case Command.MEM_BEGIN:
				return this.#ram.begin(request);
			case Command.MEM_DATA:
				return this.#ram.data(request);
			case Command.MEM_END:
				return this.#ram.end(request);
			case Command.SPI_ATTACH:
			case Command.CHANGE_BAUDRATE:
				return done;
			case Command.SPI_SET_PARAMS:
				this.#flashSize = second;
				return done;
			case Command.FLASH_BEGIN:
			case Command.FLASH_DEFL_BEGIN:
				return this.#begin(request);
			case Command.FLASH_DATA:
			case Command.FLASH_DEFL_DATA:
				return this.#data(request);
			case Command.FLASH_END:
			case Command.FLASH_DEFL_END:
				return this.#end(first);
			case Command.ERASE_FLASH:
				return this.#erase(0, this.#flash.size);
			case Command.ERASE_REGION:
				return this.#erase(first, second);
			case Command.SPI_FLASH_MD5:
				return this.#md5(first, second);
			case Command.READ_FLASH:
				return this.#mayRead(words);
			default:
				return failed(StubError.NOT_IMPLEMENTED);
		}
	}

	/** What a command does when it is answered already, so that the next one may come meanwhile. */
	async #afterwards(request: Request): Promise<void> {
		const { command, words } = request;
		const [offset = 0, length = 0, packetLength = 0, window = 0] = words;
		if (command === Command.CHANGE_BAUDRATE) this.#registers.baudRate = offset;
		if (command === Command.FLASH_DATA || command === Command.FLASH_DEFL_DATA) {
			this.#written = true;
			await this.#writing?.take(request.body.subarray(16));
		}
		if (command === Command.READ_FLASH) {
			const options = { flash: this.#flash, offset, length, packetLength, window, send: this.#send };
			const reading = new StubReading(options);
			if (!reading.over) this.#reading = reading;
		}
	}

	#begin({ command, words: [size = 0, , blockSize = 0, offset = 0] }: Request): Reply {
		if (blockSize > STUB_BLOCK) return failed(StubError.BLOCK_SIZE);
		const compressed = command === Command.FLASH_DEFL_BEGIN;
		const flashSize = this.#flashSize;
		this.#writing = new StubWriting({ flash: this.#flash, flashSize, offset, size, compressed });
		return done;
	}

	/** Blocks are taken as they come, whatever their number. */
	#data(request: Request): Reply {
		if (!this.#writing) return failed(StubError.NO_FLASH_MODE);
		const data = dataOf(request);
		if (data === "length" || data.length > STUB_BLOCK) return failed(StubError.DATA_LENGTH);
		if (data === "checksum") return failed(StubError.CHECKSUM);
		return { error: this.#writing.error };
	}

	/** 0 resets. */
	#end(stay: number): Reply {
		const writing = this.#writing;
		if (!writing) return failed(StubError.NO_FLASH_MODE);
		if (writing.left > 0) return failed(StubError.TOO_LITTLE);
		this.#writing = undefined;
		if (writing.error !== 0) return failed(writing.error);
		return { error: 0, next: stay === 0 ? "reset" : undefined };
	}

	#erase(offset: number, length: number): Reply {
		if (offset % SECTOR_SIZE !== 0 || length % SECTOR_SIZE !== 0) return failed(StubError.DATA_LENGTH);
		if (offset + length > this.#flash.size) return failed(StubError.FLASH);
		const erase = new StubErase(this.#flash, offset, length);
		erase.upTo(offset + length);
		return erase.failed ? failed(StubError.FLASH) : done;
	}

	#md5(offset: number, length: number): Reply {
		if (offset + length > this.#flash.size) return failed(StubError.FLASH);
		const hash = createHash("md5");
		const block = new Uint8Array(BLOCK_SIZE);
		for (let at = offset; at < offset + length; at += BLOCK_SIZE) {
			const piece = block.subarray(0, Math.min(BLOCK_SIZE, offset + length - at));
			this.#flash.read(at, piece);
			hash.update(piece);
		}
		return { error: 0, data: hash.digest() };
	}

	#mayRead([offset = 0, length = 0, packetLength = 0, window = 0]: readonly number[]): Reply {
		const sane =
			packetLength > 0 && packetLength <= READ_PACKET_MAX && window > 0 && window <= READ_WINDOW_MAX;
		if (!sane) return failed(StubError.DATA_LENGTH);
		return offset + length > this.#flash.size ? failed(StubError.FLASH) : done;
	}
}

/** How long the bodies of commands are. The stub of newer tools takes one word more: whether to encrypt. */
const lengthsOf: ReadonlyMap<number, readonly number[]> = new Map([
	[Command.SYNC, [SYNC_LENGTH]],
	[Command.SPI_ATTACH, [4]],
	[Command.SPI_SET_PARAMS, [24]],
	[Command.CHANGE_BAUDRATE, [8]],
	[Command.FLASH_BEGIN, [16, 20]],
	[Command.FLASH_DEFL_BEGIN, [16, 20]],
	[Command.FLASH_END, [4]],
	[Command.FLASH_DEFL_END, [4]],
	[Command.ERASE_FLASH, [0]],
	[Command.ERASE_REGION, [8]],
	[Command.SPI_FLASH_MD5, [16]],
	[Command.READ_FLASH, [16]],
]);
