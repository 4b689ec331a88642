/**
 * The two transistors of a NodeMCU between the USB chip's lines and the ESP8266's pins: RTS alone holds the reset,
 * DTR alone the flash button. Both together do nothing, so that a terminal that opens the port disturbs nobody.
 */
import type { VirtualBoard } from "../virtual-board";

/**
 * How long a capacitor holds the reset pin down behind it, ms: tools let go of the flash button 50 ms later. With
 * both lines on longer: tools change one after the other, over a network with a pause between them.
 */
const RISE_TIME = 25;
const RISE_TIME_BOTH = 150;

export class ResetCircuit {
	readonly #board: Pick<VirtualBoard, "flashButton" | "holdReset" | "reset">;
	#dtr = false;
	#rts = false;
	#held = false;
	#rise: NodeJS.Timeout | undefined;

	constructor(board: Pick<VirtualBoard, "flashButton" | "holdReset" | "reset">) {
		this.#board = board;
	}

	/** What is not given stays as it is. */
	set({ dtr = this.#dtr, rts = this.#rts }: { dtr?: boolean; rts?: boolean }): void {
		this.#dtr = dtr;
		this.#rts = rts;
		this.#board.flashButton = dtr && !rts;
		clearTimeout(this.#rise);
		if (rts && !dtr) {
			if (!this.#held) void this.#board.holdReset();
			this.#held = true;
		} else if (this.#held) {
			this.#rise = setTimeout(() => this.#release(), dtr && rts ? RISE_TIME_BOTH : RISE_TIME);
		}
	}

	#release(): void {
		this.#held = false;
		void this.#board.reset();
	}
}
