import type { Board } from "../board";
import type { BootStrategy, ImageScanner, Staged } from "../boot";
import { ErrorCode, UpdateError } from "../errors";
import { OtaState } from "./otadata-record";
import { SlotScanner } from "./scanner";
import { SlotTrial } from "./slot-trial";
import { NO_SLOT, Slots } from "./slots";

/**
 * Boots through Espressif's RTOS boot loader: a new firmware is written to a slot that does not run, and the choice of
 * slots changes when it is verified there. Nothing is copied, and what ran before stays whole.
 */
export class PartitionTableStrategy implements BootStrategy {
	readonly inflates = false;
	readonly copies = false;
	readonly applicationOffset = 0;
	readonly ownsHeader = false;
	readonly stagesAtEnd = false;
	readonly trial: SlotTrial | undefined;
	/** Why there are no updates. */
	readonly fault: UpdateError | undefined;
	private readonly board: Board;
	private readonly slots: Slots | undefined;
	/** The choice that was made since the start. */
	private chosen = false;

	constructor(board: Board) {
		this.board = board;
		try {
			this.slots = new Slots(board);
			this.trial = new SlotTrial(this.slots, board);
		} catch (error) {
			this.fault = error instanceof UpdateError ? error : new UpdateError(ErrorCode.READ);
		}
	}

	scanner(address: number): ImageScanner {
		return new SlotScanner(address);
	}

	check({ address }: Staged): void {
		if (!this.slots || this.slots.at(address) === NO_SLOT)
			throw this.fault ?? new UpdateError(ErrorCode.NO_SLOT);
	}

	select({ address, image }: Staged): void {
		const slots = this.slots;
		if (!slots) return;
		const slot = slots.at(address);
		const { otadata, refused, running } = slots;
		const erased = otadata.other;
		if (!refused.note(1 - erased, erased, image, otadata.sequenceFor(slot)) && running !== NO_SLOT) {
			// Full: what runs is chosen anew, so that the sector which is full is the one that is erased.
			otadata.choose(running, OtaState.VALID);
			refused.note(erased, 1 - erased, image, otadata.sequenceFor(slot));
		}
		otadata.choose(slot, OtaState.NEW);
		this.chosen = true;
	}

	clear(): void {
		const otadata = this.slots?.otadata;
		if (this.chosen) otadata?.erase(otadata.present);
		this.chosen = false;
	}

	restart(): never {
		this.board.restart();
	}
}
