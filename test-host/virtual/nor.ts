/**
 * A NOR flash chip whose cells are a file: an erase sets a sector or a block to ones, a program only clears
 * bits. Other threads and processes may open the same file and see the same cells.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { FlashFault, type FlashOperation, NorControl, PowerCut } from "./nor-control";

export { type Fault, type FaultKind, FlashFault, NorControl, PowerCut } from "./nor-control";

export const SECTOR_SIZE = 0x1000;
export const BLOCK_SIZE = 0x10000;
/** A program command's reach: it wraps within its page, so that drivers go page by page. */
export const PAGE_SIZE = 0x100;
const SIZE_MIN = 0x80000;
const SIZE_MAX = 0x1000000;
/** What a NodeMCU has. */
const SIZE_USUAL = 0x400000;

export interface NorOptions {
	/** Path; created erased where it does not exist. */
	file: string;
	/** Bytes: 512 KiB to 16 MiB, a power of two. Without it an existing file's own, or 4 MiB for a new one. */
	size?: number;
	/** Shared with whoever arms faults and switches the power. */
	control?: NorControl;
	/** Called in the instant of a power cut; where it returns, the operation throws PowerCut. */
	onPowerCut?: () => void;
}

export class NorFlash {
	readonly size: number;
	readonly control: NorControl;
	readonly #onPowerCut: (() => void) | undefined;
	#fd: number | undefined;

	private constructor(fd: number, size: number, options: NorOptions) {
		this.#fd = fd;
		this.size = size;
		this.control = options.control ?? NorControl.create();
		this.#onPowerCut = options.onPowerCut;
	}

	/** Opens the chip in a file. Throws Error where the size is none of a chip, or another than the file's. */
	static open(options: NorOptions): NorFlash {
		const { file, size } = options;
		if (size !== undefined && !isChipSize(size)) {
			throw new Error(`${size} bytes is no flash chip: 512 KiB to 16 MiB, a power of two`);
		}
		if (!existsSync(file)) return new NorFlash(create(file, size ?? SIZE_USUAL), size ?? SIZE_USUAL, options);
		const fd = openSync(file, "r+");
		const actual = fstatSync(fd).size;
		if (isChipSize(actual) && (size ?? actual) === actual) return new NorFlash(fd, actual, options);
		closeSync(fd);
		throw new Error(
			size === undefined
				? `flash file ${file} holds ${actual} bytes, no flash chip: 512 KiB to 16 MiB, a power of two`
				: `flash file ${file} holds ${actual} bytes, but a chip of ${size} bytes is wanted`,
		);
	}

	/** Sector erases, block erases and page programs so far. */
	get operations(): number {
		return this.control.operations;
	}

	/** Fills `buffer` from `address` on. Throws RangeError beyond the chip, PowerCut without power. */
	read(address: number, buffer: Uint8Array): void {
		this.#check(address, buffer.length, 1);
		this.#checkPower();
		this.#load(address, buffer);
	}

	/** Sets 4,096 bytes at `address`, a multiple of it, to FF. Throws RangeError, FlashFault, PowerCut. */
	eraseSector(address: number): void {
		this.#erase(address, SECTOR_SIZE);
	}

	/** Sets 65,536 bytes at `address`, a multiple of it, to FF. Throws RangeError, FlashFault, PowerCut. */
	eraseBlock(address: number): void {
		this.#erase(address, BLOCK_SIZE);
	}

	/** Clears the bits that are 0 in `bytes`, one page after the other. Throws RangeError, FlashFault, PowerCut. */
	program(address: number, bytes: Uint8Array): void {
		this.#check(address, bytes.length, 1);
		this.#checkPower();
		for (let done = 0; done < bytes.length; ) {
			const start = address + done;
			const length = Math.min(bytes.length - done, PAGE_SIZE - (start % PAGE_SIZE));
			const cells = new Uint8Array(length);
			this.#load(start, cells);
			for (let i = 0; i < length; i++) cells[i] = (cells[i] ?? 0) & (bytes[done + i] ?? 0);
			this.#operate("program", start, cells);
			done += length;
		}
	}

	/** Closes the file; the chip's content stays. Idempotent. */
	close(): void {
		if (this.#fd !== undefined) closeSync(this.#fd);
		this.#fd = undefined;
	}

	#erase(address: number, length: number): void {
		this.#check(address, length, length);
		this.#operate("erase", address, new Uint8Array(length).fill(0xff));
	}

	/** One operation that would make the cells at `address` into `cells`. */
	#operate(operation: FlashOperation, address: number, cells: Uint8Array): void {
		this.#checkPower();
		const fault = this.control.begin(operation);
		if (fault === "torn" || fault === "power during") this.#tear(address, cells);
		if (fault === undefined || fault === "power after") this.#store(address, cells);
		if (fault === "fail" || fault === "torn") {
			throw new FlashFault(`flash ${operation} at 0x${address.toString(16)} failed`);
		}
		if (fault?.startsWith("power")) {
			this.control.powerOff();
			this.#onPowerCut?.();
			throw new PowerCut(`the power was cut at a flash ${operation}`);
		}
	}

	/** An interrupted operation leaves each bit that it was changing as it was or as it should be. */
	#tear(address: number, cells: Uint8Array): void {
		const torn = new Uint8Array(cells.length);
		this.#load(address, torn);
		const keep = this.control.noise().fill(new Uint8Array(cells.length));
		for (let i = 0; i < torn.length; i++) {
			const mask = keep[i] ?? 0;
			torn[i] = ((torn[i] ?? 0) & mask) | ((cells[i] ?? 0) & ~mask);
		}
		this.#store(address, torn);
	}

	#checkPower(): void {
		if (!this.control.powered) throw new PowerCut("the flash has no power");
	}

	#check(address: number, length: number, unit: number): void {
		if (!Number.isInteger(address) || address < 0 || address + length > this.size || address % unit !== 0) {
			const from = `0x${address.toString(16)}`;
			throw new RangeError(`flash address ${from}, ${length} bytes: beyond ${this.size} or not on ${unit}`);
		}
	}

	#load(address: number, buffer: Uint8Array): void {
		for (let done = 0; done < buffer.length; ) {
			const length = readSync(this.#descriptor(), buffer, done, buffer.length - done, address + done);
			if (length === 0) throw new Error("the flash file was cut short by somebody else");
			done += length;
		}
	}

	#store(address: number, bytes: Uint8Array): void {
		writeAll(this.#descriptor(), address, bytes);
	}

	#descriptor(): number {
		if (this.#fd === undefined) throw new Error("flash is closed");
		return this.#fd;
	}
}

function isChipSize(size: number): boolean {
	return size >= SIZE_MIN && size <= SIZE_MAX && (size & (size - 1)) === 0;
}

function create(file: string, size: number): number {
	const fd = openSync(file, "wx+");
	const block = new Uint8Array(BLOCK_SIZE).fill(0xff);
	for (let address = 0; address < size; address += BLOCK_SIZE) writeAll(fd, address, block);
	return fd;
}

function writeAll(fd: number, address: number, bytes: Uint8Array): void {
	for (let done = 0; done < bytes.length; ) {
		done += writeSync(fd, bytes, done, bytes.length - done, address + done);
	}
}
