/**
 * `npm run layouts`: the flash layouts of this folder as a table in C, modules/flash/layouts.h, which the device
 * searches by the size of its flash, and as linker scripts. Refuses layouts that would let one partition overwrite
 * another.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { linkerScript } from "./linker-script";

const SECTOR = 4096;
/** With its terminating zero a name has room in the table. */
const NAME_LENGTH = 11;
/** Flash sizes of the header's size nibble. */
const FLASH_SIZES: readonly number[] = [0x40000, 0x80000, 0x100000, 0x200000, 0x400000, 0x800000, 0x1000000];
/** The only partition that another one may begin behind. */
const RUNNING = "running";

export const layoutsFile = join(import.meta.dirname, "../modules/flash/layouts.h");

export interface LayoutFile {
	flashSize: string;
	partitions: Readonly<Record<string, { offset: string; size: string; readOnly?: boolean; behind?: string }>>;
}

interface Extent {
	name: string;
	offset: number;
	end: number;
	behind: string | undefined;
}

/** The layout files by name, ordered by the size of the flash. */
export function readLayouts(): [name: string, layout: LayoutFile][] {
	const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".json"));
	return names
		.map((name): [string, LayoutFile] => [
			name,
			JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8")),
		])
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

/** The table in C. Throws Error for faulty layouts. */
export function layoutsHeader(layouts: readonly (readonly [string, LayoutFile])[]): string {
	const rows: string[] = [];
	const sizes = new Set<string>();
	for (const [file, layout] of layouts) {
		const faults = layoutFaults(layout);
		if (sizes.has(layout.flashSize)) faults.push("a second layout for this size");
		if (faults.length > 0) throw new Error(`${file}: ${faults.join("; ")}`);
		sizes.add(layout.flashSize);
		rows.push(`\t/* ${file} */`);
		for (const [name, { offset, size, readOnly, behind }] of Object.entries(layout.partitions)) {
			const flags = [readOnly && "PARTITION_READ_ONLY", behind && "PARTITION_BEHIND_RUNNING"];
			const values = [layout.flashSize, offset, size, flags.filter(Boolean).join(" | ") || "0"];
			rows.push(`\t{${values.join(", ")}, "${name}"},`);
		}
	}
	const count = rows.length - layouts.length;
	return `/* Made by "npm run layouts" from partitions/. */
#ifndef OTA8266_LAYOUTS_H
#define OTA8266_LAYOUTS_H

#include "flash.h"

#define PARTITION_COUNT ${count}

static const Partition partitions[PARTITION_COUNT] ICACHE_RODATA_ATTR = {
${rows.join("\n")}
};

#endif
`;
}

/** The linker scripts that the layouts make, by their files. */
export function linkerScripts(
	layouts: readonly (readonly [string, LayoutFile])[],
): [file: string, text: string][] {
	return layouts.map(([name, layout]) => [
		join(import.meta.dirname, `${basename(name, ".json")}.ld`),
		linkerScript(name, layout),
	]);
}

if (process.argv[1] === import.meta.filename) {
	const layouts = readLayouts();
	writeFileSync(layoutsFile, layoutsHeader(layouts));
	for (const [file, text] of linkerScripts(layouts)) writeFileSync(file, text);
}
