/** Something to be brought from one place of the flash to another one, inflated or as it is: boot/boot.h. */

/** The number behind `cp:`. Those below 10 are eboot's. */
export const Result = Object.freeze({
	OK: 0,
	ALIGNMENT: 1,
	WRITE: 4,
	GZIP_HEADER: 5,
	GZIP_DATA: 6,
	/** What eboot answers where it knows no such action. */
	UNKNOWN_ACTION: 9,
	PLACE: 10,
	IMAGE: 11,
	ROOM: 12,
	OTHER: 13,
	NO_STAGE: 14,
} as const);
export type Result = (typeof Result)[keyof typeof Result];

/** Where the sectors of a result are read from; `both`: from their place, where the progress says that they are there. */
export type From = "source" | "both" | "destination";

export interface Job {
	source: number;
	destination: number;
	/** As it lies at the source. */
	size: number;
	/** Of the result. */
	length: number;
	/** Bytes of the result that are not written. */
	first: number;
	/** Flash offset of its progress: a bit a sector, 0 when it is in its place. */
	progress: number;
	/** zlib's CRC-32 of the bytes that are written, where it is known. */
	crc: number;
	isCRCKnown: boolean;
	isGzip: boolean;
	/** The result is an application's image from `first` on. */
	isImage: boolean;
	/** Source and destination have sectors in common. */
	overlaps: boolean;
}

/** One of these, the rest 0 and false. */
export function job(given: Partial<Job>): Job {
	return {
		source: 0,
		destination: 0,
		size: 0,
		length: 0,
		first: 0,
		progress: 0,
		crc: 0,
		isCRCKnown: false,
		isGzip: false,
		isImage: false,
		overlaps: false,
		...given,
	};
}
