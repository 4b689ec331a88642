/** Layouts of partitions/ with the places that our boot loader works with. */
import type { LayoutFile } from "../../partitions/layout-file";

type Extents = Readonly<Record<string, readonly [offset: number, size: number]>>;

const places: Readonly<Record<string, Extents>> = {
	"nodemcu-4m.json": {
		nextota: [0x104000, 0x0fc000],
		bootrecord: [0x3fa000, 0x1000],
		bootstages: [0x102000, 0x2000],
	},
	"nodemcu-4m-1m.json": {
		nextota: [0x202000, 0x0fe000],
		previous: [0x104000, 0x0fe000],
		bootrecord: [0x3fa000, 0x1000],
		bootstages: [0x102000, 0x2000],
	},
	"generic-512k.json": {
		running: [0, 0x6e000],
		nextota: [0, 0x6e000],
		bootstages: [0x6e000, 0x2000],
		bootrecord: [0x70000, 0x1000],
	},
};

/** The layouts, those that are named above with these places, in the stead of what readLayouts gives. */
export function withBootPlaces(
	layouts: readonly [name: string, layout: LayoutFile][],
): [string, LayoutFile][] {
	return layouts.map(([name, layout]) => {
		const partitions = { ...layout.partitions };
		for (const [partition, [offset, size]] of Object.entries(places[name] ?? {})) {
			partitions[partition] = { ...partitions[partition], offset: String(offset), size: String(size) };
		}
		return [name, { ...layout, partitions }];
	});
}

export function bootLayout(name: string, layouts: readonly [name: string, layout: LayoutFile][]): LayoutFile {
	const found = withBootPlaces(layouts).find(([file]) => file === `${name}.json`);
	if (!found) throw new Error(`no layout ${name}`);
	return found[1];
}
