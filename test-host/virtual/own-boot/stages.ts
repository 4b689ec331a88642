/** Both stages of our boot loader, and a firmware file that has them: DESIGN.md, section 13. */
import { existsSync, readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { APPLICATION_OFFSET, FLASH_SIZE_OFFSET } from "../../../ota/image";
import { readElf } from "../../../tools/elf/elf";
import { buildImage, fillPackerWords, type ImageHeader, joinImages } from "../../../tools/image/build-image";
import { PACKER_WORDS_LENGTH, PACKER_WORDS_OFFSET, readPackerWords } from "../../../tools/image/packer";
import { readPart } from "../../../tools/image/part";
import {
	type BootConfig,
	bootConfigFor,
	CONFIG_LENGTH,
	CONFIG_OFFSET,
	encodeBootConfig,
	hasMagic,
} from "./config";
import { roundUp } from "./numbers";

const DATA_RAM = 0x3ffe8000;
const CODE_RAM = 0x4010f000;
const EMPTY = 0xff;

export interface Stages {
	/** The first stage's image, as it lies in flash sector 0, for these places. */
	image(config: BootConfig, header?: ImageHeader): Uint8Array;
	/** What lies in two copies elsewhere. */
	readonly secondStage: Uint8Array;
}

/** Of the first stage's data and code, and of the second stage. `data` begins with a configuration, which is filled in. */
function stagesOf(
	data: { address: number; data: Uint8Array },
	code: { address: number; data: Uint8Array },
	entry: number,
	secondStage: Uint8Array,
): Stages {
	return {
		secondStage,
		image(config, header = {}) {
			const filled = data.data.slice();
			const stage = { stageLength: secondStage.length, stageCRC: crc32(secondStage) };
			filled.set(encodeBootConfig({ ...config, ...stage }));
			return buildImage({ ...header, segments: [{ address: data.address, data: filled }, code], entry });
		},
	};
}

/** Without machine code: the model needs none. */
export const modelStages = stagesOf(
	{ address: DATA_RAM, data: new Uint8Array(CONFIG_LENGTH) },
	{ address: CODE_RAM, data: new TextEncoder().encode("ota8266 virtual boot loader, like our own") },
	CODE_RAM,
	new TextEncoder().encode("its second stage"),
);

/** Of what `npm run build:boot` has linked. Throws Error where it is not there. */
export function readStages(file: string): Stages {
	if (!existsSync(file)) {
		throw new Error("our boot loader is not built: npm run build:boot (it needs gcc-xtensa-lx106)");
	}
	const { sections, entry } = readElf(readFileSync(file));
	const section = (wanted: string) => {
		const found = sections.find(({ name }) => name === wanted);
		if (!found) throw new Error(`${file} has no section ${wanted}, which our boot loader has`);
		return { address: found.address, data: new Uint8Array(found.data) };
	};
	return stagesOf(section(".data"), section(".text"), entry, section(".second").data);
}

/**
 * A firmware with the boot loader out of dist/boot.elf, for the layout of a flash of so many bytes. Throws Error where
 * it is not built, or the layout has no places for it.
 */
export function ownFlash(firmware: Uint8Array, file: string, flashSize: number | undefined): Uint8Array {
	const config = bootConfigFor(flashSize);
	if (!config) throw new Error("our boot loader has its places in a flash of 4M only");
	return withOwnBoot(firmware, readStages(file), config);
}

/**
 * A firmware file with these stages: the first in its sector, the second where the first one looks for it, behind the
 * application's image. One that has our boot loader stays as it is. Throws Error where there is no application.
 */
export function withOwnBoot(firmware: Uint8Array, stages: Stages, config: BootConfig): Uint8Array {
	if (hasMagic(firmware.subarray(CONFIG_OFFSET))) return firmware;
	const application = readPart(firmware, APPLICATION_OFFSET);
	if (application?.checksum !== "right") throw new Error("no application that our boot loader could start");
	const [mode = 0, size = 0] = firmware.subarray(FLASH_SIZE_OFFSET - 1, FLASH_SIZE_OFFSET + 1);
	const header = { flashMode: mode, flashSize: size >> 4, flashFrequency: size & 15 };
	const end = APPLICATION_OFFSET + application.size;
	const front = joinImages(stages.image(config, header), firmware.slice(APPLICATION_OFFSET, end));
	if (readPackerWords(firmware) !== "absent") {
		front.fill(0, PACKER_WORDS_OFFSET, PACKER_WORDS_OFFSET + PACKER_WORDS_LENGTH);
		fillPackerWords(front);
	}
	const { secondStage } = stages;
	const file = new Uint8Array(roundUp(end) + secondStage.length).fill(EMPTY);
	file.set(front);
	file.set(secondStage, roundUp(end));
	return file;
}
