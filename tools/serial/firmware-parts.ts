import { SECTOR } from "../../ota/image";
import { decodeBootConfig } from "../image/boot-config";
import type { FlashPart } from "./flashing";

/**
 * What is written of a firmware, in this order: where it has our boot loader the sector of that one's record first,
 * empty, so that no update that was left unfinished is taken up over it.
 */
export function firmwareParts(firmware: Uint8Array, flashSize: number): FlashPart[] {
	const record = decodeBootConfig(firmware)?.record;
	const part = { address: 0, data: firmware };
	// Those of a damaged configuration, which only --force writes, are no place for anything.
	if (record === undefined || record % SECTOR !== 0 || record + SECTOR > flashSize) return [part];
	return [{ address: record, data: new Uint8Array(SECTOR).fill(0xff) }, part];
}
