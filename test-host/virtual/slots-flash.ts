/** What a cable puts into a flash for slots: boot loader, partition table, and the application in the slot that boots first. */
import { flashSizeOf } from "../../ota/image";
import { type Partition, TABLE_OFFSET } from "../../ota/slots/partition-table";
import { flashFrom } from "../../tools/image/upgrade";
import { encodeTable } from "../../tools/partitions/binary";
import { firstApp } from "../../tools/partitions/first-app";
import { buildRtosBoot } from "./image-builder";

/** The size nibble of a header for a flash of so many bytes. */
export function sizeNibble(flashSize: number): number {
	for (let nibble = 0; nibble < 16; nibble++) if (flashSizeOf(nibble << 4) === flashSize) return nibble;
	throw new RangeError(`no header tells of a flash of ${flashSize} bytes`);
}

/**
 * From flash 0 on, for a flash of `flashSize` bytes; `application` is linked for the slot. Throws Error where it does
 * not fit, or has no slot.
 */
export function slotsFlash(
	partitions: readonly Partition[],
	application: Uint8Array,
	flashSize = 0x400000,
): Uint8Array {
	const slot = firstApp(partitions);
	if (!slot) throw new Error("the partition table has neither a factory app nor ota_0");
	if (application.length > slot.size) {
		throw new Error(`the application has ${application.length} bytes, ${slot.label} ${slot.size}`);
	}
	return flashFrom(0, [
		{ offset: 0, bytes: buildRtosBoot({ flashSize: sizeNibble(flashSize) }) },
		{ offset: TABLE_OFFSET, bytes: encodeTable(partitions) },
		{ offset: slot.offset, bytes: application },
	]);
}
