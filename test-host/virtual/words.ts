/** 32-bit words that threads share in memory, or processes in a file. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";

export interface Words {
	load(index: number): number;
	store(index: number, value: number): void;
	/** Gives the value before. */
	add(index: number, value: number): number;
}

export class SharedWords implements Words {
	/** Give it to another thread: `new SharedWords(buffer)` there is the same words. */
	readonly buffer: SharedArrayBuffer;
	readonly #words: Int32Array;

	constructor(buffer: SharedArrayBuffer) {
		this.buffer = buffer;
		this.#words = new Int32Array(buffer);
	}

	load(index: number): number {
		return Atomics.load(this.#words, index);
	}

	store(index: number, value: number): void {
		Atomics.store(this.#words, index, value);
	}

	add(index: number, value: number): number {
		return Atomics.add(this.#words, index, value);
	}
}

/** Another process maps the file, or opens it too. `add` is no single step: one process adds, the others look. */
export class FileWords implements Words {
	readonly #fd: number;
	readonly #word = Buffer.alloc(4);

	/** Makes the file, `length` bytes of zeros. */
	constructor(file: string, length: number) {
		this.#fd = openSync(file, "w+");
		writeSync(this.#fd, Buffer.alloc(length));
	}

	load(index: number): number {
		readSync(this.#fd, this.#word, 0, 4, 4 * index);
		return this.#word.readInt32LE();
	}

	store(index: number, value: number): void {
		this.#word.writeInt32LE(value);
		writeSync(this.#fd, this.#word, 0, 4, 4 * index);
	}

	add(index: number, value: number): number {
		const before = this.load(index);
		this.store(index, (before + value) | 0);
		return before;
	}

	close(): void {
		closeSync(this.#fd);
	}
}
