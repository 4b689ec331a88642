/** What is staged takes the place of what runs, or of a filesystem: boot/install.c. */

import { RecordFlag, type RecordHeader, RecordState } from "../../../ota/boot-record/header";
import { APPLICATION_OFFSET, SECTOR } from "../../../ota/image";
import { copy } from "./copy";
import { type From, type Job, job, Result } from "./job";
import type { Loader } from "./loader";
import { FLASH_MAX, isInside, roundUp } from "./numbers";
import { INSTALLING_PROGRESS } from "./record";
import { isBefore, keep, noteBefore } from "./restore";

type Intention = Pick<RecordHeader, "source" | "destination" | "size" | "length" | "flags" | "crc">;

function jobOf({ config, record }: Loader, header: Intention): Job {
	const { source, destination, size, length, flags } = header;
	const isKnown = (flags & RecordFlag.CRC_UNKNOWN) === 0;
	const { crc, isKnown: isResultKnown } = record.result;
	return job({
		source,
		destination,
		size,
		length,
		isGzip: (flags & RecordFlag.GZIP) !== 0,
		isImage: destination === 0,
		first: destination === 0 ? APPLICATION_OFFSET : 0,
		progress: config.record + INSTALLING_PROGRESS,
		crc: isKnown ? header.crc : crc,
		isCRCKnown: isKnown || isResultKnown,
	});
}

/** Whether sectors of a range are the boot loader's own. */
function meetsOwn({ config }: Loader, start: number, end: number): boolean {
	const { record, stages } = config;
	return (start <= record && record < end) || (start < stages + 2 * SECTOR && stages < end);
}

function checkPlace(loader: Loader, { source, destination, size, isImage }: Job): Result {
	const { flashSize, filesystem, filesystemEnd } = loader.config;
	const staged = roundUp(size);
	if (source % SECTOR !== 0 || destination % SECTOR !== 0) return Result.ALIGNMENT;
	if (
		size < 1 ||
		size > FLASH_MAX ||
		source < APPLICATION_OFFSET ||
		!isInside(source, staged, 0, flashSize) ||
		meetsOwn(loader, source, source + staged)
	)
		return Result.PLACE;
	const isThere = isInside(destination, SECTOR, filesystem, (filesystemEnd - filesystem) >>> 0);
	return isImage || isThere ? Result.OK : Result.PLACE;
}

/** Finds out the result's length, and whether there is room for it; sectors that it shares with its source are told to the job. */
function open(loader: Loader, job: Job): Result {
	const { config, content } = loader;
	const { source, destination, size, isGzip, isImage } = job;
	const start = (destination + job.first) >>> 0;
	job.length = size;
	if (isGzip) {
		if (content.gzip.open(source, size) !== Result.OK) return Result.GZIP_HEADER;
		job.length = content.gzip.length;
	}
	const room = isImage ? config.applicationEnd : (config.filesystemEnd - destination) >>> 0;
	if (job.length > room) return Result.ROOM;
	const end = (destination + roundUp(job.length)) >>> 0;
	if (meetsOwn(loader, start, end)) return Result.ROOM;
	job.overlaps = start < (source + roundUp(size)) >>> 0 && source < end;
	return job.overlaps && (isGzip || destination > source) ? Result.ROOM : Result.OK;
}

/** Takes eboot's command: OK, or why nothing was changed, or WRITE. */
export function take(loader: Loader, command: { source: number; destination: number; size: number }): Result {
	const { content, record } = loader;
	const taken = jobOf(loader, { ...command, length: 0, flags: 0, crc: 0 });
	let result = checkPlace(loader, taken);
	if (result !== Result.OK) return result;
	taken.isCRCKnown = false;
	taken.isGzip = content.gzip.isAt(taken.source);
	result = open(loader, taken);
	if (result === Result.OK) result = content.check(taken, "source");
	if (result !== Result.OK) return result;
	const flags = taken.isGzip ? RecordFlag.GZIP : 0;
	const isWritten = record.write({ ...command, flags, length: taken.length, crc: taken.crc });
	return isWritten ? install(loader, true) : Result.WRITE;
}

function begin(loader: Loader, job: Job, isRead: boolean): Result {
	const { config, content, record } = loader;
	const staged = (job.source + roundUp(job.size)) >>> 0;
	let result = checkPlace(loader, job);
	if (result === Result.OK) result = open(loader, job);
	if (result === Result.OK && job.length !== record.header.length) result = Result.OTHER;
	if (result === Result.OK && !isRead) result = content.check(job, "source");
	if (result !== Result.OK) {
		record.set(RecordState.REFUSED);
		return result;
	}
	if (job.isImage) {
		noteBefore(loader);
		if (job.source >= config.previousEnd || staged <= config.previous) keep(loader);
	}
	if (record.header.flags & RecordFlag.CRC_UNKNOWN) record.noteResult(job.crc);
	record.set(RecordState.BEGUN);
	return Result.OK;
}

/** From where it can go on, or what is wrong. */
function takeUp(loader: Loader, job: Job): From | Result {
	const { content, record } = loader;
	let result = open(loader, job);
	if (result === Result.OK && !job.isGzip && content.check(job, "both") === Result.OK) return "both";
	if (result === Result.OK) result = content.check(job, "source");
	if (result === Result.OK) return "source";
	// What is staged was harmed since. What is in its place may be all of the new, or still the one before.
	job.length = record.header.length;
	if (job.isCRCKnown && content.check(job, "destination") === Result.OK) return "destination";
	if (!job.isImage || isBefore(loader)) record.set(RecordState.REFUSED);
	else if (record.is(RecordState.KEPT)) record.set(RecordState.RESTORE);
	return result;
}

/** Carries out the record, from where it was interrupted; `isRead`: what is staged was just found to be good. OK, or what is wrong. */
export function install(loader: Loader, isRead: boolean): Result {
	const { record } = loader;
	const intended = jobOf(loader, record.header);
	let from: From = "source";
	if (record.is(RecordState.BEGUN)) {
		const found = takeUp(loader, intended);
		if (typeof found === "number") return found;
		from = found;
	} else {
		const result = begin(loader, intended, isRead);
		if (result !== Result.OK) return result;
	}
	const result = copy(loader, intended, from);
	if (result === Result.OK) record.set(RecordState.INSTALLED);
	return result;
}

/** Whether the application that was to be installed is in its place, as far as its CRC is known. */
export function isResult(loader: Loader): boolean {
	const intended = jobOf(loader, loader.record.header);
	const isKnown = intended.length > 0 && intended.destination === 0 && intended.isCRCKnown;
	intended.isImage = false;
	return isKnown && loader.content.check(intended, "destination") === Result.OK;
}
