/**
 * Which images the board went back from, so that it does not take them again from a server. Kept in flash, in the
 * two sectors of the boot choice, behind its records. SPEC.md draws it. The sector of the choice that stays takes the
 * note of a new image before the other one is erased for it; that it was refused is a cleared byte.
 */
import type { Flash } from "embedded:storage/flash";
import type { ImageIdentity } from "../boot";
import { readText, VERSION_LENGTH, writeText } from "../descriptor";
import { crc32 } from "../eboot";
import { putHex, toHex } from "../hex";
import { SECTOR } from "../image";

const NOTE_DISTANCE = 256;
const NOTES_MAX = SECTOR / NOTE_DISTANCE - 1;
/** Of those that are kept over the erase of their sector. */
const KEPT_MAX = 4;

/** "OTAN", little-endian. */
const MAGIC = 0x4e41544f;
const FORMAT = 1;
const REFUSED_OFFSET = 5;
const SEQUENCE_OFFSET = 8;
const MD5_OFFSET = 12;
const MD5_LENGTH = 16;
const VERSION_OFFSET = 28;
const TAG_OFFSET = 60;
const TAG_LENGTH = 80;
const CRC_OFFSET = 140;
const NOTE_LENGTH = 144;

/** Which image a note is of. */
interface Note extends ImageIdentity {
	/** The sequence that it was chosen with. */
	sequence: number;
	refused: boolean;
}

export class RefusedImages {
	private readonly flash: Flash;
	private readonly bytes = new Uint8Array(NOTE_LENGTH);
	private readonly view = new DataView(this.bytes.buffer);

	/** The partition of the boot choice. What is thrown here is what the flash throws. */
	constructor(flash: Flash) {
		this.flash = flash;
	}

	/**
	 * Notes a new image in the sector `kept`, and what was refused by the one that is to be erased. False where there is
	 * no room; then nothing is remembered.
	 */
	note(kept: number, erased: number, image: ImageIdentity, sequence: number): boolean {
		let count = 0;
		for (let i = NOTES_MAX; i > 0 && count < KEPT_MAX; i--) {
			if (!this.read(erased, i)?.refused) continue;
			if (!this.append(kept)) return false;
			count += 1;
		}
		this.encode(image, sequence);
		return this.append(kept);
	}

	/** The image that was chosen with this sequence is not taken again. */
	refuse(sequence: number): void {
		const place = this.find((note) => note.sequence === sequence && !note.refused);
		if (place) this.flash.write(new Uint8Array(1), place + REFUSED_OFFSET);
	}

	/** The image that was chosen with this sequence is good, whatever was said of it. */
	accept(sequence: number): void {
		let md5 = "";
		this.find((note) => {
			if (note.sequence === sequence && !note.refused) md5 = note.md5;
			return false;
		});
		for (;;) {
			const place = this.find((note) => note.refused && note.md5 === md5);
			if (!place) return;
			this.flash.write(new Uint8Array(4), place);
		}
	}

	/** By its MD5 where that is known, else by its ETag, else by its version. */
	has({ md5, tag, version }: ImageIdentity): boolean {
		return (
			this.find((note) => {
				if (!note.refused) return false;
				if (md5 !== "" && note.md5 !== "") return md5 === note.md5;
				if (tag !== "" && note.tag !== "") return tag === note.tag;
				return version !== "" && version === note.version;
			}) > 0
		);
	}

	/** The flash offset of the first note that is the one; 0 where none is. */
	private find(isIt: (note: Note) => boolean): number {
		for (let sector = 0; sector < 2; sector++) {
			for (let i = 1; i <= NOTES_MAX; i++) {
				const note = this.read(sector, i);
				if (note && isIt(note)) return placeOf(sector, i);
			}
		}
		return 0;
	}

	/** Writes what was read or encoded last to the first place of a sector that is free. */
	private append(sector: number): boolean {
		const first = new Uint8Array(4);
		for (let i = 1; i <= NOTES_MAX; i++) {
			this.flash.read(first, placeOf(sector, i));
			if (first.some((byte) => byte !== 0xff)) continue;
			this.flash.write(this.bytes, placeOf(sector, i));
			return true;
		}
		return false;
	}

	private encode({ md5, version, tag }: ImageIdentity, sequence: number): void {
		this.bytes.fill(0);
		this.view.setUint32(0, MAGIC, true);
		this.bytes[4] = FORMAT;
		this.bytes[REFUSED_OFFSET] = 0xff;
		this.view.setUint32(SEQUENCE_OFFSET, sequence, true);
		putHex(this.bytes, MD5_OFFSET, md5);
		writeText(this.view, VERSION_OFFSET, VERSION_LENGTH, version);
		// One that does not fit is none.
		writeText(this.view, TAG_OFFSET, TAG_LENGTH, tag.length > TAG_LENGTH ? "" : tag);
		this.view.setUint32(CRC_OFFSET, crc32(this.bytes, CRC_OFFSET), true);
	}

	/** The note at a place, which stays in the buffer; undefined where there is none, or a torn one. */
	private read(sector: number, index: number): Note | undefined {
		const bytes = this.bytes;
		const view = this.view;
		this.flash.read(bytes, placeOf(sector, index));
		if (view.getUint32(0, true) !== MAGIC || bytes[4] !== FORMAT) return undefined;
		const refused = bytes[REFUSED_OFFSET];
		// Written later than the CRC.
		bytes[REFUSED_OFFSET] = 0xff;
		const isWhole = view.getUint32(CRC_OFFSET, true) === crc32(bytes, CRC_OFFSET);
		bytes[REFUSED_OFFSET] = refused ?? 0xff;
		if (!isWhole) return undefined;
		return {
			sequence: view.getUint32(SEQUENCE_OFFSET, true),
			refused: refused !== 0xff,
			md5: toHex(bytes.buffer.slice(MD5_OFFSET, MD5_OFFSET + MD5_LENGTH)),
			version: readText(view, VERSION_OFFSET, VERSION_LENGTH),
			tag: readText(view, TAG_OFFSET, TAG_LENGTH),
		};
	}
}

function placeOf(sector: number, index: number): number {
	return sector * SECTOR + index * NOTE_DISTANCE;
}
