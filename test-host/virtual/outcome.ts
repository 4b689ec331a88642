/** How a piece of boot code ends. */
import type { Memory } from "./memory";

/** The reset cause that the ROM prints. */
export const ResetCause = Object.freeze({ POWER: 1, RESET: 2, WATCHDOG: 4 } as const);
export type ResetCause = (typeof ResetCause)[keyof typeof ResetCause];

export type Outcome =
	/** Runs on at `entry`, in what was loaded into `memory`. */
	| {
			kind: "jump";
			entry: number;
			memory: Memory;
			/** Flash offset of the image; that of flash 0 where not given. */
			imageAddress?: number;
	  }
	/** The chip restarts: by software, or by the watchdog after an exception. */
	| { kind: "reset"; cause: ResetCause; reason: string }
	/** Nothing happens any more until somebody presses reset or cuts the power. */
	| { kind: "hang"; reason: string };
