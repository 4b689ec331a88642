/**
 * What the maker of an image claims of it, within what is signed: a version counter, the flash and the board that
 * it is for. SPEC.md, section 6, draws the block. It is the last 64 bytes of a raw payload; of a gzip it is a
 * subfield in the header (RFC 1952, FEXTRA), which every inflater skips.
 */
import { readText, writeText } from "./descriptor";
import { crc32 } from "./eboot";
import { GZIP_MAGIC, GZIP_MAGIC_2 } from "./image";

export const CLAIMS_LENGTH = 64;
/** A raw image is padded with zeros up to the block, so that the device reads whole words. */
export const CLAIMS_ALIGNMENT = 4;
/** Bytes of a board's id, zero-padded ASCII. */
export const BOARD_LENGTH = 32;
/** Nobody looks for the block behind these bytes of a gzip. */
export const GZIP_HEADER_MAX = 128;
/** Identifies the subfield in a gzip's header: `O`, `T`, little-endian. */
export const CLAIMS_SUBFIELD = 0x544f;
/** The flag of a gzip's header (byte 3) that it has subfields, and where their length stands. */
export const GZIP_EXTRA = 4;
export const GZIP_EXTRA_OFFSET = 10;

/** "OTAC", little-endian. */
const MAGIC = 0x4341544f;
const FORMAT = 1;
const BITS_OFFSET = 5;
const COUNTER_OFFSET = 8;
const FLASH_SIZE_OFFSET = 12;
const BOARD_OFFSET = 16;
const CRC_OFFSET = CLAIMS_LENGTH - 4;
/** Which claims are made. */
const COUNTER = 1;
const FLASH_SIZE = 2;
const BOARD = 4;
const UINT32_MAX = 0xffffffff;

/** What is not claimed is undefined. */
export interface Claims {
	/** Grows with what must not be taken back, 0 to 4,294,967,295. */
	versionCounter?: number | undefined;
	/** Bytes of the flash that the image is for. */
	flashSize?: number | undefined;
	/** The board that the image is for, 1 to 32 characters of printable ASCII. */
	board?: string | undefined;
}

/**
 * The claims in `view` at `offset`, or undefined where there are none: not all of a block, another version, or a
 * damaged one. What version 1 leaves 0 is passed over, so that a later one may put there what can be ignored.
 */
export function readClaims(view: DataView, offset: number): Claims | undefined {
	if (offset < 0 || offset + CLAIMS_LENGTH > view.byteLength) return undefined;
	if (view.getUint32(offset, true) !== MAGIC || view.getUint8(offset + 4) !== FORMAT) return undefined;
	const block = new Uint8Array(view.buffer, view.byteOffset + offset, CRC_OFFSET);
	if (crc32(block) !== view.getUint32(offset + CRC_OFFSET, true)) return undefined;
	const bits = view.getUint8(offset + BITS_OFFSET);
	const claims: Claims = {};
	if (bits & COUNTER) claims.versionCounter = view.getUint32(offset + COUNTER_OFFSET, true);
	if (bits & FLASH_SIZE) claims.flashSize = view.getUint32(offset + FLASH_SIZE_OFFSET, true);
	if (bits & BOARD) claims.board = readText(view, offset + BOARD_OFFSET, BOARD_LENGTH);
	return claims;
}

/**
 * Where the block lies in a gzip, whose first bytes `header` has, or undefined. Only a block that ends within the
 * first 128 bytes is found; whether it is whole, `readClaims` tells.
 */
export function findGzipClaims(header: DataView): number | undefined {
	const length = Math.min(header.byteLength, GZIP_HEADER_MAX);
	let offset = GZIP_EXTRA_OFFSET + 2;
	if (length < offset) return undefined;
	if (header.getUint8(0) !== GZIP_MAGIC || header.getUint8(1) !== GZIP_MAGIC_2) return undefined;
	if ((header.getUint8(3) & GZIP_EXTRA) === 0) return undefined;
	const end = Math.min(length, offset + header.getUint16(GZIP_EXTRA_OFFSET, true));
	while (offset + 4 <= end) {
		const id = header.getUint16(offset, true);
		const next = offset + 4 + header.getUint16(offset + 2, true);
		if (id === CLAIMS_SUBFIELD) {
			return next === offset + 4 + CLAIMS_LENGTH && next <= end ? offset + 4 : undefined;
		}
		offset = next;
	}
	return undefined;
}

/** Writes the block, 64 bytes. Throws RangeError for a claim that its field cannot hold. */
export function writeClaims(view: DataView, offset: number, claims: Claims): void {
	const { versionCounter, flashSize, board } = claims;
	for (const number of [versionCounter, flashSize]) {
		if (number === undefined) continue;
		if (!Number.isInteger(number) || number < 0 || number > UINT32_MAX) {
			throw new RangeError("a number from 0 to 4294967295 wanted");
		}
	}
	if (board !== undefined && !isBoardID(board)) {
		throw new RangeError(`1 to ${BOARD_LENGTH} characters of printable ASCII wanted`);
	}
	const made = (claim: unknown, bit: number): number => (claim === undefined ? 0 : bit);
	const bits = made(versionCounter, COUNTER) | made(flashSize, FLASH_SIZE) | made(board, BOARD);
	const block = new Uint8Array(view.buffer, view.byteOffset + offset, CLAIMS_LENGTH);
	block.fill(0);
	view.setUint32(offset, MAGIC, true);
	view.setUint8(offset + 4, FORMAT);
	view.setUint8(offset + BITS_OFFSET, bits);
	view.setUint32(offset + COUNTER_OFFSET, versionCounter ?? 0, true);
	view.setUint32(offset + FLASH_SIZE_OFFSET, flashSize ?? 0, true);
	writeText(view, offset + BOARD_OFFSET, BOARD_LENGTH, board ?? "");
	view.setUint32(offset + CRC_OFFSET, crc32(block, CRC_OFFSET), true);
}

/** Whether a text can be a board's id. */
export function isBoardID(text: string): boolean {
	if (text.length === 0 || text.length > BOARD_LENGTH) return false;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code < 0x20 || code > 0x7e) return false;
	}
	return true;
}
