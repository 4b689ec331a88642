/** Our boot loader in front of the virtual board's firmware: its machine code, or what stands for it, since the model runs. */
import { APPLICATION_OFFSET, FLASH_SIZE_OFFSET } from "../../../ota/image";
import { type BootConfig, bootConfigVersion, CONFIG_LENGTH } from "../../../tools/image/boot-config";
import { bootConfigOf } from "../../../tools/image/layout-config";
import { bootLoaderOf, type OwnBootLoader, ownFirmware } from "../../../tools/image/own-boot-loader";
import { readPackerWords } from "../../../tools/image/packer";
import { readPart } from "../../../tools/image/part";
import { layoutForFlash } from "../../../tools/layouts";

const DATA_RAM = 0x3ffe8000;
const CODE_RAM = 0x4010f000;
const PACKER_WORDS = 16;

/** Without machine code: the model needs none. */
export const modelStages: OwnBootLoader = bootLoaderOf({
	data: { address: DATA_RAM, data: new Uint8Array(CONFIG_LENGTH) },
	text: { address: CODE_RAM, data: new TextEncoder().encode("ota8266 virtual boot loader, like our own") },
	entry: CODE_RAM,
	secondStage: new TextEncoder().encode("its second stage"),
});

/** The places in a flash of so many bytes, by the usual layout for it. Throws UpdateError FILE. */
export function bootConfigFor(flashSize: number): BootConfig {
	const { name, layout } = layoutForFlash(flashSize);
	return bootConfigOf(layout, name);
}

/** A firmware file with these stages. One that has our boot loader stays as it is. Throws Error where there is no application. */
export function withOwnBoot(firmware: Uint8Array, stages: OwnBootLoader, config: BootConfig): Uint8Array {
	if (bootConfigVersion(firmware) !== undefined) return firmware;
	const part = readPart(firmware, APPLICATION_OFFSET);
	if (part?.checksum !== "right") throw new Error("no application that our boot loader could start");
	const [flashMode = 0, sizes = 0] = firmware.subarray(FLASH_SIZE_OFFSET - 1, FLASH_SIZE_OFFSET + 1);
	const header = { flashMode, flashSize: sizes >> 4, flashFrequency: sizes & 15 };
	const application = firmware.slice(APPLICATION_OFFSET, APPLICATION_OFFSET + part.size);
	const packerWords = readPackerWords(firmware) !== "absent";
	if (packerWords) application.fill(0, PACKER_WORDS, PACKER_WORDS + 8);
	const firstStage = stages.image(config, header);
	return ownFirmware({ firstStage, secondStage: stages.secondStage, application, packerWords });
}
