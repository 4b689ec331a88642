/** The places that our boot loader works with, out of a layout of partitions/. */
import { ErrorCode, UpdateError } from "../../ota/errors";
import { SECTOR } from "../../ota/image";
import type { LayoutFile } from "../../partitions/layout-file";
import type { BootConfig } from "./boot-config";

interface Place {
	offset: number;
	end: number;
}

/** Throws UpdateError FILE for a layout without a place that our boot loader needs; `name` is for its text. */
export function bootConfigOf(layout: LayoutFile, name = "the layout"): BootConfig {
	const place = (partition: string, sizeMin: number) => placeOf(layout, name, partition, sizeMin);
	const running = place("running", SECTOR);
	const record = place("bootrecord", SECTOR);
	const stages = place("bootstages", 2 * SECTOR);
	const storage = place("storage", SECTOR);
	const previous = layout.partitions.previous && place("previous", SECTOR);
	return {
		flashSize: Number(layout.flashSize),
		record: record.offset,
		applicationEnd: running.end,
		previous: previous?.offset ?? 0,
		previousEnd: previous?.end ?? 0,
		filesystem: storage.offset,
		filesystemEnd: storage.end,
		stages: stages.offset,
	};
}

function placeOf({ partitions }: LayoutFile, layout: string, name: string, sizeMin: number): Place {
	const found = partitions[name];
	const size = Number(found?.size ?? 0);
	if (!found || size < sizeMin) {
		const reason = `our boot loader wants a partition ${name} of ${sizeMin} bytes: choose another layout, or give an eboot.elf to --bootloader`;
		throw new UpdateError(ErrorCode.FILE, layout, reason);
	}
	const offset = Number(found.offset);
	return { offset, end: offset + size };
}
