import type { Board } from "../board";
import type { ImageIdentity } from "../boot";
import { ErrorCode, UpdateError } from "../errors";
import type { Trial } from "../trial";
import { isBootable, nextSequence, type OtadataRecord, OtaState } from "./otadata-record";
import { NO_SLOT, type Slots } from "./slots";

/**
 * The trial of a slot. A boot loader that knows trials, as ESP-IDF's does, marks the first boot and gives the slot up
 * at the second; Espressif's RTOS boot loader does not. So the application leaves a mark of its own at its start, and
 * goes back itself when it finds that.
 */
export class SlotTrial implements Trial {
	private readonly slots: Slots;
	private readonly board: Board;

	constructor(slots: Slots, board: Board) {
		this.slots = slots;
		this.board = board;
	}

	get isPending(): boolean {
		const { state } = this.record ?? { state: OtaState.VALID };
		return state === OtaState.NEW || state === OtaState.PENDING;
	}

	begin(): void {
		const { otadata, refused } = this.slots;
		let isOver = false;
		try {
			const { sequence, state } = otadata.at(otadata.other) ?? { sequence: 0, state: OtaState.VALID };
			if (state === OtaState.ABORTED || state === OtaState.INVALID) refused.refuse(sequence);
			if (!this.isPending) return;
			isOver = this.record?.started === true;
			if (isOver) this.goBack();
			else otadata.markStarted(otadata.present);
		} catch {
			// What runs goes on: without a mark a trial has one start more.
			isOver = false;
		}
		if (isOver) this.board.restart();
	}

	confirm(): void {
		const record = this.record;
		if (!record || !this.isPending) return;
		const { otadata, refused } = this.slots;
		otadata.write(otadata.present, { ...record, state: OtaState.VALID });
		refused.accept(record.sequence);
	}

	rollback(): never {
		this.goBack();
		this.board.restart();
	}

	private goBack(): void {
		const record = this.record;
		if (!record) throw new UpdateError(ErrorCode.NO_WAY_BACK, "what runs was not chosen by an update");
		const before = this.before;
		const fault = this.slots.faultOf(before, this.board);
		if (fault) throw new UpdateError(ErrorCode.NO_WAY_BACK, fault);
		const { otadata, refused } = this.slots;
		refused.refuse(record.sequence);
		// In the place of its own record: at no moment is there one that means what is given up and none that means the other.
		if (before === NO_SLOT) otadata.erase(otadata.present);
		else {
			const sequence = nextSequence(record.sequence, before, otadata.slots);
			otadata.write(otadata.present, { sequence, state: OtaState.VALID, started: true });
		}
	}

	refuses(image: ImageIdentity): boolean {
		try {
			return this.slots.refused.has(image);
		} catch {
			return false;
		}
	}

	/** The record that chose what runs; undefined where nothing did, or the boot loader has started another slot. */
	private get record(): OtadataRecord | undefined {
		const { otadata, running } = this.slots;
		const record = otadata.at(otadata.present);
		return otadata.slotOf(record) === running ? record : undefined;
	}

	/** The slot that was chosen before, or what boots where nothing is chosen. */
	private get before(): number {
		const { otadata, running, hasFactory } = this.slots;
		const other = otadata.at(otadata.other);
		if (isBootable(other) && otadata.slotOf(other) !== running) return otadata.slotOf(other);
		if (hasFactory) return NO_SLOT;
		return running === 0 ? 1 : 0;
	}
}
