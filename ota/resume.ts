/**
 * What has come of an update so far, kept in flash over a restart and a power cut, so that a download is taken up
 * again where it broke. SPEC.md draws it. It lies in the one sector of the firmware's staging area that
 * only an update which fills the whole area does not leave free: the first one, or the last one where a firmware is
 * staged from the start. `sector` is that one's number. Its progress is told by clearing a bit a sector, without
 * an erase.
 */
import flash from "embedded:storage/flash";
import { Digest } from "crypt";
import { readText, writeText } from "./descriptor";
import { crc32 } from "./eboot";
import { putHex, toHex } from "./hex";
import { SECTOR } from "./image";
import { kindOf, placeOf, type UpdateKind } from "./kind";

/** "OTAR", little-endian. */
const MAGIC = 0x5241544f;
const FORMAT = 1;
const HEADER_LENGTH = 128;
const MODE_OFFSET = 7;
const MODE_UNKNOWN = 0xff;
const MD5_OFFSET = 12;
const SOURCE_OFFSET = 28;
const DIGEST_LENGTH = 16;
const TAG_OFFSET = 44;
const TAG_LENGTH = 80;
const CRC_OFFSET = HEADER_LENGTH - 4;
/** Bits of the progress that are read at once. */
const BITMAP_PIECE = 64;

/** What an update is, and that it is the same one when it goes on. */
export interface Resumable {
	kind: UpdateKind;
	/** Bytes of the whole update. */
	byteLength: number;
	/** Its MD5, 32 lower-case hexadecimal digits, or empty where the server tells none. */
	md5: string;
	/** Where it comes from. */
	source: string;
	/** The server's ETag, or empty. */
	tag: string;
}

/** How much of it is staged, a multiple of a sector, and the flash mode that its header was sent with. */
export interface Staged {
	byteLength: number;
	flashMode: number | undefined;
}

/**
 * Whether there is room for the record beside the update, which is staged in the same place or not, and something that
 * tells it from another one.
 */
export function isResumable({ byteLength, md5, tag }: Resumable, isStaged: boolean): boolean {
	const partition = flash.open({ path: placeOf("firmware").staging, mode: "r" });
	const { size } = partition.status();
	partition.close();
	const taken = isStaged ? Math.ceil(byteLength / SECTOR) * SECTOR : 0;
	return size >= taken + SECTOR && (md5 !== "" || tag !== "") && tag.length <= TAG_LENGTH;
}

/** Keeps that this update has begun, and nothing of it is staged yet. */
export function beginResume(update: Resumable, sector = 0): void {
	const partition = flash.open({ path: placeOf("firmware").staging });
	partition.eraseBlock(sector);
	partition.write(encode(update), sector * SECTOR);
	partition.close();
}

/** Keeps that `count` sectors are staged and verified; with the first the flash mode that was sent. */
export function markResume(count: number, flashMode: number | undefined, sector = 0): void {
	const partition = flash.open({ path: placeOf("firmware").staging });
	const byte = new Uint8Array(1);
	if (count === 1 && flashMode !== undefined) {
		byte[0] = flashMode;
		partition.write(byte, sector * SECTOR + MODE_OFFSET);
	}
	byte[0] = 0xff << (((count - 1) & 7) + 1);
	partition.write(byte, sector * SECTOR + HEADER_LENGTH + ((count - 1) >> 3));
	partition.close();
}

/** Forgets it. Without an erase: whoever begins has no time to lose. */
export function clearResume(sector = 0): void {
	const partition = flash.open({ path: placeOf("firmware").staging });
	const magic = new DataView(partition.read(4, sector * SECTOR));
	if (magic.getUint32(0, true) === MAGIC) partition.write(new Uint8Array(4), sector * SECTOR);
	partition.close();
}

/** How much of this very update is staged; undefined where nothing is, or it is another one. */
export function readResume(
	source: string,
	kind: UpdateKind,
	sector = 0,
): (Resumable & { staged: Staged }) | undefined {
	const partition = flash.open({ path: placeOf("firmware").staging, mode: "r" });
	try {
		const record = sector * SECTOR;
		const header = new Uint8Array(partition.read(HEADER_LENGTH, record));
		const found = decode(header);
		if (!found || found.kind !== kind || found.source !== sourceDigest(source)) return undefined;
		// All but the last byte: a server has no part for whom has all.
		const sectors = ((found.byteLength - 1) / SECTOR) | 0;
		let count = 0;
		for (let at = 0; count === 8 * at && count < sectors; at += BITMAP_PIECE) {
			const bits = new Uint8Array(partition.read(BITMAP_PIECE, record + HEADER_LENGTH + at));
			for (let i = 0; i < bits.length && count === 8 * (at + i); i++) count += cleared(bits[i] ?? 0xff);
		}
		const byteLength = Math.min(count, sectors) * SECTOR;
		const mode = header[MODE_OFFSET] ?? MODE_UNKNOWN;
		const staged = { byteLength, flashMode: mode === MODE_UNKNOWN ? undefined : mode };
		return byteLength > 0 ? { ...found, source, staged } : undefined;
	} finally {
		partition.close();
	}
}

/** Bits that are cleared, from the lowest one on. */
function cleared(byte: number): number {
	let count = 0;
	while (count < 8 && (byte & (1 << count)) === 0) count += 1;
	return count;
}

function sourceDigest(source: string): string {
	const digest = new Digest("MD5");
	digest.write(source);
	return toHex(digest.close());
}

function encode({ kind, byteLength, md5, source, tag }: Resumable): Uint8Array {
	const bytes = new Uint8Array(HEADER_LENGTH);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, MAGIC, true);
	bytes[4] = FORMAT;
	bytes[5] = placeOf(kind).command;
	bytes[MODE_OFFSET] = MODE_UNKNOWN;
	view.setUint32(8, byteLength, true);
	putHex(bytes, MD5_OFFSET, md5);
	putHex(bytes, SOURCE_OFFSET, sourceDigest(source));
	writeText(view, TAG_OFFSET, TAG_LENGTH, tag);
	view.setUint32(CRC_OFFSET, crc32(bytes, CRC_OFFSET), true);
	return bytes;
}

function decode(header: Uint8Array): Resumable | undefined {
	const bytes = header.slice();
	const view = new DataView(bytes.buffer);
	// Written later than the CRC.
	bytes[MODE_OFFSET] = MODE_UNKNOWN;
	const kind = kindOf(view.getUint8(5));
	if (view.getUint32(0, true) !== MAGIC || bytes[4] !== FORMAT || !kind) return undefined;
	if (view.getUint32(CRC_OFFSET, true) !== crc32(bytes, CRC_OFFSET)) return undefined;
	const md5 = toHex(bytes.buffer.slice(MD5_OFFSET, MD5_OFFSET + DIGEST_LENGTH));
	return {
		kind,
		byteLength: view.getUint32(8, true),
		md5: md5 === "0".repeat(2 * DIGEST_LENGTH) ? "" : md5,
		source: toHex(bytes.buffer.slice(SOURCE_OFFSET, SOURCE_OFFSET + DIGEST_LENGTH)),
		tag: readText(view, TAG_OFFSET, TAG_LENGTH),
	};
}
