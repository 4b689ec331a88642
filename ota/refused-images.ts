/**
 * Which images the board went back from, so that it does not take them again from a server. Kept in flash, beside the
 * boot choice, of which each new image has a note. SPEC.md draws it. That an image was refused is a cleared byte.
 */
import type { Flash } from "embedded:storage/flash";
import type { ImageIdentity } from "./boot";
import { readText, VERSION_LENGTH, writeText } from "./descriptor";
import { crc32 } from "./eboot";
import { putHex, toHex } from "./hex";
import { SECTOR } from "./image";

const NOTE_DISTANCE = 256;

/** Where a boot choice has places for notes, each of 256 bytes: so many in each of its sectors, from an offset on. */
export interface NotePlaces {
	readonly offset: number;
	readonly count: number;
	readonly sectors: number;
	/** Of those that were refused so many are kept over the erase of their sector. */
	readonly kept: number;
}

/** In the two sectors of otadata, behind their records: the sector that stays takes what is to be kept of the other. */
export const OTADATA_NOTES: NotePlaces = Object.freeze({ offset: 256, count: 15, sectors: 2, kept: 4 });
/** In the one sector of our boot loader's record, the newest first: what is kept goes through memory. */
export const RECORD_NOTES: NotePlaces = Object.freeze({ offset: 0x200, count: 4, sectors: 1, kept: 3 });

/** "OTN1", little-endian: the format's version is its last digit. */
const MAGIC = 0x314e544f;
const REFUSED_OFFSET = 4;
const SEQUENCE_OFFSET = 8;
const MD5_OFFSET = 12;
const MD5_LENGTH = 16;
const VERSION_OFFSET = 28;
const TAG_OFFSET = 60;
const TAG_LENGTH = 80;
const CRC_OFFSET = 140;
const NOTE_LENGTH = 144;

export class RefusedImages {
	private readonly flash: Flash;
	private readonly places: NotePlaces;
	private readonly bytes = new Uint8Array(NOTE_LENGTH);
	private readonly view = new DataView(this.bytes.buffer);

	/** The partition of the boot choice. What is thrown here is what the flash throws. */
	constructor(flash: Flash, places: NotePlaces) {
		this.flash = flash;
		this.places = places;
	}

	/** Whether a sector takes the note of a new image, and what is kept of the other one. */
	hasRoom(sector: number): boolean {
		return this.free(sector, this.places.kept) >= 0;
	}

	/** Keeps in one sector what was refused by the notes of the other one, which is to be erased. */
	carry(kept: number, erased: number): void {
		const { count } = this.places;
		const end = (erased + 1) * count;
		let older = -this.places.kept;
		for (let i = erased * count; i < end; i++) if (this.load(i) && this.refused) older += 1;
		// The oldest first, as they are counted here the next time.
		for (let i = erased * count; i < end; i++) {
			if (!this.load(i) || !this.refused) continue;
			if (older <= 0) this.append(kept);
			older -= 1;
		}
	}

	/** The notes of what was refused, one behind the other, the first places first: for `put`, when all was erased. */
	collect(): Uint8Array {
		let count = 0;
		for (let i = 0; i < this.end; i++) if (this.load(i) && this.refused) count += 1;
		const notes = new Uint8Array(Math.min(count, this.places.kept) * NOTE_LENGTH);
		for (let i = 0, at = 0; i < this.end && at < notes.length; i++) {
			if (!this.load(i) || !this.refused) continue;
			notes.set(this.bytes, at);
			at += NOTE_LENGTH;
		}
		return notes;
	}

	/** Writes what `collect` gave to a sector, behind what it has. */
	put(notes: Uint8Array, sector: number): void {
		for (let at = 0; at < notes.length; at += NOTE_LENGTH) {
			this.bytes.set(notes.subarray(at, at + NOTE_LENGTH));
			this.append(sector);
		}
	}

	/** Makes the note of a new image, which `append` then writes: in steps, since each call deep in the stack takes of it. */
	describe({ md5, version, tag }: ImageIdentity, sequence: number): void {
		this.bytes.fill(0);
		this.view.setUint32(SEQUENCE_OFFSET, sequence, true);
		putHex(this.bytes, MD5_OFFSET, md5);
		writeText(this.view, VERSION_OFFSET, VERSION_LENGTH, version);
		// One that does not fit is none.
		writeText(this.view, TAG_OFFSET, TAG_LENGTH, tag.length > TAG_LENGTH ? "" : tag);
		this.seal();
	}

	/** Writes the note to a sector, where it has room. */
	append(sector: number): void {
		const place = this.free(sector, 0);
		if (place >= 0) this.flash.write(this.bytes, this.placeOf(place));
	}

	/** The image that was chosen with this sequence is not taken again. */
	refuse(sequence: number): void {
		let last = -1;
		// One before it was taken back, before it could run.
		for (let i = 0; i < this.end; i++) {
			if (this.load(i) && !this.refused && this.sequence === sequence) last = i;
		}
		if (last >= 0) this.flash.write(new Uint8Array(1), this.placeOf(last) + REFUSED_OFFSET);
	}

	/** The image that was chosen with this sequence is good, whatever was said of it. */
	accept(sequence: number): void {
		let md5 = "";
		for (let i = 0; i < this.end; i++) {
			if (this.load(i) && !this.refused && this.sequence === sequence) md5 = this.md5;
		}
		for (let i = 0; i < this.end; i++) {
			if (this.load(i) && this.refused && this.md5 === md5)
				this.flash.write(new Uint8Array(4), this.placeOf(i));
		}
	}

	/** What is known of the image that was chosen with this sequence, refused or not; undefined where it has no note. */
	identity(sequence: number): ImageIdentity | undefined {
		for (let i = 0; i < this.end; i++) {
			if (!this.load(i) || this.sequence !== sequence) continue;
			const version = readText(this.view, VERSION_OFFSET, VERSION_LENGTH);
			return { md5: this.md5, version, tag: readText(this.view, TAG_OFFSET, TAG_LENGTH) };
		}
		return undefined;
	}

	/** By its MD5 where that is known, else by its ETag, else by its version. */
	has(image: ImageIdentity): boolean {
		for (let i = 0; i < this.end; i++) if (this.load(i) && this.refused && this.is(image)) return true;
		return false;
	}

	private is({ md5, tag, version }: ImageIdentity): boolean {
		if (md5 !== "") return md5 === this.md5;
		const known = readText(this.view, TAG_OFFSET, TAG_LENGTH);
		if (tag !== "" && known !== "") return tag === known;
		return version !== "" && version === readText(this.view, VERSION_OFFSET, VERSION_LENGTH);
	}

	private get refused(): boolean {
		return this.bytes[REFUSED_OFFSET] !== 0xff;
	}

	private get sequence(): number {
		return this.view.getUint32(SEQUENCE_OFFSET, true);
	}

	private get md5(): string {
		return toHex(this.bytes.buffer.slice(MD5_OFFSET, MD5_OFFSET + MD5_LENGTH));
	}

	/** The first free place of a sector that has `more` behind it; -1 where there is none. */
	private free(sector: number, more: number): number {
		const first = new Uint8Array(1);
		const { count } = this.places;
		const end = (sector + 1) * count;
		for (let i = sector * count; i + more < end; i++) {
			this.flash.read(first, this.placeOf(i));
			if (first[0] === 0xff) return i;
		}
		return -1;
	}

	private seal(): void {
		this.view.setUint32(0, MAGIC, true);
		this.bytes[REFUSED_OFFSET] = 0xff;
		this.view.setUint32(CRC_OFFSET, crc32(this.bytes, CRC_OFFSET), true);
	}

	/** Takes the note at a place into the buffer; false where there is none, or a torn one. */
	private load(place: number): boolean {
		this.flash.read(this.bytes, this.placeOf(place));
		return this.view.getUint32(0, true) === MAGIC && this.isWhole();
	}

	private isWhole(): boolean {
		const { bytes } = this;
		const refused = bytes[REFUSED_OFFSET] ?? 0xff;
		// Written later than the CRC.
		bytes[REFUSED_OFFSET] = 0xff;
		const crc = crc32(bytes, CRC_OFFSET);
		bytes[REFUSED_OFFSET] = refused;
		return crc === this.view.getUint32(CRC_OFFSET, true);
	}

	/** Behind the last place. */
	private get end(): number {
		return this.places.count * this.places.sectors;
	}

	/** The offset of a place: those of the first sector come first. */
	private placeOf(place: number): number {
		const { offset, count } = this.places;
		return Math.floor(place / count) * SECTOR + offset + (place % count) * NOTE_DISTANCE;
	}
}
