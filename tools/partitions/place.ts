/** Where the partitions of a CSV lie: those without an offset behind the one before, by the generator's alignments. */
import type { CSVPartition } from "./csv";
import { FIRST_OFFSET, offsetAlignment } from "./limits";
import { hex } from "./numbers";
import { TableError } from "./table-error";

export interface Row extends Omit<CSVPartition, "offset"> {
	offset: number | undefined;
	/** Below 0 it is the flash offset of the end, negated. */
	size: number;
}

/** The largest offset that an entry has room for. */
const OFFSET_MAX = 0xffffffff;

/** Gives every row its place. Throws TableError for one that begins before the last one ends, or that no entry can hold. */
export function place(rows: readonly Row[]): CSVPartition[] {
	let end = FIRST_OFFSET;
	return rows.map((row, i) => {
		const { line, label } = row;
		const offset = row.offset ?? alignedUp(end, offsetAlignment(row.type));
		if (offset < end) {
			const before = rows[i - 1]?.label ?? "the table";
			throw new TableError(
				`${label} at ${hex(offset)} overlaps ${before}, which ends at ${hex(end)}: lines go by their offsets`,
				line,
			);
		}
		const size = row.size < 0 ? -row.size - offset : row.size;
		if (size < 0) throw new TableError(`${label} begins at ${hex(offset)}, behind its end`, line);
		end = offset + size;
		if (offset > OFFSET_MAX || size > OFFSET_MAX) {
			throw new TableError(`${label} is larger than 32 bits can say`, line);
		}
		return { ...row, offset, size };
	});
}

function alignedUp(offset: number, alignment: number): number {
	return Math.ceil(offset / alignment) * alignment;
}
