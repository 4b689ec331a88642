/** `embedded:storage/flash` (ECMA-419) on the virtual chip's NOR flash, with the partitions of its table or layout. */
import { UpdateError } from "../../ota/errors";
import {
	APPLICATION_OFFSET,
	HEADER_LENGTH,
	IMAGE_MAGIC,
	imageEnd,
	isMapped,
	MAP_LENGTH,
	SECTOR,
	SEGMENT_HEADER_LENGTH,
	SEGMENTS_MAX,
} from "../../ota/image";
import {
	DataSubtype,
	ENTRY_MAGIC,
	type Partition,
	PartitionType,
	slotNumber,
	TABLE_NAME,
	TABLE_OFFSET,
} from "../../ota/slots/partition-table";
import { TableReader } from "../../ota/slots/table-reader";
import { chip } from "../virtual/chip";
import type { Layout } from "../virtual/layout";
import { formatOf } from "./arguments";
import { bytesOf, toArrayBuffer } from "./bytes";

const formats = ["buffer"] as const;
/** Bytes that the C reads at once when it compares, up to the first that differs. */
const EQUALS_PIECE = 128;
const ERASED_PIECE = 256;

class Flash {
	readonly #offset: number;
	readonly #size: number;
	readonly #writable: boolean;
	#open = true;

	constructor(offset: number, size: number, writable: boolean) {
		this.#offset = offset;
		this.#size = size;
		this.#writable = writable;
	}

	close(): void {
		Flash.#of(this).#open = false;
	}

	status() {
		Flash.#check(this);
		const blocks = this.#size / SECTOR;
		return {
			size: this.#size,
			blockLength: SECTOR,
			blocks,
			writeAlign: 1,
			eraseValue: 255,
			address: this.#offset,
		};
	}

	read(target: unknown, byteOffset: number): ArrayBuffer | number {
		Flash.#check(this);
		const bytes = typeof target === "number" ? new Uint8Array(target) : bytesOf(target);
		chip().flash.read(this.#place(byteOffset, bytes.length), bytes);
		return typeof target === "number" ? toArrayBuffer(bytes) : bytes.length;
	}

	write(buffer: unknown, byteOffset: number): void {
		Flash.#check(this, true);
		const bytes = bytesOf(buffer);
		chip().flash.program(this.#place(byteOffset, bytes.length), bytes);
	}

	equals(buffer: unknown, byteOffset: number): boolean {
		Flash.#check(this);
		const bytes = bytesOf(buffer);
		const address = this.#place(byteOffset, bytes.length);
		for (let at = 0; at < bytes.length; at += EQUALS_PIECE) {
			const given = bytes.subarray(at, at + EQUALS_PIECE);
			const held = new Uint8Array(given.length);
			chip().flash.read(address + at, held);
			if (Buffer.compare(held, given) !== 0) return false;
		}
		return true;
	}

	isErased(block: number): boolean {
		Flash.#check(this);
		const address = this.#place(block * SECTOR, SECTOR);
		const held = new Uint8Array(ERASED_PIECE);
		for (let at = 0; at < SECTOR; at += ERASED_PIECE) {
			chip().flash.read(address + at, held);
			if (held.some((byte) => byte !== 0xff)) return false;
		}
		return true;
	}

	eraseBlock(...blocks: readonly unknown[]): void {
		Flash.#check(this, true);
		if (blocks.length === 0) throw new SyntaxError("no block");
		if (blocks.some((block) => typeof block === "bigint")) throw new TypeError("no number");
		const first = Number(blocks[0]);
		const end = blocks[1] === undefined ? first + 1 : Number(blocks[1]);
		if (!Number.isInteger(first) || !Number.isInteger(end) || end < first) throw new RangeError("bad block");
		const address = this.#place(first * SECTOR, (end - first) * SECTOR);
		for (let block = 0; block < end - first; block++) chip().flash.eraseSector(address + block * SECTOR);
	}

	get format(): string {
		Flash.#check(this);
		return "buffer";
	}

	set format(value: unknown) {
		Flash.#check(this);
		formatOf(value, formats);
	}

	/** The flash offset of a place in the partition. */
	#place(byteOffset: number, length: number): number {
		if (!Number.isInteger(byteOffset) || byteOffset < 0 || byteOffset + length > this.#size) {
			throw new RangeError("outside the partition");
		}
		return this.#offset + byteOffset;
	}

	static #of(it: unknown): Flash {
		const object: object = Object(it);
		if (!(#open in object)) throw new SyntaxError("not a Flash");
		return object;
	}

	static #check(it: unknown, writing = false): void {
		const flash = Flash.#of(it);
		if (!flash.#open) throw new SyntaxError("closed");
		if (writing && !flash.#writable) throw new Error("read only");
	}
}

/** Where a partition that shares the application's place begins: on the sector behind the running firmware. */
function endOfRunning(): number {
	const header = new Uint8Array(SEGMENT_HEADER_LENGTH);
	const view = new DataView(header.buffer);
	const { flash } = chip();
	flash.read(APPLICATION_OFFSET, header);
	let end = APPLICATION_OFFSET + HEADER_LENGTH;
	if (view.getUint8(0) !== IMAGE_MAGIC || view.getUint8(1) > SEGMENTS_MAX)
		throw new Error("no running firmware");
	for (let segments = view.getUint8(1); segments > 0; segments--) {
		flash.read(end, header);
		end += SEGMENT_HEADER_LENGTH + view.getUint32(4, true);
	}
	return Math.ceil(imageEnd(end) / SECTOR) * SECTOR;
}

function isRunning({ type, offset, size }: Partition): boolean {
	const { imageAddress = 0 } = chip();
	return type === PartitionType.APP && imageAddress >= offset && imageAddress < offset + size;
}

/** The slot behind the one that runs, by its number, or from the last one on the first. */
function nextSlot(partitions: readonly Partition[]): Partition | undefined {
	const running = Math.max(slotNumber(partitions.find(isRunning) ?? { type: -1, subtype: 0 }), 0);
	const distance = (slot: Partition) => (slotNumber(slot) - running) & 0xff;
	return partitions
		.filter((partition) => slotNumber(partition) >= 0 && !isRunning(partition))
		.sort((one, other) => distance(one) - distance(other))[0];
}

/**
 * Whether a damaged table lies in its place, not an application of eboot, whose first segment is mapped; or what runs is
 * none of a layout's. Then no partition is safe to touch.
 */
function isTableBroken(): boolean {
	const { flash, imageAddress = 0 } = chip();
	const first = new DataView(new ArrayBuffer(4));
	flash.read(TABLE_OFFSET, new Uint8Array(first.buffer));
	if (imageAddress >= MAP_LENGTH) return true;
	if (first.getUint16(0, true) !== ENTRY_MAGIC) return false;
	const header = new DataView(new ArrayBuffer(HEADER_LENGTH + SEGMENT_HEADER_LENGTH));
	flash.read(APPLICATION_OFFSET, new Uint8Array(header.buffer));
	return header.getUint8(0) !== IMAGE_MAGIC || !isMapped(header.getUint32(HEADER_LENGTH, true));
}

/** The partitions of the table in flash, where it is whole and has what runs; else those of the layout. */
export function partitions(): Layout {
	const { flash, layout } = chip();
	const entries: Partition[] = [];
	try {
		const table = new TableReader(
			{ read: (buffer, byteOffset) => flash.read(TABLE_OFFSET + byteOffset, buffer) },
			flash.size,
		);
		for (let i = 0; i < table.count; i++) entries.push(table.at(i));
	} catch (error) {
		if (!(error instanceof UpdateError)) throw error;
	}
	const running = entries.find(isRunning);
	const table = { offset: TABLE_OFFSET, size: SECTOR, readOnly: true };
	if (!running) return isTableBroken() ? new Map([[TABLE_NAME, table]]) : layout;
	const isSPIFFS = ({ type, subtype }: Partition) =>
		type === PartitionType.DATA && subtype === DataSubtype.SPIFFS;
	const isReadOnly = (partition: Partition) => {
		const { type, subtype, label } = partition;
		if (type === PartitionType.APP) return slotNumber(partition) < 0 || partition === running;
		return type === PartitionType.DATA ? subtype === DataSubtype.PHY : label === "preferences";
	};
	const found = new Map<string, { offset: number; size: number; readOnly: boolean }>();
	const add = (name: string, partition: Partition | undefined) => {
		if (!partition || found.has(name)) return;
		const { offset, size } = partition;
		found.set(name, { offset, size, readOnly: isReadOnly(partition) });
	};
	add("running", running);
	add("nextota", nextSlot(entries));
	add("storage", entries.find(isSPIFFS));
	found.set(TABLE_NAME, table);
	for (const partition of entries) add(partition.label, partition);
	return found;
}

export default Object.freeze({
	open(options: { path: string; mode?: string; format?: string }): Flash {
		const { path, mode = "r+", format } = options;
		const partition = partitions().get(path);
		if (!partition) throw new Error(`no partition ${path}`);
		if (mode !== "r" && mode !== "r+") throw new Error(`unknown mode ${mode}`);
		if (format) formatOf(format, formats);
		const skipped = partition.behind ? endOfRunning() - partition.offset : 0;
		const writable = mode === "r+" && !partition.readOnly;
		return new Flash(partition.offset + skipped, partition.size - skipped, writable);
	},
	[Symbol.iterator](): IterableIterator<string> {
		return partitions().keys();
	},
});
