/** The flash layouts of partitions/, by the size of the flash. */
import generic1m from "../../partitions/generic-1m.json";
import generic2m from "../../partitions/generic-2m.json";
import generic8m from "../../partitions/generic-8m.json";
import generic16m from "../../partitions/generic-16m.json";
import generic512k from "../../partitions/generic-512k.json";
import nodemcu4m from "../../partitions/nodemcu-4m.json";
import nodemcu4m1m from "../../partitions/nodemcu-4m-1m.json";
import nodemcu4m3m from "../../partitions/nodemcu-4m-3m.json";

interface Partition {
	/** First byte, a flash offset on a sector. */
	offset: number;
	/** Bytes, whole sectors. */
	size: number;
	readOnly: boolean;
	/** Shares its place with this partition, and begins behind what lies there. */
	behind?: string;
}

export type Layout = ReadonlyMap<string, Partition>;

interface LayoutFile {
	flashSize: string;
	filesystemMiB?: number;
	partitions: Record<
		string,
		{ offset: string; size: string; readOnly?: boolean; behind?: string } | undefined
	>;
}

/** Of several for a size the usual one first. */
const files: readonly LayoutFile[] = [
	generic512k,
	generic1m,
	generic2m,
	nodemcu4m,
	nodemcu4m1m,
	nodemcu4m3m,
	generic8m,
	generic16m,
];

/** The layout for a flash of `size` bytes; of several the one with a filesystem of so many MiB, or the usual one. */
export function layoutFor(size: number, filesystemMiB?: number): Layout {
	const file = files.find(
		(each) =>
			Number(each.flashSize) === size &&
			(filesystemMiB === undefined || each.filesystemMiB === filesystemMiB),
	);
	if (!file) throw new Error(`no layout for a flash of ${size} bytes`);
	const layout = new Map<string, Partition>();
	for (const [name, partition] of Object.entries(file.partitions)) {
		if (!partition) continue;
		const { offset, size, readOnly = false, behind } = partition;
		layout.set(name, { offset: Number(offset), size: Number(size), readOnly, ...(behind && { behind }) });
	}
	return layout;
}
