/**
 * `npm run layouts`: the flash layouts of this folder as a table in C, modules/flash/layouts.h, which the device
 * searches by the size of its flash, and as linker scripts. Refuses layouts that would let one partition overwrite
 * another.
 */
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type LayoutFile, layoutFaults, readLayouts } from "./layout-file";
import { linkerScript } from "./linker-script";

export { type LayoutFile, layoutFaults, readLayouts } from "./layout-file";

/** What a manifest's `"defines": { "ota8266": { "filesystem_mib": 3 } }` becomes. */
const CHOICE = "MODDEF_OTA8266_FILESYSTEM_MIB";

export const layoutsFile = join(import.meta.dirname, "../modules/flash/layouts.h");

type NamedLayout = readonly [file: string, layout: LayoutFile];

/** The table in C. Throws Error for faulty layouts. */
export function layoutsHeader(layouts: readonly NamedLayout[]): string {
	const bySize = new Map<number, NamedLayout[]>();
	for (const named of layouts) {
		const [file, layout] = named;
		const faults = layoutFaults(layout);
		if (faults.length > 0) throw new Error(`${file}: ${faults.join("; ")}`);
		const size = Number(layout.flashSize);
		bySize.set(size, [...(bySize.get(size) ?? []), named]);
	}
	const rows = [...bySize.values()].flatMap((group) =>
		group.length > 1 ? choice(group) : group.flatMap(table),
	);
	return `/* Made by "npm run layouts" from partitions/. */
#ifndef OTA8266_LAYOUTS_H
#define OTA8266_LAYOUTS_H

#include "flash.h"
#include "mc.defines.h"

static const Partition partitions[] ICACHE_RODATA_ATTR = {
${rows.join("\n")}
};

#define PARTITION_COUNT ((int)(sizeof(partitions) / sizeof(Partition)))

#endif
`;
}

/** Of several layouts for a size the one that the build chose. */
function choice(group: readonly NamedLayout[]): string[] {
	const known = new Set<number>();
	for (const [file, { filesystemMiB = 0, flashSize }] of group) {
		if (!(filesystemMiB > 0))
			throw new Error(`${file}: of several layouts for ${flashSize}, but no filesystemMiB`);
		if (known.has(filesystemMiB)) throw new Error(`${file}: a second layout for this size and filesystem`);
		known.add(filesystemMiB);
	}
	const [usual, ...more] = group.filter(([, layout]) => layout.default);
	if (!usual || more.length > 0) {
		throw new Error(`${group.map(([file]) => file).join(", ")}: one of them has to be the default`);
	}
	const others = group.filter((named) => named !== usual);
	return [
		...others.flatMap(([file, layout], i) => [
			`#${i === 0 ? "if" : "elif"} ${CHOICE} == ${layout.filesystemMiB}`,
			...table([file, layout]),
		]),
		`#elif !defined(${CHOICE}) || ${CHOICE} == ${usual[1].filesystemMiB}`,
		...table(usual),
		"#else",
		`#error "no layout has a filesystem of that many MiB: ${[...known].sort().join(", ")}"`,
		"#endif",
	];
}

function table([file, layout]: NamedLayout): string[] {
	const rows = Object.entries(layout.partitions).map(([name, { offset, size, readOnly, behind }]) => {
		const flags = [readOnly && "PARTITION_READ_ONLY", behind && "PARTITION_BEHIND_RUNNING"];
		const values = [layout.flashSize, offset, size, flags.filter(Boolean).join(" | ") || "0"];
		return `\t{${values.join(", ")}, "${name}"},`;
	});
	return [`\t/* ${file} */`, ...rows];
}

/** The linker scripts that the layouts make, by their files. */
export function linkerScripts(layouts: readonly NamedLayout[]): [file: string, text: string][] {
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
