/** An image that may be sent: read once, found whole, and known by its digests from then on. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import {
	APPLICATION_OFFSET,
	HEADER_LENGTH,
	isMapped,
	MAP_START,
	SEGMENT_HEADER_LENGTH,
} from "../../ota/image";
import type { UpdateKind } from "../../ota/kind";
import { readMember } from "../image/gzip";
import { trailerLength } from "../image/signature";
import { type ImageInfo, imageInfo } from "../image-info";
import type { ImageName } from "./image-name";
import { stampOf } from "./stamp";

/** The largest flash that an ESP8266 maps, and a signature of 4096 bits with its length. */
export const IMAGE_LENGTH_MAX = 0x1000000 + 516;
/** The modes that a device may have put into the header for its own flash: QIO, QOUT, DIO, DOUT. */
const FLASH_MODES = [0, 1, 2, 3];
const FLASH_MODE_OFFSET = 2;
/** A file in the place of a symbolic link since it was looked at; a pipe that nobody writes to. */
export const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What only a firmware has. */
export interface FirmwareFacts {
	/** Bytes of flash that its header asks for; 0 is unknown. */
	flashSize: number;
	/** Bytes that it takes in its place, uncompressed and without a signature. */
	length: number;
	/** Where in its MiB of flash it is linked to lie, an image for a slot; undefined for a firmware with a boot loader. */
	slot?: number | undefined;
	/** x-ESP8266-sketch-md5 of a device that runs it: one for each flash mode, which the device may have changed. */
	runningMD5s: ReadonlySet<string>;
}

export interface Image extends ImageName {
	/** Where it lies, without symbolic links. */
	path: string;
	stamp: string;
	/** Bytes. */
	size: number;
	/** Of the file, hexadecimal. */
	md5: string;
	firmware?: FirmwareFacts | undefined;
}

/** An image, or what is wrong with the file. `stamp` is that of the content that was looked at. */
export type Examination = { stamp: string; image: Image } | { stamp: string; fault: string };

/** Reads the file at `path` and says what it is. Throws where it cannot be read at all. */
export async function examine(path: string, name: ImageName): Promise<Examination> {
	const handle = await open(path, OPEN_FLAGS);
	try {
		const stats = await handle.stat({ bigint: true });
		const stamp = stampOf(stats);
		if (!stats.isFile()) return { stamp, fault: "no file" };
		if (stats.size > IMAGE_LENGTH_MAX) return { stamp, fault: `${stats.size} bytes fit no flash` };
		const bytes = await readAll(handle, Number(stats.size));
		if (bytes === undefined || stampOf(await handle.stat({ bigint: true })) !== stamp) {
			return { stamp: "", fault: "changed while it was read" };
		}
		const found = examineBytes(bytes, name);
		if ("fault" in found) return { stamp, fault: found.fault };
		return { stamp, image: { ...name, path, stamp, ...found } };
	} finally {
		await handle.close();
	}
}

/** So many bytes, or undefined where there are fewer. */
async function readAll(handle: FileHandle, length: number): Promise<Uint8Array | undefined> {
	const bytes = Buffer.allocUnsafe(length);
	for (let position = 0; position < length; ) {
		const { bytesRead } = await handle.read(bytes, position, length - position, position);
		if (bytesRead === 0) return undefined;
		position += bytesRead;
	}
	return bytes;
}

/** What the content of a file says about an image of this name, or what is wrong with it. */
export function examineBytes(
	bytes: Uint8Array,
	name: ImageName,
): Pick<Image, "size" | "md5" | "firmware"> | { fault: string } {
	if (bytes.length === 0) return { fault: "the file is empty" };
	const info = imageInfo(bytes);
	const { size, md5 } = info;
	const fault = nameFault(info, name) ?? contentFault(info, name.kind);
	if (fault !== undefined) return { fault };
	return { size, md5, ...(name.kind === "firmware" && { firmware: firmwareFacts(bytes, info) }) };
}

function contentFault(info: ImageInfo, kind: UpdateKind): string | undefined {
	// A filesystem has no checksum of its own; but what was compressed has.
	if (kind === "filesystem") {
		const { gzip } = info;
		return gzip && (gzip.crc === "wrong" || gzip.members > 1) ? "gzip damaged" : undefined;
	}
	if (info.faults.length > 0) return info.faults.join("; ");
	const isForSlot = info.kind === "single image" && slotOf(info) !== undefined;
	return info.kind === "firmware" || isForSlot ? undefined : `a ${info.kind}, no whole firmware`;
}

/** A device that finds itself running another version than the name promised would update for ever. */
function nameFault(info: ImageInfo, { version, kind, gzip, signed }: ImageName): string | undefined {
	const { descriptor } = info;
	if (gzip !== (info.gzip !== undefined)) return gzip ? "no gzip" : "a gzip, whose name must end with .gz";
	if (kind === "filesystem") return undefined;
	if (descriptor && descriptor.version !== version.text) {
		return `its name says version ${version.text}, the image says ${descriptor.version}`;
	}
	// Only behind a whole firmware does a signature show.
	if (signed && info.faults.length === 0 && !info.signature) return "no signature at its end";
	return undefined;
}

function firmwareFacts(bytes: Uint8Array, info: ImageInfo): FirmwareFacts {
	const { bootLoader, application, signature, gzip } = info;
	const payload = gzip
		? (readMember(bytes).inflated ?? bytes)
		: bytes.subarray(0, bytes.length - (signature ? trailerLength(signature) : 0));
	// The device's digest ends where the application does: it knows nothing of what a packer added behind.
	const end = application ? application.offset + application.size : payload.length;
	const running = Buffer.from(payload.subarray(0, end));
	const runningMD5s = new Set([info.md5, md5Of(running)]);
	for (const mode of FLASH_MODES) {
		running[FLASH_MODE_OFFSET] = mode;
		runningMD5s.add(md5Of(running));
	}
	const { flashSize } = bootLoader ?? application ?? { flashSize: 0 };
	const slot = info.kind === "single image" ? slotOf(info) : undefined;
	return { flashSize, length: payload.length, runningMD5s, ...(slot !== undefined && { slot }) };
}

/** By the address of the first segment, which is mapped from where it lies; behind eboot's sector it is no slot. */
function slotOf({ application }: ImageInfo): number | undefined {
	const address = application?.segments[0]?.address ?? 0;
	const place = address - MAP_START - HEADER_LENGTH - SEGMENT_HEADER_LENGTH;
	return isMapped(address) && place !== APPLICATION_OFFSET ? place : undefined;
}

function md5Of(bytes: Uint8Array): string {
	return createHash("md5").update(bytes).digest("hex");
}
