/** The configuration of our boot loader, at flash 0x10: SPEC.md, section 10. All are flash offsets, on sectors. */

export const CONFIG_OFFSET = 0x10;
export const CONFIG_LENGTH = 48;

/** "OTAB", little-endian. */
export const CONFIG_MAGIC = 0x4241544f;
/** Of the format. */
export const CONFIG_VERSION = 1;

export interface BootConfig {
	/** Bytes of flash. */
	flashSize: number;
	/** The record's sector. */
	record: number;
	/** End of the application's place. */
	applicationEnd: number;
	/** Where the application before is kept; both 0 where there is no room. */
	previous: number;
	previousEnd: number;
	filesystem: number;
	filesystemEnd: number;
	/** Two sectors with a copy of the second stage each. */
	stages: number;
}

/** The configuration in 48 bytes of `view`, or undefined where there is none, or one of another version. */
export function decodeConfig(view: DataView): BootConfig | undefined {
	if (view.getUint32(0, true) !== CONFIG_MAGIC || view.getUint32(4, true) !== CONFIG_VERSION)
		return undefined;
	return {
		flashSize: view.getUint32(8, true),
		record: view.getUint32(12, true),
		applicationEnd: view.getUint32(16, true),
		previous: view.getUint32(20, true),
		previousEnd: view.getUint32(24, true),
		filesystem: view.getUint32(28, true),
		filesystemEnd: view.getUint32(32, true),
		stages: view.getUint32(36, true),
	};
}
