/** What a cable puts into a flash for slots: boot loader, partition table, and the application in the slot that boots first. */
import { flashSizeOf } from "../../ota/image";
import { AppSubtype, type Partition, PartitionType, TABLE_OFFSET } from "../../ota/slots/partition-table";
import { encodeTable } from "../../tools/partitions/binary";
import { buildRtosBoot } from "./image-builder";

/** The app that boots where nothing is chosen: the factory's, or ota_0. Throws Error where there is none. */
export function firstApp(partitions: readonly Partition[]): Partition {
	for (const wanted of [AppSubtype.FACTORY, AppSubtype.OTA_0]) {
		const app = partitions.find(({ type, subtype }) => type === PartitionType.APP && subtype === wanted);
		if (app) return app;
	}
	throw new Error("the partition table has neither a factory app nor ota_0");
}

/** The size nibble of a header for a flash of so many bytes. */
export function sizeNibble(flashSize: number): number {
	for (let nibble = 0; nibble < 16; nibble++) if (flashSizeOf(nibble << 4) === flashSize) return nibble;
	throw new RangeError(`no header tells of a flash of ${flashSize} bytes`);
}

/**
 * From flash 0 on, for a flash of `flashSize` bytes; `application` is linked for the slot. Throws Error where it does
 * not fit.
 */
export function slotsFlash(
	partitions: readonly Partition[],
	application: Uint8Array,
	flashSize = 0x400000,
): Uint8Array {
	const { label, offset, size } = firstApp(partitions);
	if (application.length > size) {
		throw new Error(`the application has ${application.length} bytes, ${label} ${size}`);
	}
	const flash = new Uint8Array(offset + application.length).fill(0xff);
	flash.set(buildRtosBoot({ flashSize: sizeNibble(flashSize) }));
	flash.set(encodeTable(partitions), TABLE_OFFSET);
	flash.set(application, offset);
	return flash;
}
