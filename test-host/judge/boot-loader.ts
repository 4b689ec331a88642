/** The boot loader's machine code in flash, for the places of the judged board. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SECTOR } from "../../ota/image";
import type { BootConfig } from "../../tools/image/boot-config";
import { parseOwnBootLoader } from "../../tools/image/own-boot-loader";
import { root } from "../virtual/bundle";
import { FLASH_SIZE } from "./places";

/** Cells of a flash with nothing else in it: sector 0, and both copies of the second stage. */
export function bootLoaderCells(config: BootConfig, file = join(root, "dist/boot.elf")): Uint8Array {
	const { image, secondStage } = parseOwnBootLoader(readFileSync(file));
	const cells = new Uint8Array(FLASH_SIZE).fill(0xff);
	cells.set(image(config));
	cells.set(secondStage, config.stages);
	cells.set(secondStage, config.stages + SECTOR);
	return cells;
}
