/** What `ota8266 info` prints: the facts as two columns, the segments of each image below it. */

import { SECTOR } from "../ota/image";
import { claimRows, sizeText } from "./claims-text";
import type { OwnBootLoaderInfo } from "./image/own-boot-info";
import type { ImagePart } from "./image/part";
import type { ImageInfo } from "./image-info";
import { table } from "./table";

/** An image's description for people, lines of text; `verified` says by what the signature was found right. */
export function imageText(file: string, info: ImageInfo, verified?: string): string {
	const { size, md5, sha256, gzip, signature, bootLoader, application, descriptor, packerWords } = info;
	const rows: string[][] = [
		["File", file],
		["Kind", kindText(info)],
		["Size", `${size} bytes`],
	];
	if (descriptor) rows.push(["Name", descriptor.name], ["Version", descriptor.version]);
	rows.push(["MD5", md5], ["SHA-256", sha256]);
	if (gzip) {
		const { compressed, inflated, crc, members } = gzip;
		const more = members > 1 ? `, ${members} members` : "";
		rows.push(["Gzip", `${compressed} bytes inflate to ${inflated}, CRC ${crc}${more}`]);
	}
	if (signature) {
		const { length, kind } = signature;
		rows.push(["Signature", `${length} bytes, ${verified ?? `${kind}, not verified`}`]);
	}
	rows.push(...claimRows(info.claims));
	if (application) rows.push(["Arduino packer", `length and CRC ${packerWords}`]);
	const parts = [
		partText("Boot loader", bootLoader),
		ownBootLoaderText(info.ownBootLoader),
		partText("Application", application),
	];
	return table(rows) + parts.join("");
}

function kindText({ kind, gzip, signature }: ImageInfo): string {
	const name = kind === "none" ? "no image" : kind;
	return `${signature ? "signed " : ""}${gzip ? "compressed " : ""}${name}`;
}

function partText(title: string, part: ImagePart | undefined): string {
	if (!part) return "";
	const { offset, size, entry, flashMode, flashSize, flashFrequency, checksum, segments } = part;
	const flash = `${flashMode}, ${flashFrequency}, ${sizeText(flashSize)}`;
	return `
${title} at ${hex(offset)}: ${size} bytes, entry ${hex(entry)}, flash ${flash}, checksum ${checksum}
${table(segments.map(({ address, length, memory }) => [`  ${hex(address)}`, `${length} bytes`.padStart(14), memory]))}`;
}

/** The configuration, and the stages. */
function ownBootLoaderText(own: OwnBootLoaderInfo | undefined): string {
	if (!own) return "";
	const { version, config, firstStage, secondStage } = own;
	const rows = [["  First stage", `${firstStage.length} bytes, CRC-32 ${hex(firstStage.crc)}`]];
	if (config) {
		const where = secondStage ? `, ${secondStage.state} at ${hex(secondStage.offset)} of this file` : "";
		const stage = `${config.stageLength} bytes, CRC-32 ${hex(config.stageCRC)}${where}`;
		const { record, applicationEnd, previous, previousEnd, filesystem, filesystemEnd, stages } = config;
		const previousText = previous === 0 ? "no place for it" : `${hex(previous)} to ${hex(previousEnd)}`;
		rows.push(
			["  Second stage", stage],
			["  Copies of it", `${hex(stages)}, ${hex(stages + SECTOR)}`],
			["  Record", hex(record)],
			["  Application", `${hex(SECTOR)} to ${hex(applicationEnd)}`],
			["  The one before", previousText],
			["  Filesystem", `${hex(filesystem)} to ${hex(filesystemEnd)}`],
			["  Flash", sizeText(config.flashSize)],
		);
	}
	return `\nThe boot loader is our own, its configuration of version ${version}:\n${table(rows)}`;
}

function hex(value: number): string {
	return `0x${value.toString(16)}`;
}
