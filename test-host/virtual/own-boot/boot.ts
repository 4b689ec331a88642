/**
 * Our boot loader, in TypeScript: what boot/*.c does, operation by operation. It runs where the flash has its
 * configuration, and stands for the machine code of the second stage where that is whole by its CRC.
 */
import { crc32 } from "node:zlib";
import { ACTION_COPY_RAW, ACTION_LOAD_APP, COMMAND_LENGTH, decodeCommand } from "../../../ota/eboot";
import {
	APPLICATION_OFFSET,
	HEADER_LENGTH,
	isLoaded,
	SECTOR,
	SEGMENT_HEADER_LENGTH,
} from "../../../ota/image";
import { Memory } from "../memory";
import type { NorFlash } from "../nor";
import type { Outcome } from "../outcome";
import { RomFlash } from "../rom-flash";
import type { RtcMemory } from "../rtc";
import { hex32, type Print, printf } from "../uart";
import { readBootConfig } from "./config";
import { Result } from "./job";
import { Loader } from "./loader";
import { roundUp } from "./numbers";
import { second } from "./second";

const VERSION_OFFSET = APPLICATION_OFFSET + 16;
const CRC_OFFSET = COMMAND_LENGTH - 4;
const block = new Uint8Array(COMMAND_LENGTH);
const zero = new Uint8Array(4);
const pair = new Uint32Array(2);
const pairBytes = new Uint8Array(pair.buffer);

export interface OwnBootOptions {
	flash: NorFlash;
	rtc: RtcMemory;
	print: Print;
}

/** Whether the boot loader in a flash is ours. Throws PowerCut without power. */
export function isOwnBoot(flash: NorFlash): boolean {
	return readBootConfig(flash) !== undefined;
}

/** Runs it up to its end. Throws PowerCut where the flash loses its power, Error where the flash has another one. */
export function runOwnBoot({ flash: chip, rtc, print }: OwnBootOptions): Outcome {
	const config = readBootConfig(chip);
	if (!config) throw new Error("no configuration of our boot loader at flash 0x10");
	const loader = new Loader(config, new RomFlash(chip, config.flashSize), print);
	const { flash } = loader;
	flash.readInto(VERSION_OFFSET, pairBytes.subarray(0, 4));
	printf(print, `v${hex32(pair[0] ?? 0)}\n`);
	rtc.read(0, block);
	const command = decodeCommand(block);
	print(command ? "@" : "~");
	const action = command?.action ?? ACTION_LOAD_APP;
	if (action !== ACTION_COPY_RAW && action !== ACTION_LOAD_APP) printf(print, `e:${Result.UNKNOWN_ACTION}\n`);

	const address = hasSecondStage(loader) ? second(loader, command) : withoutStage(loader, action);
	if (command) {
		// By now it is in the record, or refused.
		rtc.write(0, zero);
		rtc.write(CRC_OFFSET, zero);
	}
	if (address === 0) {
		printf(print, "no application, flash me\n");
		return { kind: "hang", reason: "no application that is whole" };
	}
	printf(print, "ld\n");
	return load(flash, address);
}

/** Whether it is whole in one of its copies, or behind the firmware that it came with; a copy that is damaged is written anew. */
function hasSecondStage(loader: Loader): boolean {
	const { config, image, sector } = loader;
	const { stages } = config;
	const isFirst = isStage(loader, stages);
	const isSecond = isStage(loader, stages + SECTOR);
	if (!isSecond && !(isFirst && isStage(loader, stages))) {
		const length = image.verify(APPLICATION_OFFSET, config.applicationEnd);
		if (length === 0 || !isStage(loader, APPLICATION_OFFSET + roundUp(length))) return false;
	}
	if (!isFirst) sector.write(stages, false);
	if (!isSecond) sector.write(stages + SECTOR, false);
	return true;
}

/** Reads what lies at a flash offset into the sector. */
function isStage({ config, sector }: Loader, address: number): boolean {
	const { stageLength, stageCRC } = config;
	sector.read(address);
	sector.bytes.fill(0xff, stageLength);
	return crc32(sector.bytes.subarray(0, stageLength)) === stageCRC;
}

function withoutStage({ config, image, print }: Loader, action: number): number {
	if (action === ACTION_COPY_RAW) printf(print, `cp:${Result.NO_STAGE}\n`);
	return image.verify(APPLICATION_OFFSET, config.applicationEnd) > 0 ? APPLICATION_OFFSET : 0;
}

/** Loads the image at a flash offset, which was verified. */
function load(flash: RomFlash, start: number): Outcome {
	const memory = new Memory();
	flash.readInto(start, pairBytes);
	const [header = 0, entry = 0] = pair;
	let address = start + HEADER_LENGTH;
	for (let count = (header >> 8) & 0xff; count > 0; count--) {
		flash.readInto(address, pairBytes);
		const [target = 0, length = 0] = pair;
		address += SEGMENT_HEADER_LENGTH;
		if (isLoaded(target)) memory.store(target, flash.read(address, length) ?? new Uint8Array());
		address += length;
	}
	return { kind: "jump", entry, memory };
}
