/** `ota8266 pack --elf`: the firmware of a program as it was linked. */
import { Option } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import { flashSizeOf, SECTOR } from "../ota/image";
import { layoutFor } from "../test-host/virtual/layout";
import { findBootLoader } from "./arduino-core";
import { sizeText } from "./claims-text";
import { type BootLoader, bootLoaderText, readBootLoader } from "./image/boot-loader";
import type { ImageHeader } from "./image/build-image";
import { elfFirmware } from "./image/elf-firmware";
import { FLASH_FREQUENCIES, FLASH_MODES } from "./image/part";
import { imageInfo } from "./image-info";

export interface ElfFlags {
	bootloader?: string;
	/** As the options have it. */
	flashMode?: string;
	flashFreq?: string;
	/** Bytes. */
	flashSize?: number | undefined;
	/** Of several layouts for that size the one with such a filesystem; the usual one where not given. */
	filesystemMiB?: number | undefined;
}

const FLASH_SIZE = 0x400000;
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

/** The flags of a header, as options give them. */
export function imageHeader({
	flashMode = "dio",
	flashFreq = "40",
	flashSize = FLASH_SIZE,
}: ElfFlags): ImageHeader {
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
 * The boot loader in a file, or that of the newest Arduino core that is found. Throws UpdateError FILE, or
 * NOT_PACKED.
 */
export function findElfBootLoader(given: string | undefined): Promise<BootLoader> {
	const file = given ?? findBootLoader(process.env);
	if (file === undefined) {
		const reason = "no Arduino core is found that has it, give it to --bootloader";
		throw new UpdateError(ErrorCode.FILE, "eboot.elf", reason);
	}
	return readBootLoader(file);
}

/** Makes the firmware of a program. Throws UpdateError FILE or NOT_PACKED. */
export async function readElfInput(
	elf: string,
	{ bootLoader, ...flags }: ElfFlags & { bootLoader: BootLoader },
): Promise<ElfInput> {
	const { flashSize = FLASH_SIZE } = flags;
	const layout = layoutFor(flashSize, flags.filesystemMiB);
	const room = layout.get("running")?.size ?? 0;
	const firmware = await elfFirmware(elf, { bootLoader, header: imageHeader(flags), room });
	const { application, descriptor } = imageInfo(firmware);
	const segments = application?.segments.map(({ memory, length }) => `${memory} ${length}`) ?? [];
	const staging = layout.get("nextota");
	// Behind the running firmware staging begins with the next sector.
	const taken = staging?.behind ? SECTOR * Math.ceil(firmware.length / SECTOR) : 0;
	const free = Math.max(0, (staging?.size ?? 0) - taken);
	const fits = bootLoader.inflates ? "so one of this size only as a gzip" : "too few for one of this size";
	const rows = [
		["Boot loader", bootLoaderText(bootLoader)],
		["Program", `${descriptor ? `${descriptor.name} ${descriptor.version}` : "without a version"}, ${elf}`],
		["Segments", `${segments.join(", ")} bytes`],
		[
			"Room",
			`${room} bytes in a flash of ${sizeText(flashSize)}, ${free} for an update${firmware.length > free ? `, ${fits}` : ""}`,
		],
	];
	return { firmware, rows };
}
