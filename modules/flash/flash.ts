/**
 * `embedded:storage/flash` (ECMA-419) for the ESP8266: partitions by the size that the header at flash 0 tells
 * (partitions/). What a partition may touch is checked in C, on every call.
 */
import type { Flash as FlashInterface, FlashOptions, FlashStatus } from "embedded:storage/flash";

/** The unit of erasing. */
const SECTOR = 4096;

class Flash extends Native("xs_esp8266_flash_destructor") implements FlashInterface {
	constructor(path: string, isWritable: boolean) {
		super();
		native("xs_esp8266_flash_open").call(this, path, isWritable);
	}

	close(): void {
		native("xs_esp8266_flash_close").call(this);
	}

	read(byteLength: number, byteOffset: number): ArrayBuffer;
	read(buffer: ByteBuffer, byteOffset: number): number;
	read(target: number | ByteBuffer, byteOffset: number): ArrayBuffer | number {
		// Without the call where it is not needed: what verifies an update has little of the stack left.
		const resizable = typeof target === "object" && isResizable(target);
		return readInto.call(this, target, byteOffset, resizable);
	}

	write(buffer: ByteBuffer, byteOffset: number): void {
		writeFrom.call(this, buffer, byteOffset, isResizable(buffer));
	}

	equals(buffer: ByteBuffer, byteOffset: number): boolean {
		return compare.call(this, buffer, byteOffset, isResizable(buffer));
	}

	isErased(block: number): boolean {
		return native("xs_esp8266_flash_isErased").call(this, block);
	}

	eraseBlock(start: number, end?: number): void {
		native("xs_esp8266_flash_erase").call(this, start, end);
	}

	status(): FlashStatus {
		const size = sizeOf.call(this);
		const address = addressOf.call(this);
		return { size, blockLength: SECTOR, blocks: size / SECTOR, writeAlign: 1, eraseValue: 255, address };
	}

	get format(): "buffer" {
		sizeOf.call(this);
		return "buffer";
	}

	set format(value: "buffer") {
		sizeOf.call(this);
		checkFormat(value);
	}
}

/** Iterates over the names of the chip's partitions. */
class Names implements IterableIterator<string> {
	#index = 0;

	[Symbol.iterator](): this {
		return this;
	}

	next(): IteratorResult<string> {
		const value = nameOf(this.#index);
		if (value === undefined) return { done: true, value };
		this.#index += 1;
		return { done: false, value };
	}
}

function sizeOf(this: Flash): number {
	return native("xs_esp8266_flash_size").call(this);
}

function addressOf(this: Flash): number {
	return native("xs_esp8266_flash_address").call(this);
}

function readInto(
	this: Flash,
	target: unknown,
	byteOffset: number,
	resizable: boolean,
): ArrayBuffer & number {
	return native("xs_esp8266_flash_read").call(this, target, byteOffset, resizable);
}

function writeFrom(this: Flash, buffer: unknown, byteOffset: number, resizable: boolean): void {
	native("xs_esp8266_flash_write").call(this, buffer, byteOffset, resizable);
}

function compare(this: Flash, buffer: unknown, byteOffset: number, resizable: boolean): boolean {
	return native("xs_esp8266_flash_equals").call(this, buffer, byteOffset, resizable);
}

function nameOf(this: void, index: number): string | undefined {
	return native("xs_esp8266_flash_name").call(this, index);
}

/** Whether this is a buffer that may change its length, or a view of one. */
function isResizable(target: unknown): boolean {
	if (typeof target !== "object" || target === null) return false;
	const { buffer = target } = target as { buffer?: { resizable?: boolean } };
	return (buffer as { resizable?: boolean }).resizable === true;
}

/** Throws RangeError, for a symbol TypeError. */
function checkFormat(format: unknown): void {
	if (`${format}` !== "buffer") throw new RangeError("unknown format");
}

export default Object.freeze({
	open(options: FlashOptions): Flash {
		const { path, mode = "r+", format = "buffer" } = options;
		if (path === undefined) throw new Error("no path");
		const access = `${mode}`;
		if (access !== "r" && access !== "r+") throw new Error(`unknown mode ${access}`);
		checkFormat(format);
		return new Flash(`${path}`, access === "r+");
	},
	[Symbol.iterator](): IterableIterator<string> {
		return new Names();
	},
});
