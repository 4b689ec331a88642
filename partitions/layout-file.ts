/** The flash layouts of this folder for boards with eboot or our boot loader, one file a layout, and what may be wrong with one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SECTOR = 4096;
/** With its terminating zero a name has room in the table. */
const NAME_LENGTH = 11;
/** Flash sizes of the header's size nibble. */
const FLASH_SIZES: readonly number[] = [0x40000, 0x80000, 0x100000, 0x200000, 0x400000, 0x800000, 0x1000000];
/** The only partition that another one may begin behind. */
const RUNNING = "running";
/** Of our boot loader: its record, and its second stage twice (SPEC.md, section 10). Bytes, and whether the application writes them. */
const OWN = [
	{ name: "bootrecord", size: SECTOR, isWritten: true },
	{ name: "bootstages", size: 2 * SECTOR, isWritten: false },
];
/** Where the boot loader keeps the application before. */
const PREVIOUS = "previous";

export interface LayoutFile {
	flashSize: string;
	/** Where there are several layouts for a size, a build chooses by this, as Arduino's menu names them. */
	filesystemMiB?: number;
	/** Of several, the one that a build gets without a choice. */
	default?: boolean;
	partitions: Readonly<Record<string, { offset: string; size: string; readOnly?: boolean; behind?: string }>>;
}

interface Extent {
	name: string;
	offset: number;
	end: number;
	behind: string | undefined;
}

/** The layout files by name, ordered by the size of the flash. */
export function readLayouts(folder: string = import.meta.dirname): [name: string, layout: LayoutFile][] {
	const names = readdirSync(folder)
		.filter((name) => name.endsWith(".json"))
		.sort();
	return names
		.map((name): [string, LayoutFile] => [name, JSON.parse(readFileSync(join(folder, name), "utf8"))])
		.sort(([, one], [, other]) => Number(one.flashSize) - Number(other.flashSize));
}

/** What is wrong with a layout, a line for each fault. */
export function layoutFaults(layout: LayoutFile): string[] {
	const faults: string[] = [];
	const flashSize = Number(layout.flashSize);
	if (!FLASH_SIZES.includes(flashSize)) faults.push(`no flash has ${layout.flashSize} bytes`);
	const extents: Extent[] = [];
	for (const [name, { offset, size, behind }] of Object.entries(layout.partitions)) {
		const extent = { name, offset: Number(offset), end: Number(offset) + Number(size), behind };
		if (!/^[\x21-\x7e]+$/.test(name) || name.length > NAME_LENGTH || /["\\]/.test(name)) {
			faults.push(`${name}: no name of at most ${NAME_LENGTH} characters`);
		}
		if (!isSector(extent.offset) || !isSector(extent.end)) faults.push(`${name}: not on sectors`);
		if (!(extent.end > extent.offset)) faults.push(`${name}: empty`);
		if (!(extent.end <= flashSize)) faults.push(`${name}: beyond the flash`);
		for (const other of extents) {
			if (other.offset < extent.end && extent.offset < other.end && !isBehind(extent, other)) {
				faults.push(`${name}: overlaps ${other.name}`);
			}
		}
		if (behind !== undefined && !extents.some((other) => isBehind(extent, other))) {
			faults.push(`${name}: ${behind} is no ${RUNNING} in the same place`);
		}
		extents.push(extent);
	}
	return [...faults, ...ownFaults(layout)];
}

/** What is wrong with the places of our boot loader. */
function ownFaults({ partitions }: LayoutFile): string[] {
	const faults: string[] = [];
	for (const { name, size, isWritten } of OWN) {
		const partition = partitions[name];
		if (!partition) faults.push(`${name}: there is none`);
		else if (Number(partition.size) !== size) faults.push(`${name}: not of ${size} bytes`);
		else if (isWritten === (partition.readOnly ?? false)) {
			faults.push(`${name}: ${isWritten ? "the application writes it" : "only the boot loader writes it"}`);
		}
	}
	const { [PREVIOUS]: previous, nextota } = partitions;
	if (previous && !previous.readOnly) faults.push(`${PREVIOUS}: only the boot loader writes it`);
	// Of a firmware's file all but the boot loader's sector is kept.
	if (previous && nextota && Number(previous.size) < Number(nextota.size) - SECTOR) {
		faults.push(`${PREVIOUS}: smaller than the firmware that nextota takes`);
	}
	return faults;
}

function isSector(address: number): boolean {
	return Number.isInteger(address / SECTOR) && address >= 0;
}

/** Whether a partition shares the place of the firmware that runs, beginning where that ends. */
function isBehind(partition: Extent, other: Extent): boolean {
	const { behind, offset, end } = partition;
	return other.name === RUNNING && behind === RUNNING && offset === other.offset && end === other.end;
}
