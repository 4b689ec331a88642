/** What a board's flash went through, to go back to any moment of it as if the power had been cut there. */
import { RTC_LENGTH } from "../virtual/rtc";
import type { JudgedBoard } from "./board";

/** One operation of the flash. */
interface Moment {
	address: number;
	/** What it leaves there. */
	cells: Uint8Array;
	/** The same where the power goes within it. */
	torn: Uint8Array;
	rtc: Uint8Array;
}

export class Past {
	readonly #board: JudgedBoard;
	/** The cells before the moment that is returned to. */
	readonly #cells: Uint8Array;
	readonly #moments: Moment[] = [];
	#next = 0;

	/** Notes what happens to the board from now on. */
	constructor(board: JudgedBoard) {
		this.#board = board;
		this.#cells = board.cells.slice();
		board.onChange = (address, cells, torn) => {
			const rtc = new Uint8Array(RTC_LENGTH);
			board.rtc.read(0, rtc);
			this.#moments.push({ address, cells, torn: torn(), rtc });
		};
	}

	/** How many operations it were. Notes no more. */
	end(): number {
		this.#board.onChange = undefined;
		return this.#moments.length;
	}

	/** The power goes within or after an operation, of which none may come before one that was asked for earlier. */
	return(operation: number, kind: "power during" | "power after", keepsMemory: boolean): void {
		for (; this.#next < operation; this.#next++) {
			const { address = 0, cells = new Uint8Array() } = this.#moments[this.#next] ?? {};
			this.#cells.set(cells, address);
		}
		const moment = this.#moments[operation];
		if (!moment) throw new RangeError(`there was no operation ${operation}`);
		const board = this.#board;
		board.cells.set(this.#cells);
		board.put(moment.address, kind === "power during" ? moment.torn : moment.cells);
		board.cutPower();
		if (keepsMemory) board.rtc.write(0, moment.rtc);
	}
}
