/** The configuration of our boot loader, twelve words at flash 0x10: SPEC.md, section 10. */
import type { NorFlash } from "../nor";

export const CONFIG_OFFSET = 0x10;
export const CONFIG_LENGTH = 48;
const CONFIG_VERSION = 1;
/** `OTAB`, little-endian. */
const MAGIC = 0x4241544f;

/** Places of a flash layout: flash offsets, on sectors. */
export interface BootConfig {
	/** Bytes. */
	flashSize: number;
	/** A sector. */
	record: number;
	/** Of the place that begins at 0x1000. */
	applicationEnd: number;
	/** Both 0 where there is no room for the application before. */
	previous: number;
	previousEnd: number;
	filesystem: number;
	filesystemEnd: number;
	/** Two sectors, a copy of the second stage in each. */
	stages: number;
}

/** What the first stage knows of the second one. */
export interface BootStage {
	/** Bytes. */
	stageLength: number;
	/** zlib's CRC-32. */
	stageCRC: number;
}

/** That of a NodeMCU with a filesystem of 2 MiB. */
export const NODEMCU_4M: BootConfig = Object.freeze({
	flashSize: 0x400000,
	record: 0x3fa000,
	applicationEnd: 0x100000,
	previous: 0,
	previousEnd: 0,
	filesystem: 0x200000,
	filesystemEnd: 0x3fa000,
	stages: 0x102000,
});

/** Of a flash of so many bytes; undefined where its layout has no places for the boot loader yet. */
export function bootConfigFor(flashSize: number | undefined): BootConfig | undefined {
	return flashSize === NODEMCU_4M.flashSize ? NODEMCU_4M : undefined;
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
	[MAGIC, CONFIG_VERSION, ...FIELDS.map((field) => config[field])].forEach((word, i) => {
		view.setUint32(4 * i, word, true);
	});
	return bytes;
}

const bytes = new Uint8Array(CONFIG_LENGTH);
const words = new Uint32Array(bytes.buffer);

/** Whether a configuration begins with these bytes. */
export function hasMagic(bytes: Uint8Array): boolean {
	return bytes.length >= 4 && Buffer.compare(bytes.subarray(0, 4), Buffer.from("OTAB")) === 0;
}

/** That of the boot loader in a flash; undefined where it is another one. As the loader itself, by the magic alone. */
export function readBootConfig(flash: NorFlash): (BootConfig & BootStage) | undefined {
	flash.read(CONFIG_OFFSET, bytes);
	const [magic] = words;
	if (magic !== MAGIC) return undefined;
	const [
		,
		,
		flashSize = 0,
		record = 0,
		applicationEnd = 0,
		previous = 0,
		previousEnd = 0,
		filesystem = 0,
		filesystemEnd = 0,
		stages = 0,
		stageLength = 0,
		stageCRC = 0,
	] = words;
	return {
		flashSize,
		record,
		applicationEnd,
		previous,
		previousEnd,
		filesystem,
		filesystemEnd,
		stages,
		stageLength,
		stageCRC,
	};
}
