/** The application before: noted, kept, and brought back (boot/restore.c). */

import { RecordFlag, RecordState } from "../../../ota/boot-record/header";
import { APPLICATION_OFFSET } from "../../../ota/image";
import { printf } from "../uart";
import { copy } from "./copy";
import { type From, type Job, job, Result } from "./job";
import type { Loader } from "./loader";
import { KEEPING_PROGRESS, RESTORING_PROGRESS } from "./record";

function jobBefore({ record, config }: Loader, source: number, destination: number, progress = 0): Job {
	const { length, crc, isKnown } = record.before;
	const place = { source, destination, progress: config.record + progress };
	return job({ ...place, length, crc, isCRCKnown: isKnown, isImage: true });
}

/** Notes what runs, so that it is known again. */
export function noteBefore({ config, image, content, record }: Loader): void {
	const length = image.verify(APPLICATION_OFFSET, config.applicationEnd);
	const running = job({ source: APPLICATION_OFFSET, length, isImage: true });
	if (length === 0 || content.check(running, "source") !== Result.OK) return;
	record.noteBefore(length, running.crc);
}

/** Whether that is still there, unharmed. */
export function isBefore(loader: Loader): boolean {
	const running = jobBefore(loader, APPLICATION_OFFSET, 0);
	return running.isCRCKnown && loader.content.check(running, "source") === Result.OK;
}

/** Keeps a copy of what was noted, where there is room. */
export function keep(loader: Loader): void {
	const { config, content, record } = loader;
	const { previous, previousEnd } = config;
	const running = jobBefore(loader, APPLICATION_OFFSET, previous, KEEPING_PROGRESS);
	const room = (previousEnd - previous) >>> 0;
	if (record.is(RecordState.KEPT) || !running.isCRCKnown || running.length > room) return;
	if (content.check(running, "source") === Result.OK && copy(loader, running, "source") === Result.OK) {
		record.set(RecordState.KEPT);
	}
}

/** Brings the kept application back, from where it was interrupted, where there is one. */
export function restore(loader: Loader): void {
	const { config, content, image, record, print } = loader;
	const { previous, previousEnd } = config;
	const kept = jobBefore(loader, previous, APPLICATION_OFFSET, RESTORING_PROGRESS);
	let from: From = "source";
	kept.isCRCKnown = kept.isCRCKnown && record.is(RecordState.KEPT);
	if (!kept.isCRCKnown) kept.length = image.verify(previous, previousEnd);
	else if (content.check(kept, "both") === Result.OK) from = "both";
	else if (content.check(kept, "destination") === Result.OK) from = "destination";
	if (kept.length === 0 || (from === "source" && content.check(kept, "source") !== Result.OK)) return;
	printf(print, "back\n");
	record.set(RecordState.RESTORING);
	if (copy(loader, kept, from) === Result.OK) record.set(RecordState.RESTORED);
}

/** The same for an application that cannot be started. */
export function wayBack(loader: Loader): void {
	const { config, image, record } = loader;
	// What was begun may yet be taken up again.
	if (image.verify(config.previous, config.previousEnd) === 0) return;
	// Its record stays: without it a place that is half written would be trusted.
	if (record.exists && !record.is(RecordState.RESTORED)) record.set(RecordState.RESTORE);
	else if (!record.write({ flags: RecordFlag.ONLY_RESTORE })) return;
	restore(loader);
}
