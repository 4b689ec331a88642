import flash from "embedded:storage/flash";
import type { Board } from "../board";
import type { ImageIdentity } from "../boot";
import { DESCRIPTOR_LENGTH, DESCRIPTOR_OFFSET, readDescriptor } from "../descriptor";
import { ErrorCode, UpdateError } from "../errors";
import { RECORD_NOTES, RefusedImages } from "../refused-images";
import type { Trial } from "../trial";
import { flashCRC } from "./flash-crc";
import { RecordState } from "./header";
import { readConfig } from "./read-config";
import { BootRecord, RECORD_NAME } from "./record";

/** The partition where the boot loader keeps the application before. */
export const PREVIOUS_NAME = "previous";

/** The trial of our boot loader, which counts the starts by itself, and brings the application before back. */
export class RecordTrial implements Trial {
	/** Known from the start, since it is asked before each update. */
	isPending = false;
	private readonly board: Board;

	/** Throws UpdateError READ. */
	constructor(board: Board) {
		this.board = board;
		const record = new BootRecord("r");
		const isGoingBack = record.is(RecordState.RESTORE) || record.is(RecordState.RESTORED);
		this.isPending = record.isTrial && record.is(RecordState.KEPT) && !isGoingBack && confirmsItself();
	}

	begin(): void {
		try {
			const record = new BootRecord();
			// It was not confirmed in time. One that was, and is damaged now, is no bad image.
			const { sequence } = record.isTrial && record.is(RecordState.RESTORED) ? (record.header ?? {}) : {};
			if (sequence !== undefined) new RefusedImages(record.flash, RECORD_NOTES).refuse(sequence);
		} catch {
			// At the next start again.
		}
	}

	confirm(): void {
		if (!this.isPending) return;
		const record = new BootRecord();
		record.set(RecordState.CONFIRMED);
		this.isPending = false;
		if (record.header) this.note(record, record.header.sequence, true);
	}

	rollback(): never {
		const record = new BootRecord();
		const { header, before } = record;
		const isInstalled = record.isOfApplication && record.is(RecordState.INSTALLED);
		if (!header || !isInstalled || record.is(RecordState.RESTORED)) {
			throw new UpdateError(ErrorCode.NO_WAY_BACK, "what runs was not chosen by an update");
		}
		if (!record.is(RecordState.KEPT))
			throw new UpdateError(ErrorCode.NO_WAY_BACK, "there was no room for it");
		const address = readConfig()?.previous ?? 0;
		if (!before || flashCRC(this.board, PREVIOUS_NAME, address, before.length) !== before.crc) {
			throw new UpdateError(ErrorCode.NO_WAY_BACK, "it is damaged");
		}
		this.note(record, header.sequence, false);
		record.set(RecordState.RESTORE);
		this.board.restart();
	}

	refuses(image: ImageIdentity): boolean {
		try {
			return new RefusedImages(flash.open({ path: RECORD_NAME, mode: "r" }), RECORD_NOTES).has(image);
		} catch {
			return false;
		}
	}

	private note(record: BootRecord, sequence: number, isGood: boolean): void {
		try {
			const notes = new RefusedImages(record.flash, RECORD_NOTES);
			if (isGood) notes.accept(sequence);
			else notes.refuse(sequence);
		} catch {
			throw new UpdateError(ErrorCode.WRITE);
		}
	}
}

/** Whether what runs confirms itself: the boot loader goes back from no other. Throws UpdateError READ. */
function confirmsItself(): boolean {
	try {
		const running = flash.open({ path: "running", mode: "r" });
		const bytes = running.read(DESCRIPTOR_LENGTH, DESCRIPTOR_OFFSET);
		running.close();
		return readDescriptor(new DataView(bytes), 0)?.confirms === true;
	} catch {
		throw new UpdateError(ErrorCode.READ);
	}
}
