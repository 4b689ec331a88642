/** Firmware files with our boot loader in front, or what looks like it, where there is no compiler for the real one. */
import { type BootConfig, CONFIG_LENGTH } from "../../tools/image/boot-config";
import type { ImageHeader } from "../../tools/image/build-image";
import { bootLoaderOf } from "../../tools/image/own-boot-loader";
import { Noise } from "../virtual/noise";
import { withOwnBoot } from "../virtual/own-boot/stages";

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
/** Noise in the place of both stages' code. */
const STAGES = bootLoaderOf({
	data: { address: 0x3ffe8000, data: new Uint8Array(CONFIG_LENGTH) },
	text: { address: 0x4010f000, data: new Noise(18).fill(new Uint8Array(3200)) },
	entry: 0x4010f000,
	secondStage: SECOND_STAGE,
});

export function firstStage(config = CONFIG, header: ImageHeader = {}): Uint8Array {
	return STAGES.image(config, header);
}

/** The application of another firmware file behind it. */
export function withOwnBootLoader(file: Uint8Array, config = CONFIG): Uint8Array {
	return withOwnBoot(file, STAGES, config);
}
