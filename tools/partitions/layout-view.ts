/** What `ota8266 partitions` shows of a layout: a table, and a drawing of the flash. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { FLAG_ENCRYPTED, type Partition, PartitionType, TABLE_OFFSET } from "../../ota/slots/partition-table";
import { type LayoutFile, layoutFaults, readLayouts } from "../../partitions/layout-file";
import { flashSizes } from "../option-values";
import { table } from "../table";
import { drawing, type Region } from "./drawing";
import { keywordOf, subtypeKeywords, typeKeywords } from "./keywords";
import { FIRST_OFFSET, mappedAddress } from "./limits";
import { flashAddress, hex, sizeNumber } from "./numbers";
import { readTable } from "./table-file";

/** The last five sectors: EEPROM, radio calibration, three of settings. They belong to the SDK of such a firmware. */
const SYSTEM_SECTORS = 0x5000;

/**
 * The layouts in a folder, the smallest flash first, or those for a flash of `flashSize` bytes. Throws UpdateError
 * FILE for a faulty one.
 */
export async function layoutTexts(folder: string, flashSize?: number): Promise<string> {
	const texts: { size: number; text: string }[] = [];
	for (const [name, layout] of readLayouts(folder)) {
		const faults = layoutFaults(layout);
		if (faults.length > 0) throw new UpdateError(ErrorCode.FILE, name, faults.join("; "));
		const size = Number(layout.flashSize);
		texts.push({
			size,
			text: `${heading(name, size)}, for eboot${choiceText(layout)}\n${layoutText(layout)}`,
		});
	}
	const tables = readdirSync(folder).filter((name) => name.endsWith(".csv"));
	for (const name of tables.sort()) {
		const { partitions } = await readTable(join(folder, name));
		const size = smallestFlash(partitions);
		texts.push({ size, text: `${heading(name, size)}, a partition table\n${tableText(partitions)}` });
	}
	return texts
		.filter(({ size }) => flashSize === undefined || size === flashSize)
		.sort((one, other) => one.size - other.size)
		.map(({ text }) => text)
		.join("\n");
}

function heading(name: string, flashSize: number): string {
	return `${name}: ${sizeNumber(flashSize)} of flash`;
}

/** How a build gets one of several layouts for a size. */
function choiceText({ filesystemMiB, default: isUsual = false }: LayoutFile): string {
	if (filesystemMiB === undefined) return "";
	if (isUsual) return ", the usual one";
	return `, with "defines": { "ota8266": { "filesystem_mib": ${filesystemMiB} } } in the manifest`;
}

/** A layout for eboot. */
function layoutText({ flashSize, partitions }: LayoutFile): string {
	const all = Object.entries(partitions).map(([name, { offset, size, readOnly = false, behind }]) => ({
		name,
		offset: Number(offset),
		size: Number(size),
		notes: [readOnly && "read-only", behind && `behind what is ${behind}`].filter(Boolean).join(", "),
		behind,
	}));
	const rows = all.map(({ name, offset, size, notes }) => [name, ...placeCells({ offset, size }), notes]);
	const guests = new Map(all.map(({ name, behind }) => [behind, name]));
	const regions = all
		.filter(({ behind }) => behind === undefined)
		.map(({ name, offset, size }) => {
			const guest = guests.get(name);
			return { label: guest === undefined ? name : `${name}, then ${guest}`, offset, size };
		});
	return view(
		[["Name", "Offset", "End", "Size", ""], ...rows],
		[...regions, ...systemSectors(regions, Number(flashSize))],
		Number(flashSize),
	);
}

/** A partition table. The flash is `flashSize` bytes, or as small as holds all of it. */
export function tableText(partitions: readonly Partition[], flashSize = smallestFlash(partitions)): string {
	const rows = partitions.map(({ label, type, subtype, offset, size, flags }) => [
		label,
		keywordOf(type, typeKeywords),
		keywordOf(subtype, subtypeKeywords(type)),
		...placeCells({ offset, size }),
		[
			(flags & FLAG_ENCRYPTED) !== 0 && "encrypted",
			type === PartitionType.APP && `mapped at ${hex(mappedAddress(offset))}`,
		]
			.filter(Boolean)
			.join(", "),
	]);
	const regions = [
		{ label: "boot loader", offset: 0, size: TABLE_OFFSET },
		{ label: "partition table", offset: TABLE_OFFSET, size: FIRST_OFFSET - TABLE_OFFSET },
		...partitions.map(({ label, offset, size }) => ({ label, offset, size })),
	];
	return view([["Name", "Type", "SubType", "Offset", "End", "Size", ""], ...rows], regions, flashSize);
}

/** The smallest flash that holds the partitions; where none does, their end. */
function smallestFlash(partitions: readonly Partition[]): number {
	const end = Math.max(FIRST_OFFSET, ...partitions.map(({ offset, size }) => offset + size));
	return [...flashSizes.values()].find((size) => size >= end) ?? end;
}

function view(rows: readonly (readonly string[])[], regions: readonly Region[], flashSize: number): string {
	return `${table(rows)}\n${drawing(regions, flashSize)}`;
}

function placeCells({ offset, size }: { offset: number; size: number }): string[] {
	return [flashAddress(offset), flashAddress(offset + size), sizeNumber(size).padStart(5)];
}

function systemSectors(regions: readonly Region[], flashSize: number): Region[] {
	const offset = flashSize - SYSTEM_SECTORS;
	const isFree = regions.every((region) => region.offset + region.size <= offset);
	return isFree ? [{ label: "EEPROM, radio, Wi-Fi", offset, size: SYSTEM_SECTORS }] : [];
}
