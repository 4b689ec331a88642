/** What ends a run from within. */
import { hex32 } from "../../virtual/uart";

/** The code did what the chip, or a strict reading of its manual, does not allow. */
export class MachineFault extends Error {
	constructor(what: string, pc: number) {
		super(`${what} at 0x${hex32(pc)}`);
	}
}

/** The code has reset the chip. */
export class SoftwareReset extends Error {}
