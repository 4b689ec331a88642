import type { ImageScanner } from "../boot";
import { ErrorCode, UpdateError } from "../errors";
import {
	CHECKSUM_START,
	fitsMemory,
	IMAGE_MAGIC,
	imageEnd,
	isMapped,
	MAP_LENGTH,
	MAP_START,
	SEGMENTS_MAX,
} from "../image";

/** What the next word of the image is; data is counted. */
const MAGIC = 0;
const ENTRY = 1;
const ADDRESS = 2;
const LENGTH = 3;
const END = 4;

/**
 * Checks an application's image as it streams into a slot, as Espressif's RTOS boot loader does before it boots:
 * magic, segments, checksum; and what that leaves to luck: that what is mapped is linked for where it will be
 * mapped, that the entry is in it, and that memory has room for the segments that the application loads itself.
 */
export class SlotScanner implements ImageScanner {
	/** Flash offset of the image. */
	private readonly address: number;
	private position = 0;
	private expected = MAGIC;
	private segments = 0;
	private segmentsLeft = 0;
	/** Bytes of data of the segment under way. */
	private dataLeft = 0;
	/** Of the words of all data, which folds into that of the bytes. */
	private checksum = 0;
	private entry = 0;
	private entryMapped = false;
	private segmentAddress = 0;
	/** The image's length, known behind the last header. Its last byte is the checksum. */
	private length = 0;
	private stored = -1;

	constructor(address: number) {
		this.address = address;
	}

	/** Whether the image's last byte has come. */
	get isDone(): boolean {
		return this.stored >= 0;
	}

	/** `view`: of all of its buffer. */
	write(view: DataView, length: number): string | undefined {
		const start = this.position;
		this.position += length;
		for (let at = 0; at + 4 <= length && (this.expected !== END || this.dataLeft > 0); ) {
			// The view is not kept: it would keep the sector's memory, which a signature is verified in later.
			if (this.dataLeft > 0) at = this.sum(new Int32Array(view.buffer), at >> 2, length);
			else {
				const fault = this.take(view.getUint32(at, true), start + at);
				if (fault) return fault;
				at += 4;
			}
		}
		const last = this.length - 1 - start;
		if (this.length > 0 && last >= 0 && last < length) this.stored = view.getUint8(last);
		return undefined;
	}

	close(byteLength = this.position): string | undefined {
		if (this.length === 0 || this.length > byteLength || this.stored < 0) return "application cut short";
		if (!this.entryMapped) return "application entry";
		let checksum = this.checksum ^ (this.checksum >>> 16);
		checksum = (checksum ^ (checksum >>> 8) ^ CHECKSUM_START) & 0xff;
		return checksum === this.stored ? undefined : "application checksum";
	}

	/** By words from `i` on: a byte costs as many instructions. Says where the data, or what has come of it, ends. */
	private sum(words: Int32Array, i: number, length: number): number {
		const end = Math.min(i + (this.dataLeft >> 2), length >> 2);
		this.dataLeft -= (end - i) << 2;
		let checksum = this.checksum;
		// Two at a time, since a turn of the loop costs as many again.
		for (; i + 1 < end; i += 2) {
			checksum ^= words[i] ?? 0;
			checksum ^= words[i + 1] ?? 0;
		}
		if (i < end) checksum ^= words[i] ?? 0;
		this.checksum = checksum;
		return end << 2;
	}

	/** The word of a header at `offset` in the file. */
	private take(word: number, offset: number): string | undefined {
		switch (this.expected) {
			case MAGIC:
				this.segmentsLeft = (word >>> 8) & 0xff;
				if ((word & 0xff) !== IMAGE_MAGIC || this.segmentsLeft < 1 || this.segmentsLeft > SEGMENTS_MAX) {
					return "application header";
				}
				this.expected = ENTRY;
				return undefined;
			case ENTRY:
				this.entry = word;
				this.expected = ADDRESS;
				return undefined;
			case ADDRESS:
				this.segmentAddress = word;
				this.expected = LENGTH;
				return undefined;
			default:
				return this.segment(word, offset + 4);
		}
	}

	/** A segment of `length` bytes whose data begins at `offset` in the file. */
	private segment(length: number, offset: number): string | undefined {
		const address = this.segmentAddress;
		if (length % 4 !== 0 || length > MAP_LENGTH) return "application segment";
		if (isMapped(address)) {
			// One MiB of flash is mapped: an image runs where the lower bits of its place are those of its addresses.
			const place = (this.address % MAP_LENGTH) + offset;
			if (address !== MAP_START + place) {
				const linked = address - MAP_START - offset;
				throw new UpdateError(
					ErrorCode.WRONG_SLOT,
					linked.toString(16),
					(this.address % MAP_LENGTH).toString(16),
				);
			}
			if (place + length > MAP_LENGTH) return "application segment";
			if (this.entry >= address && this.entry < address + length) this.entryMapped = true;
		} else if (this.segments === 0 || !fitsMemory(address, length)) return "application segment";
		this.segments += 1;
		this.segmentsLeft -= 1;
		this.dataLeft = length;
		this.expected = this.segmentsLeft > 0 ? ADDRESS : END;
		if (this.segmentsLeft === 0) this.length = imageEnd(offset + length);
		return undefined;
	}
}
