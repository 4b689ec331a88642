/** What an image file is, and whether it is whole: the checks of the device, and those that it has no time for. */
import { createHash } from "node:crypto";
import type { Claims } from "../ota/claims";
import { DESCRIPTOR_OFFSET, DESCRIPTOR_PLACE, type Descriptor, readDescriptor } from "../ota/descriptor";
import { APPLICATION_OFFSET, ApplicationScanner, bootImageFault, SECTOR } from "../ota/image";
import { claimsOf } from "./image/claims";
import { isGzip, readMember } from "./image/gzip";
import { type OwnBootLoaderInfo, ownBootLoaderIn } from "./image/own-boot-info";
import { type PackerWords, readPackerWords } from "./image/packer";
import { type ImagePart, readPart } from "./image/part";
import { type Signature, signatureAtEnd, trailerLength } from "./image/signature";

/** The first byte of esptool's images of version 2, which only Espressif's own boot loader starts. */
const MAGIC_VERSION_2 = 0xea;
const NOT_AN_IMAGE = "not an image for the ESP8266";

export interface ImageContent {
	/** A firmware is a boot loader and an application; an image of one part may be either. */
	kind: "firmware" | "boot loader" | "single image" | "none";
	bootLoader?: ImagePart | undefined;
	/** Where the boot loader is our own. */
	ownBootLoader?: OwnBootLoaderInfo | undefined;
	application?: ImagePart | undefined;
	/** Length and CRC that the Arduino packer leaves in the application. */
	packerWords: PackerWords;
	/** Name and version, where the application tells them. */
	descriptor?: Descriptor | undefined;
	/** What is wrong, in words; empty when nothing is. */
	faults: string[];
}

export interface GzipInfo {
	/** Bytes of the compressed stream. */
	compressed: number;
	/** Bytes that come out of it. */
	inflated: number;
	crc: "right" | "wrong";
	/** The boot loader inflates the first one only. */
	members: number;
}

export interface ImageInfo extends ImageContent {
	/** Bytes of the file. */
	size: number;
	/** Of the whole file, hexadecimal. */
	md5: string;
	sha256: string;
	gzip?: GzipInfo | undefined;
	signature?: Signature | undefined;
	/** What its maker claims of it, believed or not. */
	claims?: Claims | undefined;
}

/** Looks into the bytes of a file. Never throws: what is wrong is among the faults. */
export function imageInfo(bytes: Uint8Array): ImageInfo {
	const digests = {
		size: bytes.length,
		md5: createHash("md5").update(bytes).digest("hex"),
		sha256: createHash("sha256").update(bytes).digest("hex"),
	};
	const result = isGzip(bytes) ? gzipContent(bytes) : rawContent(bytes);
	const { signature } = result;
	const claims = claimsOf(signature ? bytes.subarray(0, bytes.length - trailerLength(signature)) : bytes);
	return { ...digests, ...result, ...(claims && { claims }) };
}

function rawContent(bytes: Uint8Array): ImageContent & Pick<ImageInfo, "signature"> {
	const signature = signatureAtEnd(bytes);
	if (signature) {
		// Four bytes may look like a length by chance: they are one only behind an image that needs none of them.
		const content = imageContent(bytes.subarray(0, bytes.length - trailerLength(signature)));
		if (content.faults.length === 0) return { ...content, signature };
	}
	return imageContent(bytes);
}

function gzipContent(bytes: Uint8Array): ImageContent & Pick<ImageInfo, "gzip" | "signature"> {
	const { inflated, length, crc, fault } = readMember(bytes);
	const content: ImageContent = inflated
		? imageContent(inflated)
		: { kind: "none", packerWords: "absent", faults: [] };
	if (fault) content.faults.unshift(fault);
	let rest = bytes.subarray(length);
	const signature = signatureAtEnd(rest);
	const signed = signature !== undefined && trailerLength(signature) === rest.length;
	let members = 1;
	while (!signed && isGzip(rest)) {
		members += 1;
		rest = rest.subarray(readMember(rest).length);
	}
	if (members > 1) content.faults.push(`${members} gzip members, the boot loader takes one`);
	// It finds the inflated size in the last four bytes of what it is given.
	else if (!signed && rest.length > 0) content.faults.push(`${rest.length} bytes behind the gzip stream`);
	return {
		...content,
		gzip: { compressed: length, inflated: inflated?.length ?? 0, crc, members },
		...(signed && { signature }),
	};
}

/** What an uncompressed, unsigned image holds. */
function imageContent(bytes: Uint8Array): ImageContent {
	const first = readPart(bytes, 0);
	const application = readPart(bytes, APPLICATION_OFFSET);
	// A good application in its place makes a firmware even where the boot loader's header is damaged.
	if (application?.checksum !== "right") {
		if (!first) return noImage(bytes);
		// A boot loader fits in its sector; what does not is an application alone, as for a partition table.
		if (first.size > SECTOR) {
			const descriptor = descriptorAt(bytes, DESCRIPTOR_PLACE);
			return { ...singlePart("single image", { application: first }), descriptor };
		}
		if (bytes.length <= SECTOR) {
			const ownBootLoader = ownBootLoaderIn(bytes, first, undefined);
			return { ...singlePart("boot loader", { bootLoader: first }), ...(ownBootLoader && { ownBootLoader }) };
		}
	}
	const packerWords = application ? readPackerWords(bytes) : "absent";
	const ownBootLoader = ownBootLoaderIn(bytes, first, application);
	return {
		kind: "firmware",
		bootLoader: first,
		...(ownBootLoader && { ownBootLoader }),
		application,
		packerWords,
		descriptor: descriptorAt(bytes, DESCRIPTOR_OFFSET),
		faults: firmwareFaults(bytes, application, packerWords),
	};
}

function descriptorAt(bytes: Uint8Array, offset: number): Descriptor | undefined {
	return readDescriptor(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset);
}

function noImage(bytes: Uint8Array): ImageContent {
	const version2 = bytes[0] === MAGIC_VERSION_2;
	const fault = version2 ? "an image of version 2, which eboot does not start" : NOT_AN_IMAGE;
	return { kind: "none", packerWords: "absent", faults: [fault] };
}

function singlePart(
	kind: ImageContent["kind"],
	parts: { application: ImagePart } | { bootLoader: ImagePart },
): ImageContent {
	const { checksum } = "application" in parts ? parts.application : parts.bootLoader;
	const fault = checksum === "wrong" ? `${kind} checksum` : `${kind} cut short`;
	return { kind, ...parts, packerWords: "absent", faults: checksum === "right" ? [] : [fault] };
}

/** What the device would refuse, then what only shows here. */
function firmwareFaults(
	bytes: Uint8Array,
	application: ImagePart | undefined,
	packerWords: PackerWords,
): string[] {
	const faults = [bootImageFault(bytes.subarray(0, SECTOR)), applicationFault(bytes)];
	if (application?.checksum === "wrong") faults.push("application checksum");
	if (packerWords === "wrong") faults.push("CRC of the Arduino packer");
	return faults.filter((fault) => fault !== undefined);
}

function applicationFault(bytes: Uint8Array): string | undefined {
	const scanner = new ApplicationScanner();
	for (let offset = 0; offset < bytes.length; offset += SECTOR) {
		const length = Math.min(SECTOR, bytes.length - offset);
		const fault = scanner.write(new DataView(bytes.buffer, bytes.byteOffset + offset, length), length);
		if (fault) return fault;
	}
	return scanner.close();
}
