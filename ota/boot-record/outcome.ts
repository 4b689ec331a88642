/** What became of an update, as our boot loader's record tells it over a power cut, too. */
import type { ImageIdentity } from "../boot";
import { APPLICATION_OFFSET } from "../image";
import { RECORD_NOTES, RefusedImages } from "../refused-images";
import { type RecordHeader, RecordState } from "./header";
import { readConfig } from "./read-config";
import { BootRecord } from "./record";

/** Words behind the note of the image, programmed to 0 when the application has told what became of it. */
const TOLD_OFFSET = 0x2fc;
const TOLD_BACK_OFFSET = 0x2f8;

/** refused: nothing was changed; restored: the firmware before is back. */
export type Ending = "installed" | "refused" | "restored";

export interface Outcome {
	ending: Ending;
	header: RecordHeader;
	/** Bytes at the start of the target that are not written. */
	start: number;
	/** zlib's CRC-32 of what is; undefined where nobody knows it. */
	crc: number | undefined;
	/** Of what was sent; undefined where the boot loader wrote the record itself, for eboot's command. */
	image: ImageIdentity | undefined;
}

/** Whether this board has our boot loader. Then a firmware in flash has another sector 0 than its file. */
export function hasOwnBootLoader(): boolean {
	return readConfig() !== undefined;
}

/** What became of the last update; undefined with other boot loaders, or where that is still open, or was told. */
export function readOutcome(): Outcome | undefined {
	const outcome = lastOutcome();
	try {
		return outcome && !new BootRecord("r").isCleared(toldOffset(outcome.ending)) ? outcome : undefined;
	} catch {
		return undefined;
	}
}

/** It is told once. */
export function markTold(ending: Ending): void {
	try {
		new BootRecord().clearWord(toldOffset(ending));
	} catch {
		// It is told once more.
	}
}

/** The firmware that was installed last, where it is in its place as far as the record knows; undefined where that knows none. */
export function installedFirmware(): (Outcome & { image: ImageIdentity; crc: number }) | undefined {
	const outcome = lastOutcome();
	const { image, crc } = outcome ?? {};
	if (outcome?.ending !== "installed" || outcome.header.destination !== 0) return undefined;
	return image && crc !== undefined ? { ...outcome, image, crc } : undefined;
}

function lastOutcome(): Outcome | undefined {
	if (!hasOwnBootLoader()) return undefined;
	try {
		const record = new BootRecord("r");
		const { header } = record;
		const ending = endingOf(record);
		if (!header || !ending) return undefined;
		const image = new RefusedImages(record.flash, RECORD_NOTES).identity(header.sequence);
		const start = header.destination === 0 ? APPLICATION_OFFSET : 0;
		return { ending, header, start, crc: record.resultCRC, image };
	} catch {
		return undefined;
	}
}

function endingOf(record: BootRecord): Ending | undefined {
	if (record.header?.size === 0) return undefined;
	if (record.is(RecordState.RESTORED)) return "restored";
	if (record.is(RecordState.REFUSED)) return "refused";
	return record.is(RecordState.INSTALLED) ? "installed" : undefined;
}

function toldOffset(ending: Ending): number {
	return ending === "restored" ? TOLD_BACK_OFFSET : TOLD_OFFSET;
}
