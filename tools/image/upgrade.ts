/**
 * One file that takes a board from another flash layout to slots: what lies in its flash from 0x1000 on, boot
 * loader, partition table, application, gaps of FF, and a CRC word behind it. The ESP8266_RTOS_SDK calls it
 * `*.v2_to_v3.ota.bin`: an older SDK's updater takes it for an application, and the boot loader that it begins with
 * unpacks it.
 */
import { crc32 } from "node:zlib";
import { APPLICATION_OFFSET, SECTOR } from "../../ota/image";

/** Where what the file begins with belongs: behind the boot loader that the board has. */
export const UPGRADE_OFFSET = APPLICATION_OFFSET;
const EMPTY = 0xff;
/** What the rest of a sector in front is filled with, as in firmware files. */
const BOOT_PADDING = 0xaa;

export interface Piece {
	/** Flash offset. */
	offset: number;
	bytes: Uint8Array;
}

/** The flash from `start` to the end of the last piece. Throws RangeError for pieces that share a sector, or lie before it. */
export function flashFrom(start: number, pieces: readonly Piece[]): Uint8Array {
	const sorted = [...pieces].sort((one, other) => one.offset - other.offset);
	let end = start;
	for (const { offset, bytes } of sorted) {
		if (offset < Math.ceil(end / SECTOR) * SECTOR) throw new RangeError(`what lies at ${offset} overlaps`);
		end = offset + bytes.length;
	}
	const flash = new Uint8Array(end - start).fill(EMPTY);
	for (const { offset, bytes } of sorted) flash.set(bytes, offset - start);
	return flash;
}

/**
 * The file. `inFront` is the image of an eboot, for a board whose updates begin at flash 0. Throws RangeError as
 * flashFrom.
 */
export function packedUpgrade(pieces: readonly Piece[], inFront?: Uint8Array): Uint8Array {
	const flash = flashFrom(UPGRADE_OFFSET, pieces);
	const start = inFront ? UPGRADE_OFFSET : 0;
	const file = new Uint8Array(start + flash.length + 4).fill(BOOT_PADDING, 0, start);
	if (inFront) file.set(inFront);
	file.set(flash, start);
	new DataView(file.buffer).setUint32(start + flash.length, upgradeChecksum(flash), true);
	return file;
}

/** CRC-32 as zlib has it, then inverted where its highest bit is set, else one more. */
export function upgradeChecksum(bytes: Uint8Array): number {
	const crc = crc32(bytes);
	return crc >= 0x80000000 ? ~crc >>> 0 : crc + 1;
}
