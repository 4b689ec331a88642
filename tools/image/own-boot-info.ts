/** What a firmware file tells of our boot loader, where that is in front. */
import { crc32 } from "node:zlib";
import { type BootConfig, type BootStage, bootConfigVersion, decodeBootConfig } from "./boot-config";
import { secondStageOffset } from "./own-boot-loader";
import type { ImagePart } from "./part";

export interface OwnBootLoaderInfo {
	/** Of its configuration. */
	version: number;
	/** Its image in sector 0. */
	firstStage: { length: number; crc: number };
	/** Places of the layout, bytes and CRC of the second stage; undefined for a version that is not known. */
	config?: BootConfig & BootStage;
	/** Where the first stage looks for the second one, the first time; undefined where no application is behind it. */
	secondStage?: { offset: number; state: "whole" | "damaged" | "missing" };
}

/** Undefined where another boot loader is in front. */
export function ownBootLoaderIn(
	bytes: Uint8Array,
	bootLoader: ImagePart | undefined,
	application: ImagePart | undefined,
): OwnBootLoaderInfo | undefined {
	const version = bootConfigVersion(bytes);
	if (version === undefined || bootLoader?.offset !== 0) return undefined;
	const firstStage = { length: bootLoader.size, crc: crc32(bytes.subarray(0, bootLoader.size)) };
	const config = decodeBootConfig(bytes);
	if (!config) return { version, firstStage };
	if (!application) return { version, firstStage, config };
	const offset = secondStageOffset(application.offset + application.size);
	const stage = bytes.subarray(offset, offset + config.stageLength);
	const isWhole = stage.length === config.stageLength && crc32(stage) === config.stageCRC;
	const state = isWhole ? "whole" : stage.length > 0 ? "damaged" : "missing";
	return { version, firstStage, config, secondStage: { offset, state } };
}
