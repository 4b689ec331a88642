/** The configuration of our boot loader, twelve words at flash 0x10: SPEC.md, section 10. */

import {
	type BootConfig,
	CONFIG_LENGTH,
	CONFIG_MAGIC,
	CONFIG_OFFSET,
	CONFIG_VERSION,
	decodeConfig,
} from "../../ota/boot-record/config";

export { type BootConfig, CONFIG_LENGTH, CONFIG_OFFSET, CONFIG_VERSION } from "../../ota/boot-record/config";

/** What the first stage knows of the second one. */
export interface BootStage {
	/** Bytes. */
	stageLength: number;
	/** zlib's CRC-32. */
	stageCRC: number;
}

/** In the order of the words, behind magic and version. */
const FIELDS = [
	"flashSize",
	"record",
	"applicationEnd",
	"previous",
	"previousEnd",
	"filesystem",
	"filesystemEnd",
	"stages",
	"stageLength",
	"stageCRC",
] as const satisfies readonly (keyof (BootConfig & BootStage))[];

/** The twelve words, CONFIG_LENGTH bytes. */
export function encodeBootConfig(config: BootConfig & BootStage): Uint8Array {
	const bytes = new Uint8Array(CONFIG_LENGTH);
	const view = new DataView(bytes.buffer);
	[CONFIG_MAGIC, CONFIG_VERSION, ...FIELDS.map((field) => config[field])].forEach((word, i) => {
		view.setUint32(4 * i, word, true);
	});
	return bytes;
}

/** The version of the configuration at `offset` of a firmware; undefined where there is none. */
export function bootConfigVersion(bytes: Uint8Array, offset = CONFIG_OFFSET): number | undefined {
	if (offset + CONFIG_LENGTH > bytes.length) return undefined;
	const view = new DataView(bytes.buffer, bytes.byteOffset + offset, CONFIG_LENGTH);
	return view.getUint32(0, true) === CONFIG_MAGIC ? view.getUint32(4, true) : undefined;
}

/** The configuration at `offset` of a firmware; undefined where there is none, or one of another version. */
export function decodeBootConfig(
	bytes: Uint8Array,
	offset = CONFIG_OFFSET,
): (BootConfig & BootStage) | undefined {
	if (offset + CONFIG_LENGTH > bytes.length) return undefined;
	const view = new DataView(bytes.buffer, bytes.byteOffset + offset, CONFIG_LENGTH);
	const places = decodeConfig(view);
	return places && { ...places, stageLength: view.getUint32(40, true), stageCRC: view.getUint32(44, true) };
}
