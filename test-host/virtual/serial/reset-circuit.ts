/**
 * The two transistors of a NodeMCU between the USB chip's lines and the ESP8266's pins: RTS alone holds the reset,
 * DTR alone the flash button. Both together do nothing, so that a terminal that opens the port disturbs nobody.
 */
import type { VirtualBoard } from "../virtual-board";

/**
 * How long a capacitor holds the reset pin down behind it, ms: tools change the two lines one after the other, and
 * let go of the flash button 50 ms later.
 */
const RISE_TIME = 25;

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
		const hold = rts && !dtr;
		if (hold) {
			clearTimeout(this.#rise);
			this.#rise = undefined;
			if (!this.#held) void this.#board.holdReset();
		} else if (this.#held) {
			this.#rise = setTimeout(() => void this.#board.reset(), RISE_TIME);
		}
		this.#held = hold;
	}
}
