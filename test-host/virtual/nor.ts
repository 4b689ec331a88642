/**
 * A NOR flash chip: an erase sets a sector or a block to ones, a program only clears bits. Its cells are a file,
 * or memory.
 */
import { existsSync } from "node:fs";
import { type Cells, FileCells, MemoryCells } from "./nor-cells";
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

export interface NorOptions extends ChipOptions {
	/** Path; created erased where it does not exist. */
	file: string;
	/** Bytes: 512 KiB to 16 MiB, a power of two. Without it an existing file's own, or 4 MiB for a new one. */
	size?: number;
}

export interface ChipOptions {
	/** Shared with whoever arms faults and switches the power. */
	control?: NorControl;
	/** Called in the instant of a power cut; where it returns, the operation throws PowerCut. */
	onPowerCut?: () => void;
	/** Called before each operation, which has so many bytes: who counts the time that it takes. */
	onOperation?: (operation: FlashOperation | "read", byteLength: number) => void;
	/** Called with what each operation leaves, and what it would leave where the power went within it. */
	onChange?: (address: number, cells: Uint8Array, torn: () => Uint8Array) => void;
}

export class NorFlash {
	readonly size: number;
	readonly control: NorControl;
	readonly #onPowerCut: ChipOptions["onPowerCut"];
	readonly #onOperation: ChipOptions["onOperation"];
	readonly #onChange: ChipOptions["onChange"];
	readonly #cells: Cells;

	private constructor(cells: Cells, options: ChipOptions) {
		this.#cells = cells;
		this.size = cells.size;
		this.control = options.control ?? NorControl.create();
		this.#onPowerCut = options.onPowerCut;
		this.#onOperation = options.onOperation;
		this.#onChange = options.onChange;
	}

	/** A chip in memory, erased, or with these cells, which a test may look at and change. */
	static inMemory(cells: number | Uint8Array = SIZE_USUAL, options: ChipOptions = {}): NorFlash {
		const bytes = typeof cells === "number" ? new Uint8Array(cells).fill(0xff) : cells;
		return new NorFlash(new MemoryCells(bytes), options);
	}

	/** Opens the chip in a file. Throws Error where the size is none of a chip, or another than the file's. */
	static open(options: NorOptions): NorFlash {
		const { file, size } = options;
		if (size !== undefined && !isChipSize(size)) {
			throw new Error(`${size} bytes is no flash chip: 512 KiB to 16 MiB, a power of two`);
		}
		if (!existsSync(file)) return new NorFlash(FileCells.create(file, size ?? SIZE_USUAL), options);
		const cells = FileCells.open(file);
		const { size: actual } = cells;
		if (isChipSize(actual) && (size ?? actual) === actual) return new NorFlash(cells, options);
		cells.close();
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
		this.#onOperation?.("read", buffer.length);
		this.#cells.load(address, buffer);
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
			this.#cells.load(start, cells);
			for (let i = 0; i < length; i++) cells[i] = (cells[i] ?? 0) & (bytes[done + i] ?? 0);
			this.#operate("program", start, cells);
			done += length;
		}
	}

	/** Closes the file, where there is one; the chip's content stays. Idempotent. */
	close(): void {
		this.#cells.close();
	}

	#erase(address: number, length: number): void {
		this.#check(address, length, length);
		this.#operate("erase", address, new Uint8Array(length).fill(0xff));
	}

	/** One operation that would make the cells at `address` into `cells`. */
	#operate(operation: FlashOperation, address: number, cells: Uint8Array): void {
		this.#checkPower();
		this.#onOperation?.(operation, cells.length);
		const fault = this.control.begin(operation);
		this.#onChange?.(address, cells, () => this.#torn(address, cells));
		if (fault === "torn" || fault === "power during") this.#cells.store(address, this.#torn(address, cells));
		if (fault === undefined || fault === "power after") this.#cells.store(address, cells);
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
	#torn(address: number, cells: Uint8Array): Uint8Array {
		const torn = new Uint8Array(cells.length);
		this.#cells.load(address, torn);
		const keep = this.control.noise().fill(new Uint8Array(cells.length));
		for (let i = 0; i < torn.length; i++) {
			const mask = keep[i] ?? 0;
			torn[i] = ((torn[i] ?? 0) & mask) | ((cells[i] ?? 0) & ~mask);
		}
		return torn;
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
}

function isChipSize(size: number): boolean {
	return size >= SIZE_MIN && size <= SIZE_MAX && (size & (size - 1)) === 0;
}
