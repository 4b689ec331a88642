/** What `ota8266 info` prints: the facts as two columns, the segments of each image below it. */

import { claimRows, sizeText } from "./claims-text";
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
	return table(rows) + partText("Boot loader", bootLoader) + partText("Application", application);
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

function hex(value: number): string {
	return `0x${value.toString(16)}`;
}
