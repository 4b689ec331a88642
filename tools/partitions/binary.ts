/** A partition table's bytes, as ota/slots/partition-table.ts describes them. */
import { createHash } from "node:crypto";
import {
	decodeEntry,
	ENTRY_LENGTH,
	ENTRY_MAGIC,
	encodeEntry,
	LABEL_LENGTH,
	LABEL_OFFSET,
	MD5_MAGIC,
	MD5_OFFSET,
	type Partition,
	TABLE_LENGTH,
} from "../../ota/slots/partition-table";
import { hex } from "./numbers";
import { TableError } from "./table-error";

/** All of the entry that ends a table, and what follows. */
const EMPTY = 0xff;

export interface BinaryTable {
	partitions: Partition[];
	/** Whether it has the MD5 entry, which is right then. */
	md5: boolean;
}

/** Partitions that a table has room for: the generator keeps an entry free for the end, and one for the MD5. */
export function partitionsMax(md5: boolean): number {
	return TABLE_LENGTH / ENTRY_LENGTH - (md5 ? 2 : 1);
}

/** The 3,072 bytes of a table. Throws TableError where it has more partitions than there is room for. */
export function encodeTable(partitions: readonly Partition[], { md5 = true } = {}): Uint8Array {
	const most = partitionsMax(md5);
	if (partitions.length > most) throw new TableError(`${partitions.length} partitions, more than ${most}`);
	const bytes = new Uint8Array(TABLE_LENGTH).fill(EMPTY);
	const view = new DataView(bytes.buffer);
	let end = 0;
	for (const partition of partitions) {
		encodeEntry(view, end, partition);
		// The generator's labels may be more than ASCII.
		new TextEncoder().encodeInto(
			partition.label,
			bytes.subarray(end + LABEL_OFFSET, end + LABEL_OFFSET + LABEL_LENGTH),
		);
		end += ENTRY_LENGTH;
	}
	if (md5) {
		view.setUint16(end, MD5_MAGIC, true);
		bytes.set(digestOf(bytes.subarray(0, end)), end + MD5_OFFSET);
	}
	return bytes;
}

/**
 * The table that `bytes` begin with; what follows its end is not looked at. Throws TableError for a wrong magic, a
 * wrong MD5, a name that is no text, or no end.
 */
export function decodeTable(bytes: Uint8Array): BinaryTable {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const partitions: Partition[] = [];
	let md5 = false;
	for (let at = 0; at < TABLE_LENGTH && at + ENTRY_LENGTH <= bytes.length; at += ENTRY_LENGTH) {
		const magic = view.getUint16(at, true);
		if (bytes.subarray(at, at + ENTRY_LENGTH).every((byte) => byte === EMPTY)) return { partitions, md5 };
		if (md5) throw new TableError(`no end behind the MD5, but ${hex(magic)} at ${hex(at)}`);
		if (magic === MD5_MAGIC) {
			checkDigest(bytes, at);
			md5 = true;
		} else if (magic === ENTRY_MAGIC) {
			partitions.push({ ...decodeEntry(view, at), label: labelAt(bytes, at + LABEL_OFFSET) });
		} else {
			throw new TableError(
				`entry ${partitions.length + 1} has the magic ${hex(magic)}, not ${hex(ENTRY_MAGIC)}`,
			);
		}
	}
	throw new TableError("the table has no end: FF behind its last entry");
}

function checkDigest(bytes: Uint8Array, at: number): void {
	const expected = Buffer.from(bytes.subarray(at + MD5_OFFSET, at + ENTRY_LENGTH)).toString("hex");
	const calculated = digestOf(bytes.subarray(0, at)).toString("hex");
	if (expected !== calculated) throw new TableError(`MD5 expected: ${expected}, calculated: ${calculated}`);
}

function labelAt(bytes: Uint8Array, offset: number): string {
	const label = bytes.subarray(offset, offset + LABEL_LENGTH);
	const end = label.indexOf(0);
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	try {
		const text = decoder.decode(end < 0 ? label : label.subarray(0, end));
		// None of them is to rule the terminal.
		if (!/\p{Cc}/u.test(text)) return text;
	} catch {
		// Told below.
	}
	throw new TableError(`the name at ${hex(offset)} is no text`);
}

function digestOf(bytes: Uint8Array): Buffer {
	return createHash("md5").update(bytes).digest();
}
