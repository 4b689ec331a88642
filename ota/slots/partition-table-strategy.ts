import type { Board } from "../board";
import type { BootStrategy, ImageScanner, Staged } from "../boot";
import { ErrorCode, UpdateError } from "../errors";
import { OTADATA_NOTES, RefusedImages } from "../refused-images";
import { Otadata } from "./otadata";
import { OtaState } from "./otadata-record";
import { SlotScanner } from "./scanner";
import { SlotTrial } from "./slot-trial";
import { NO_SLOT, readSlots, type Slots } from "./slots";

/**
 * Boots through Espressif's RTOS boot loader: a new firmware is written to a slot that does not run, and the choice of
 * slots changes when it is verified there. Nothing is copied, and what ran before stays whole. What lies in flash is
 * read when it is wanted: it takes no memory while an update comes.
 */
export class PartitionTableStrategy implements BootStrategy {
	readonly trial: SlotTrial | undefined;
	/** Why there are no updates. */
	readonly fault: UpdateError | undefined;
	private readonly board: Board;
	private readonly slots: Slots | undefined;
	/** A choice was made since the start. */
	private chosen = false;

	constructor(board: Board) {
		this.board = board;
		try {
			this.slots = readSlots(board);
			this.trial = new SlotTrial(this.slots, board);
		} catch (error) {
			this.fault = error instanceof UpdateError ? error : new UpdateError(ErrorCode.READ);
		}
	}

	// Of the class, where they take no memory.
	get inflates(): boolean {
		return false;
	}
	get copies(): boolean {
		return false;
	}
	get applicationOffset(): number {
		return 0;
	}
	get ownsHeader(): boolean {
		return false;
	}
	get stagesAtEnd(): boolean {
		return false;
	}

	firstSectorFault(): undefined {
		return undefined;
	}

	scanner(address: number): ImageScanner {
		return new SlotScanner(address);
	}

	check(): void {
		const { next, count } = this.slots ?? { next: NO_SLOT, count: 0 };
		if (next === NO_SLOT || next >= count) throw this.fault ?? new UpdateError(ErrorCode.NO_SLOT);
	}

	select({ image }: Staged): void {
		if (!this.slots) return;
		const { otadata: label, count, running, next } = this.slots;
		const otadata = new Otadata(label, count);
		const refused = new RefusedImages(otadata.flash, OTADATA_NOTES);
		// The sector that stays takes the notes. Where it is full, what runs is chosen anew: then that one is erased.
		if (!refused.hasRoom(1 - otadata.other) && running !== NO_SLOT) {
			const sequence = otadata.sequenceFor(running);
			otadata.write(otadata.other, { sequence, state: OtaState.VALID, started: true });
		}
		const erased = otadata.other;
		const sequence = otadata.sequenceFor(next);
		refused.carry(1 - erased, erased);
		refused.describe(image, sequence);
		refused.append(1 - erased);
		otadata.write(erased, { sequence, state: OtaState.NEW, started: false });
		this.chosen = true;
	}

	clear(): void {
		if (!this.chosen || !this.slots) return;
		const otadata = new Otadata(this.slots.otadata, this.slots.count);
		otadata.erase(otadata.present);
		this.chosen = false;
	}

	restart(): never {
		this.board.restart();
	}
}
