/** A small flash, in which every place of a layout is some sectors large, so that all of it can be looked at often. */
import { SECTOR } from "../../ota/image";
import type { BootConfig } from "../../tools/image/boot-config";

export const FLASH_SIZE = 0x40000;

export const PLACES: BootConfig = Object.freeze({
	flashSize: FLASH_SIZE,
	applicationEnd: 6 * SECTOR,
	previous: 6 * SECTOR,
	previousEnd: 11 * SECTOR,
	record: 11 * SECTOR,
	stages: 12 * SECTOR,
	// A whole block, and as much behind it.
	filesystem: 0x20000,
	filesystemEnd: 0x40000,
});

/** Where an update is staged, up to the filesystem. */
export const STAGING = 14 * SECTOR;

/** The same without room for the application before. */
export const NO_PREVIOUS: BootConfig = Object.freeze({ ...PLACES, previous: 0, previousEnd: 0 });
