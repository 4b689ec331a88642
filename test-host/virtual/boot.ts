/** From a reset to the application: the mask ROM, then the boot loader that lies in the flash. */
import { runEboot } from "./eboot";
import type { NorFlash } from "./nor";
import type { Outcome, ResetCause } from "./outcome";
import { isOwnBoot, runOwnBoot } from "./own-boot/boot";
import { runROM } from "./rom";
import type { RtcMemory } from "./rtc";
import { isRtosBoot, runRtosBoot } from "./rtos-boot";
import type { Print } from "./uart";

export interface BootOptions {
	flash: NorFlash;
	rtc: RtcMemory;
	print: Print;
	/** Not given: the serial loader starts what lies in the flash, and the ROM has told of the reset. */
	cause?: ResetCause | undefined;
	/** Whether the boot loader for slots knows trials. */
	trials: boolean;
}

/** Throws PowerCut where the flash loses its power. */
export function boot({ flash, rtc, print, cause, trials }: BootOptions): Outcome {
	let outcome: Outcome = runROM({ flash, print, cause });
	if (outcome.kind === "jump" && isOwnBoot(flash)) outcome = runOwnBoot({ flash, rtc, print });
	else if (outcome.kind === "jump" && !isRtosBoot(flash, outcome)) outcome = runEboot({ flash, rtc, print });
	// It may be what these start, too: a board that was upgraded through the air keeps its boot loader.
	if (outcome.kind === "jump" && isRtosBoot(flash, outcome)) outcome = runRtosBoot({ flash, print, trials });
	return outcome;
}
