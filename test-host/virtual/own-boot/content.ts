/** What is staged: read, inflated, and looked at before the first erase (boot/content.c). */
import { crc32 } from "node:zlib";
import { SECTOR } from "../../../ota/image";
import type { RomFlash } from "../rom-flash";
import { Gzip } from "./gzip";
import type { ImageReader } from "./image";
import { type From, type Job, Result } from "./job";
import { FLASH_MAX } from "./numbers";
import type { Sector } from "./sector";

/** Is given each sector of a result that is written, in the loader's sector; false ends it. */
export type Visit = (job: Job, offset: number) => boolean;

const bits = new Uint32Array(1);
const bitsBytes = new Uint8Array(bits.buffer);

export class Content {
	readonly gzip: Gzip;
	readonly #flash: RomFlash;
	readonly #sector: Sector;
	readonly #image: ImageReader;
	#crc = 0;

	constructor(flash: RomFlash, sector: Sector, image: ImageReader) {
		this.gzip = new Gzip(flash);
		this.#flash = flash;
		this.#sector = sector;
		this.#image = image;
	}

	/** OK, GZIP_DATA, or WRITE where the visit ended it. */
	each(job: Job, from: From, visit: Visit): Result {
		const isInflated = job.isGzip && from !== "destination";
		if (job.length > FLASH_MAX) return Result.GZIP_DATA;
		let offset = job.first;
		if (isInflated) {
			this.gzip.open(job.source, job.size);
			offset = 0;
		}
		for (; offset < job.length; offset += SECTOR) {
			if (!this.#read(job, from, offset, isInflated)) return Result.GZIP_DATA;
			if (offset >= job.first && !visit(job, offset)) return Result.WRITE;
		}
		return isInflated ? this.gzip.close() : Result.OK;
	}

	/** Reads the whole result: OK where it is what it should be, and its CRC is then known. */
	check(job: Job, from: From): Result {
		this.#image.begin();
		this.#crc = 0;
		const result = this.each(job, from, this.#look);
		if (result !== Result.OK) return result;
		if (job.isImage && this.#image.length === 0) return Result.IMAGE;
		if (job.isCRCKnown && this.#crc !== job.crc) return Result.OTHER;
		job.crc = this.#crc;
		job.isCRCKnown = true;
		return Result.OK;
	}

	readonly #look: Visit = (job, offset) => {
		const { bytes, words } = this.#sector;
		const length = Math.min(job.length - offset, SECTOR);
		this.#crc = crc32(length === SECTOR ? bytes : bytes.subarray(0, length), this.#crc);
		this.#image.read(words, length >> 2);
		return true;
	};

	/** Fills the sector with a part of the result, FF behind its end. In order, from the start on, of a gzip. */
	#read(job: Job, from: From, offset: number, isInflated: boolean): boolean {
		const { bytes } = this.#sector;
		const length = Math.min(job.length - offset, SECTOR);
		if (isInflated) {
			if (this.gzip.inflate(bytes, length) !== Result.OK) return false;
		} else {
			const isThere = from === "destination" || (from === "both" && this.#isInPlace(job, offset));
			this.#sector.read((offset + (isThere ? job.destination : job.source)) >>> 0);
		}
		if (length < SECTOR) bytes.fill(0xff, length);
		return true;
	}

	#isInPlace(job: Job, offset: number): boolean {
		const i = offset / SECTOR;
		this.#flash.readInto(job.progress + 4 * (i >> 5), bitsBytes);
		return (((bits[0] ?? 0) >>> (i & 31)) & 1) === 0;
	}
}
