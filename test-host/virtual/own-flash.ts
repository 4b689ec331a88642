/** What a cable puts into sector 0 for our boot loader, as far as an application looks at it: its configuration, without code. */
import { type BootConfig, CONFIG_LENGTH } from "../../ota/boot-record/config";
import { buildImage, type ImageHeader } from "../../tools/image/build-image";
import type { Layout } from "./layout";

/** "OTAB", little-endian. */
const MAGIC = 0x4241544f;
const VERSION = 1;
/** Where its data and its code are loaded. */
const DATA_ADDRESS = 0x3ffe8000;
const ENTRY = 0x4010f000;

/** The configuration for a layout. Throws Error for one without places for the boot loader. */
export function configFor(flashSize: number, layout: Layout): BootConfig {
	const place = (name: string) => {
		const partition = layout.get(name);
		if (!partition) throw new Error(`the layout has no ${name}`);
		return { start: partition.offset, end: partition.offset + partition.size };
	};
	const previous = layout.has("previous") ? place("previous") : { start: 0, end: 0 };
	const filesystem = place("storage");
	return {
		flashSize,
		record: place("bootrecord").start,
		applicationEnd: place("running").end,
		previous: previous.start,
		previousEnd: previous.end,
		filesystem: filesystem.start,
		filesystemEnd: filesystem.end,
		stages: place("bootstages").start,
	};
}

/** An image for flash 0. */
export function ownBootSector(config: BootConfig, header: ImageHeader = {}): Uint8Array {
	const { flashSize, record, applicationEnd, previous, previousEnd, filesystem, filesystemEnd, stages } =
		config;
	const places = [
		flashSize,
		record,
		applicationEnd,
		previous,
		previousEnd,
		filesystem,
		filesystemEnd,
		stages,
	];
	const data = new Uint8Array(CONFIG_LENGTH);
	const view = new DataView(data.buffer);
	[MAGIC, VERSION, ...places].forEach((word, i) => {
		view.setUint32(4 * i, word, true);
	});
	return buildImage({ ...header, segments: [{ address: DATA_ADDRESS, data }], entry: ENTRY });
}
