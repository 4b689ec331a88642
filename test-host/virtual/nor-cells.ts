/** Where a flash chip's cells are: in memory, or in a file, in which other threads and processes see the same. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

const BLOCK = 0x10000;

export interface Cells {
	/** Bytes. */
	readonly size: number;
	/** Fills `buffer` from `address` on. */
	load(address: number, buffer: Uint8Array): void;
	store(address: number, bytes: Uint8Array): void;
	/** Idempotent. */
	close(): void;
}

export class MemoryCells implements Cells {
	readonly size: number;
	readonly #bytes: Uint8Array;

	/** These, which whoever has them may look at and change. */
	constructor(bytes: Uint8Array) {
		this.size = bytes.length;
		this.#bytes = bytes;
	}

	load(address: number, buffer: Uint8Array): void {
		buffer.set(this.#bytes.subarray(address, address + buffer.length));
	}

	store(address: number, bytes: Uint8Array): void {
		this.#bytes.set(bytes, address);
	}

	close(): void {}
}

export class FileCells implements Cells {
	readonly size: number;
	#fd: number | undefined;

	private constructor(fd: number, size: number) {
		this.#fd = fd;
		this.size = size;
	}

	/** A new file, erased. */
	static create(file: string, size: number): FileCells {
		const cells = new FileCells(openSync(file, "wx+"), size);
		const block = new Uint8Array(BLOCK).fill(0xff);
		for (let address = 0; address < size; address += BLOCK) cells.store(address, block);
		return cells;
	}

	/** A file that there is. */
	static open(file: string): FileCells {
		const fd = openSync(file, "r+");
		return new FileCells(fd, fstatSync(fd).size);
	}

	load(address: number, buffer: Uint8Array): void {
		for (let done = 0; done < buffer.length; ) {
			const length = readSync(this.#descriptor(), buffer, done, buffer.length - done, address + done);
			if (length === 0) throw new Error("the flash file was cut short by somebody else");
			done += length;
		}
	}

	store(address: number, bytes: Uint8Array): void {
		for (let done = 0; done < bytes.length; ) {
			done += writeSync(this.#descriptor(), bytes, done, bytes.length - done, address + done);
		}
	}

	close(): void {
		if (this.#fd !== undefined) closeSync(this.#fd);
		this.#fd = undefined;
	}

	#descriptor(): number {
		if (this.#fd === undefined) throw new Error("flash is closed");
		return this.#fd;
	}
}
