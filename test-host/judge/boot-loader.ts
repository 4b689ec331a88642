/** The boot loader's machine code in flash, for the places of the judged board. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { SECTOR } from "../../ota/image";
import { readElf } from "../../tools/elf/elf";
import { buildImage } from "../../tools/image/build-image";
import { root } from "../virtual/bundle";
import { type BootConfig, FLASH_SIZE } from "./places";

/** Cells of a flash with nothing else in it: sector 0, and both copies of the second stage. */
export function bootLoaderCells(config: BootConfig, file = join(root, "dist/boot.elf")): Uint8Array {
	const elf = readElf(readFileSync(file));
	const section = (wanted: string) => {
		const found = elf.sections.find(({ name }) => name === wanted);
		if (!found) throw new Error(`${file} has no section ${wanted}`);
		return { address: found.address, data: new Uint8Array(found.data) };
	};
	const data = section(".data");
	const second = section(".second").data;
	const { flashSize, record, applicationEnd, previous, previousEnd, filesystem, filesystemEnd, stages } =
		config;
	const words = [
		flashSize,
		record,
		applicationEnd,
		previous,
		previousEnd,
		filesystem,
		filesystemEnd,
		stages,
		second.length,
		crc32(second),
	];
	const view = new DataView(data.data.buffer);
	words.forEach((word, i) => {
		view.setUint32(8 + 4 * i, word, true);
	});
	const cells = new Uint8Array(FLASH_SIZE).fill(0xff);
	cells.set(buildImage({ segments: [data, section(".text")], entry: elf.entry }));
	cells.set(second, stages);
	cells.set(second, stages + SECTOR);
	return cells;
}
