/** `ota8266 pack --elf`: the firmware of a program as it was linked. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { Option } from "commander";
import { flashSizeOf, SECTOR } from "../ota/image";
import type { LayoutFile } from "../partitions/layout-file";
import { sizeText } from "./claims-text";
import { type BootLoader, readBootLoader } from "./image/boot-loader";
import type { ImageHeader } from "./image/build-image";
import { elfFirmware } from "./image/elf-firmware";
import { bootConfigOf } from "./image/layout-config";
import { readOwnBootLoader } from "./image/own-boot-loader";
import { FLASH_FREQUENCIES, FLASH_MODES } from "./image/part";
import { imageInfo } from "./image-info";
import type { NamedLayout } from "./layouts";

export interface ElfFlags {
	bootloader?: string;
	/** As the options have it. */
	flashMode?: string;
	flashFreq?: string;
}

/** Ours is built beside the built command; the sources' folder is a neighbour of that. */
const ownFile = fileURLToPath(new URL("../dist/boot.elf", import.meta.url));
const modes = FLASH_MODES.map((mode) => mode.toLowerCase());
/** MHz, and the bits of the header. */
const frequencies = new Map(
	Object.entries(FLASH_FREQUENCIES).map(([bits, text]) => [text.split(" ")[0] ?? "", Number(bits)]),
);

/** The options that only a program takes. */
export const elfOptions: readonly Option[] = [
	new Option("--flash-mode <mode>", "of the program: how the chip reads its flash (default: dio)").choices(
		modes,
	),
	new Option("--flash-freq <MHz>", "of the program: the flash's clock (default: 40)").choices([
		...frequencies.keys(),
	]),
];

/** The flags of a header, as options give them, for a flash of so many bytes. */
function imageHeader({ flashMode = "dio", flashFreq = "40" }: ElfFlags, flashSize: number): ImageHeader {
	const nibbles = Array.from({ length: 16 }, (_, nibble) => flashSizeOf(nibble << 4));
	return {
		flashMode: modes.indexOf(flashMode),
		flashFrequency: frequencies.get(flashFreq) ?? 0,
		flashSize: nibbles.indexOf(flashSize),
	};
}

export interface ElfInput {
	firmware: Uint8Array;
	/** What is to be told of it. */
	rows: string[][];
}

/**
 * The boot loader in a file, an eboot, or our own for the places of a layout. Throws UpdateError FILE, or NOT_PACKED.
 */
export async function findElfBootLoader(
	given: string | undefined,
	{ name, layout }: NamedLayout,
	own = ownFile,
): Promise<BootLoader> {
	if (given !== undefined) return readBootLoader(given);
	return readOwnBootLoader(own, bootConfigOf(layout, name));
}

/** Makes the firmware of a program. Throws UpdateError FILE or NOT_PACKED. */
export async function readElfInput(
	elf: string,
	flags: ElfFlags & { bootLoader: BootLoader; layout: LayoutFile },
): Promise<ElfInput> {
	const { bootLoader, layout } = flags;
	const { running, nextota } = layout.partitions;
	const flashSize = Number(layout.flashSize);
	const room = Number(running?.size ?? 0);
	const firmware = await elfFirmware(elf, { bootLoader, header: imageHeader(flags, flashSize), room });
	const { application, descriptor } = imageInfo(firmware);
	const segments = application?.segments.map(({ memory, length }) => `${memory} ${length}`) ?? [];
	// Behind the running firmware staging begins with the next sector.
	const taken = nextota?.behind ? SECTOR * Math.ceil(firmware.length / SECTOR) : 0;
	const free = Math.max(0, Number(nextota?.size ?? 0) - taken);
	const rows = [
		["Boot loader", `${bootLoader.text}, ${bootLoader.file}`],
		["Program", `${descriptor ? `${descriptor.name} ${descriptor.version}` : "without a version"}, ${elf}`],
		["Segments", `${segments.join(", ")} bytes`],
		[
			"Room",
			`${room} bytes in a flash of ${sizeText(flashSize)}, ${free} for an update${fitText(firmware, free, bootLoader)}`,
		],
	];
	return { firmware, rows };
}

/** How an update of this size gets into so many bytes; nothing where it does as it is. */
function fitText(firmware: Uint8Array, free: number, { inflates }: BootLoader): string {
	if (firmware.length <= free) return "";
	if (!inflates) return ", too few for one of this size";
	const { length } = gzipSync(firmware, { level: 9 });
	return length <= free
		? ", so one of this size only as a gzip"
		: `, too few for one of this size, a gzip (${length}) too`;
}
