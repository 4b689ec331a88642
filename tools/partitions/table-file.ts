/** A partition table in a file: its CSV, its bytes, or a flash or an image that has it. */

import { ErrorCode, UpdateError } from "../../ota/errors";
import { APPLICATION_OFFSET } from "../../ota/image";
import {
	ENTRY_LENGTH,
	ENTRY_MAGIC,
	type Partition,
	TABLE_LENGTH,
	TABLE_OFFSET,
} from "../../ota/slots/partition-table";
import { readImage } from "../read-image";
import { decodeTable } from "./binary";
import { parseCSV } from "./csv";
import { TableError } from "./table-error";

export interface TableFile {
	kind: "CSV" | "partition table" | "flash" | "packed upgrade";
	partitions: (Partition & { line?: number })[];
	/** Of a binary table. */
	md5?: boolean;
	/** Bytes of the flash; undefined where the file is no whole one. */
	flashSize?: number;
}

/** Where a table lies in a file that has more than it: of a flash, and of what is unpacked to flash 0x1000 and up. */
const places: readonly (readonly [kind: TableFile["kind"], offset: number])[] = [
	["partition table", 0],
	["flash", TABLE_OFFSET],
	["packed upgrade", TABLE_OFFSET - APPLICATION_OFFSET],
];

/** Reads a file. Throws UpdateError FILE where it has no table, or a faulty one. */
export async function readTable(file: string): Promise<TableFile> {
	const bytes = await readImage(file);
	return inFile(file, () => tableIn(bytes));
}

/** What `work` gives. What it finds wrong with the table is told with the file's name: throws UpdateError FILE. */
export function inFile<T>(file: string, work: () => T): T {
	try {
		return work();
	} catch (error) {
		if (!(error instanceof TableError)) throw error;
		throw new UpdateError(ErrorCode.FILE, file, error.message);
	}
}

function tableIn(bytes: Uint8Array): TableFile {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	for (const [kind, offset] of places) {
		if (offset + ENTRY_LENGTH > bytes.length || view.getUint16(offset, true) !== ENTRY_MAGIC) continue;
		const flashSize = kind === "flash" && isPowerOfTwo(bytes.length) ? { flashSize: bytes.length } : {};
		return { kind, ...flashSize, ...decodeTable(bytes.subarray(offset, offset + TABLE_LENGTH)) };
	}
	let text: string;
	try {
		text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		throw new TableError("no partition table: not a CSV, and no entry at 0, 0x7000 or 0x8000 of the file");
	}
	return { kind: "CSV", partitions: parseCSV(text, process.env) };
}

function isPowerOfTwo(value: number): boolean {
	return Number.isInteger(Math.log2(value));
}
