/** Firmware files with our boot loader in front, or what looks like it, where there is no compiler for the real one. */
import { crc32 } from "node:zlib";
import { APPLICATION_OFFSET } from "../../ota/image";
import { type BootConfig, encodeBootConfig } from "../../tools/image/boot-config";
import { buildImage, type ImageHeader } from "../../tools/image/build-image";
import { ownFirmware } from "../../tools/image/own-boot-loader";
import { readPart } from "../../tools/image/part";
import { Noise } from "../virtual/noise";

/** A NodeMCU's. */
export const CONFIG: BootConfig = Object.freeze({
	flashSize: 0x400000,
	record: 0x3fa000,
	applicationEnd: 0x100000,
	previous: 0,
	previousEnd: 0,
	filesystem: 0x200000,
	filesystemEnd: 0x3fa000,
	stages: 0x102000,
});
export const SECOND_STAGE = new Noise(17).fill(new Uint8Array(3000));
/** Words of the packer, in an application's image. */
const PACKER_WORDS = 16;

/** Noise in the place of the first stage's code. */
export function firstStage(config = CONFIG, header: ImageHeader = {}): Uint8Array {
	const stage = { stageLength: SECOND_STAGE.length, stageCRC: crc32(SECOND_STAGE) };
	return buildImage({
		...header,
		segments: [
			{ address: 0x3ffe8000, data: encodeBootConfig({ ...config, ...stage }) },
			{ address: 0x4010f000, data: new Noise(18).fill(new Uint8Array(3200)) },
		],
		entry: 0x4010f000,
	});
}

/** The application of another firmware file behind it. */
export function withOwnBootLoader(file: Uint8Array, config = CONFIG): Uint8Array {
	const { size = 0 } = readPart(file, APPLICATION_OFFSET) ?? {};
	const application = file.slice(APPLICATION_OFFSET, APPLICATION_OFFSET + size);
	application.fill(0, PACKER_WORDS, PACKER_WORDS + 8);
	return ownFirmware({
		firstStage: firstStage(config),
		secondStage: SECOND_STAGE,
		application,
		packerWords: true,
	});
}
