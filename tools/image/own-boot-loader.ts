/** Our own boot loader, boot/, as it lies in a firmware file: DESIGN.md, section 13. */
import { existsSync } from "node:fs";
import { crc32 } from "node:zlib";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { SECTOR } from "../../ota/image";
import { readElf } from "../elf/elf";
import { readImage } from "../read-image";
import { type BootConfig, bootConfigVersion, CONFIG_VERSION, encodeBootConfig } from "./boot-config";
import { asProgram, type BootLoader } from "./boot-loader";
import { buildImage, fillPackerWords, type ImageHeader, joinImages, type Segment } from "./build-image";
import { readPart } from "./part";

/** Instruction RAM that applications may fill: above it the loader's second stage runs while it loads them. */
const CODE_RAM_END = 0x4010e000;
const EMPTY = 0xff;

export interface OwnBootLoader {
	/** Bytes of the first stage's code and data. */
	firstLength: number;
	/** The first stage's image, as it lies in flash sector 0, for these places. */
	image(config: BootConfig, header?: ImageHeader): Uint8Array;
	/** What lies in two copies elsewhere. */
	secondStage: Uint8Array;
}

/** The stages of what `npm run build:boot` has linked. Throws RangeError, with the reason, for another program. */
export function parseOwnBootLoader(bytes: Uint8Array): OwnBootLoader {
	const elf = readElf(bytes);
	const section = (wanted: string) => {
		const found = elf.sections.find(({ name, loaded }) => loaded && name === wanted);
		if (!found) throw new RangeError(`it has no section ${wanted}, which our boot loader has`);
		return found;
	};
	const [data, text, second] = [section(".data"), section(".text"), section(".second")];
	if (bootConfigVersion(data.data, 0) !== CONFIG_VERSION)
		throw new RangeError(`it does not begin with a configuration of version ${CONFIG_VERSION}`);
	const secondStage = second.data.slice();
	if (secondStage.length > SECTOR)
		throw new RangeError(`its second stage has ${secondStage.length} bytes, there is room for ${SECTOR}`);
	return bootLoaderOf({ data, text, entry: elf.entry, secondStage });
}

export interface OwnBootLoaderParts {
	/** Of the first stage: data, which begin with a configuration, and code. */
	data: Segment;
	text: Segment;
	entry: number;
	secondStage: Uint8Array;
}

export function bootLoaderOf({ data, text, entry, secondStage }: OwnBootLoaderParts): OwnBootLoader {
	return {
		firstLength: data.data.length + text.data.length,
		secondStage,
		image(config, header = {}) {
			const filled = data.data.slice();
			const stage = { stageLength: secondStage.length, stageCRC: crc32(secondStage) };
			filled.set(encodeBootConfig({ ...config, ...stage }));
			const segments = [{ address: data.address, data: filled }, text];
			const image = buildImage({ ...header, segments, entry });
			if (image.length > SECTOR)
				throw new RangeError(`its first stage has ${image.length} bytes, there is room for ${SECTOR}`);
			return image;
		},
	};
}

/** For these places, out of dist/boot.elf. Throws UpdateError FILE where it is not built, or NOT_PACKED. */
export async function readOwnBootLoader(file: string, config: BootConfig): Promise<BootLoader> {
	if (!existsSync(file)) {
		const reason =
			"our boot loader is not built: npm run build:boot makes it (apt-get install gcc-xtensa-lx106); or give an eboot.elf to --bootloader";
		throw new UpdateError(ErrorCode.FILE, file, reason);
	}
	const bytes = await readImage(file);
	const { firstLength, secondStage, image } = asProgram(file, () => parseOwnBootLoader(bytes));
	const stages = `first stage ${firstLength} bytes, second stage ${secondStage.length} bytes`;
	return {
		file,
		text: `our own, ${stages}, inflates gzip`,
		inflates: true,
		firmware(application, { header, packerWords }) {
			const firstStage = asProgram(file, () => image(config, header));
			return ownFirmware({ firstStage, secondStage, application, packerWords });
		},
	};
}

export interface OwnFirmwareParts {
	firstStage: Uint8Array;
	secondStage: Uint8Array;
	/** The application's image. */
	application: Uint8Array;
	/** Fills in the Arduino packer's words, which count what lies before the second stage. */
	packerWords?: boolean;
}

/**
 * A firmware file: the first stage in its sector, the application's image, the second stage from the next sector on,
 * where the first one finds it. Throws RangeError, with the reason, for an application that reaches over the second
 * stage in instruction RAM.
 */
export function ownFirmware(parts: OwnFirmwareParts): Uint8Array {
	const { firstStage, secondStage, application, packerWords = false } = parts;
	for (const { address, length, memory } of readPart(application, 0)?.segments ?? []) {
		const end = address + length;
		if (memory === "IRAM" && end > CODE_RAM_END) {
			throw new RangeError(
				`its segment at ${hex(address)} ends at ${hex(end)}, our boot loader runs from ${hex(CODE_RAM_END)} on`,
			);
		}
	}
	const front = joinImages(firstStage, application);
	if (packerWords) fillPackerWords(front);
	const offset = secondStageOffset(front.length);
	const file = new Uint8Array(offset + secondStage.length).fill(EMPTY, front.length, offset);
	file.set(front);
	file.set(secondStage, offset);
	return file;
}

/** Where in a firmware file the second stage lies, behind an application's image that ends at `end`. */
export function secondStageOffset(end: number): number {
	return Math.ceil(end / SECTOR) * SECTOR;
}

function hex(address: number): string {
	return `0x${address.toString(16)}`;
}
