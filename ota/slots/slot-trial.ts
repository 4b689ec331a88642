import flash from "embedded:storage/flash";
import type { Board } from "../board";
import type { ImageIdentity } from "../boot";
import { ErrorCode, UpdateError } from "../errors";
import { OTADATA_NOTES, RefusedImages } from "../refused-images";
import type { Trial } from "../trial";
import { Otadata } from "./otadata";
import { isBootable, nextSequence, type OtadataRecord, OtaState } from "./otadata-record";
import { NO_SLOT, type Slots, slotFault } from "./slots";

/**
 * The trial of a slot. A boot loader that knows trials, as ESP-IDF's does, marks the first boot and gives the slot up
 * at the second; Espressif's RTOS boot loader does not. So the application leaves a mark of its own at its start, and
 * goes back itself when it finds that.
 */
export class SlotTrial implements Trial {
	/** Known from the start, since it is asked before each update. */
	isPending = false;
	private readonly slots: Slots;
	private readonly board: Board;

	/** Throws UpdateError READ. */
	constructor(slots: Slots, board: Board) {
		this.slots = slots;
		this.board = board;
		const state = this.record(this.open())?.state;
		this.isPending = state === OtaState.NEW || state === OtaState.PENDING;
	}

	begin(): void {
		let isOver = false;
		try {
			const otadata = this.open();
			const { sequence, state } = otadata.at(otadata.other) ?? { sequence: 0, state: OtaState.VALID };
			if (state === OtaState.ABORTED || state === OtaState.INVALID) {
				new RefusedImages(otadata.flash, OTADATA_NOTES).refuse(sequence);
			}
			if (!this.isPending) return;
			isOver = this.record(otadata)?.started === true;
			if (isOver) this.goBack();
			else otadata.markStarted(otadata.present);
		} catch {
			// What runs goes on: without a mark a trial has one start more.
			isOver = false;
		}
		if (isOver) this.board.restart();
	}

	confirm(): void {
		const otadata = this.open();
		const record = this.record(otadata);
		if (!record || !this.isPending) return;
		otadata.write(otadata.present, { ...record, state: OtaState.VALID });
		this.isPending = false;
		new RefusedImages(otadata.flash, OTADATA_NOTES).accept(record.sequence);
	}

	rollback(): never {
		this.goBack();
		this.board.restart();
	}

	refuses(image: ImageIdentity): boolean {
		try {
			return new RefusedImages(flash.open({ path: this.slots.otadata, mode: "r" }), OTADATA_NOTES).has(image);
		} catch {
			return false;
		}
	}

	private open(): Otadata {
		return new Otadata(this.slots.otadata, this.slots.count);
	}

	private goBack(): void {
		const otadata = this.open();
		const record = this.record(otadata);
		if (!record) throw new UpdateError(ErrorCode.NO_WAY_BACK, "what runs was not chosen by an update");
		const before = this.before(otadata);
		const fault = slotFault(before, this.board);
		if (fault) throw new UpdateError(ErrorCode.NO_WAY_BACK, fault);
		new RefusedImages(otadata.flash, OTADATA_NOTES).refuse(record.sequence);
		// In the place of its own record: at no moment is there one that means what is given up and none that means the other.
		if (before === NO_SLOT) otadata.erase(otadata.present);
		else {
			const sequence = nextSequence(record.sequence, before, this.slots.count);
			otadata.write(otadata.present, { sequence, state: OtaState.VALID, started: true });
		}
	}

	/** The record that chose what runs; undefined where nothing did, or the boot loader has started another slot. */
	private record(otadata: Otadata): OtadataRecord | undefined {
		const record = otadata.at(otadata.present);
		return otadata.slotOf(record) === this.slots.running ? record : undefined;
	}

	/** The slot that was chosen before, or what boots where nothing is chosen. */
	private before(otadata: Otadata): number {
		const { running, hasFactory } = this.slots;
		const other = otadata.at(otadata.other);
		if (isBootable(other) && otadata.slotOf(other) !== running) return otadata.slotOf(other);
		if (hasFactory) return NO_SLOT;
		return running === 0 ? 1 : 0;
	}
}
