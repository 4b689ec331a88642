import { Digest } from "crypt";
import { ErrorCode, UpdateError } from "../errors";
import { toHex } from "../hex";
import {
	decodeEntry,
	END_MAGIC,
	ENTRIES_MAX,
	ENTRY_LENGTH,
	ENTRY_MAGIC,
	MD5_MAGIC,
	MD5_OFFSET,
	PARTITION_ALIGNMENT,
	type Partition,
	PartitionType,
	slotNumber,
	TABLE_LENGTH,
	TABLE_OFFSET,
} from "./partition-table";

/** What a table is read from, its first byte at 0: an open partition of the flash, or what acts as one. */
export interface TableSource {
	read(buffer: Uint8Array, byteOffset: number): unknown;
}

/**
 * A partition table as it lies in flash. It is read an entry at a time, however long it is; what an entry says
 * is read again when it is asked for.
 */
export class TableReader {
	private readonly source: TableSource;
	private readonly bytes = new Uint8Array(ENTRY_LENGTH);
	private readonly view = new DataView(this.bytes.buffer);
	/** Partitions. */
	readonly count: number;
	/** Slots for updates: ota_0 and those whose numbers follow without a gap. */
	readonly slots: number;

	/**
	 * Reads and checks the whole table. `flashSize`: bytes that the chip has. Throws UpdateError TABLE_MAGIC,
	 * TABLE_MD5, TABLE_OUTSIDE, TABLE_OVERLAP, TABLE_NO_APP, and what the source throws.
	 */
	constructor(source: TableSource, flashSize: number) {
		this.source = source;
		this.count = this.entries();
		for (let i = 0; i < this.count; i++) this.checkPlace(i, flashSize);
		let slots = 0;
		while (this.slot(slots)) slots += 1;
		this.slots = slots;
		let hasApp = false;
		for (let i = 0; i < this.count; i++) hasApp ||= this.at(i).type === PartitionType.APP;
		if (!hasApp) throw new UpdateError(ErrorCode.TABLE_NO_APP);
	}

	/** The partition of this index, from 0. */
	at(index: number): Partition {
		this.source.read(this.bytes, index * ENTRY_LENGTH);
		return decodeEntry(this.view, 0);
	}

	/** The first partition of this type and subtype, or undefined. */
	find(type: number, subtype: number): Partition | undefined {
		for (let i = 0; i < this.count; i++) {
			const partition = this.at(i);
			if (partition.type === type && partition.subtype === subtype) return partition;
		}
		return undefined;
	}

	/** The slot of this number, or undefined. */
	slot(number: number): Partition | undefined {
		for (let i = 0; i < this.count; i++) {
			const partition = this.at(i);
			if (slotNumber(partition) === number) return partition;
		}
		return undefined;
	}

	/** Partitions up to the end, before which may be an MD5 entry: that of those before it. */
	private entries(): number {
		const digest = new Digest("MD5");
		let count = 0;
		let hasMD5 = false;
		for (let index = 0; index <= ENTRIES_MAX; index++) {
			this.source.read(this.bytes, index * ENTRY_LENGTH);
			const magic = this.view.getUint16(0, true);
			// Erased flash is no table.
			if (magic === END_MAGIC && index > 0) return count;
			if (magic === MD5_MAGIC && !hasMD5) {
				const expected = toHex(this.bytes.buffer.slice(MD5_OFFSET));
				const calculated = toHex(digest.close());
				if (expected !== calculated) throw new UpdateError(ErrorCode.TABLE_MD5, expected, calculated);
				hasMD5 = true;
			} else if (magic === ENTRY_MAGIC && !hasMD5) {
				digest.write(this.bytes);
				count += 1;
			} else break;
		}
		throw new UpdateError(ErrorCode.TABLE_MAGIC, TABLE_OFFSET.toString(16));
	}

	/** Within the chip, behind the table, on sectors, and apart from the partitions before it. */
	private checkPlace(index: number, flashSize: number): void {
		const { label, offset, size } = this.at(index);
		const end = offset + size;
		if (!isPlace(offset, size) || end > flashSize) {
			throw new UpdateError(ErrorCode.TABLE_OUTSIDE, label, flashSize);
		}
		for (let before = 0; before < index; before++) {
			const other = this.at(before);
			if (offset < other.offset + other.size && other.offset < end) {
				throw new UpdateError(ErrorCode.TABLE_OVERLAP, label, other.label);
			}
		}
	}
}

function isPlace(offset: number, size: number): boolean {
	const isAligned = offset % PARTITION_ALIGNMENT === 0 && size % PARTITION_ALIGNMENT === 0;
	return isAligned && size > 0 && offset >= TABLE_OFFSET + TABLE_LENGTH;
}
