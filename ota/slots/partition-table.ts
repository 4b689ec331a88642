/**
 * The partition table of Espressif's ESP8266_RTOS_SDK: at flash 0x8000, at most 0xC00 bytes, an entry of 32 bytes
 * for each partition, then one with the MD5 of all entries before it, then FF. An entry, little-endian: magic,
 * type, subtype, offset, size, label padded with zeros, flags.
 */
import { readText, writeText } from "../descriptor";

/** The name that the flash module gives the table itself, a partition to be read. */
export const TABLE_NAME = "partition_table";
/** Where the boot loader looks for it, a flash offset. */
export const TABLE_OFFSET = 0x8000;
/** Bytes that it has at most, with the FF of its end. */
export const TABLE_LENGTH = 0xc00;
export const ENTRY_LENGTH = 32;
/** Partitions and the MD5 entry: behind them the boot loader wants an entry of FF. */
export const ENTRIES_MAX = TABLE_LENGTH / ENTRY_LENGTH - 1;
/** AA 50, and EB EB where the entry is the MD5 of those before it. */
export const ENTRY_MAGIC = 0x50aa;
export const MD5_MAGIC = 0xebeb;
/** What follows the last entry. */
export const END_MAGIC = 0xffff;
/** In the MD5 entry; FF between magic and digest. */
export const MD5_OFFSET = 16;
export const LABEL_OFFSET = 12;
/** ASCII; a label of all 16 has no zero behind it. */
export const LABEL_LENGTH = 16;
const FLAGS_OFFSET = 28;

export const PartitionType = Object.freeze({ APP: 0, DATA: 1 } as const);
/** Subtypes of an app. The slots of updates are OTA_0 up to OTA_0 + OTA_SLOTS_MAX - 1. */
export const AppSubtype = Object.freeze({ FACTORY: 0, OTA_0: 0x10, TEST: 0x20 } as const);
export const OTA_SLOTS_MAX = 16;
export const DataSubtype = Object.freeze({
	OTA: 0,
	PHY: 1,
	NVS: 2,
	COREDUMP: 3,
	NVS_KEYS: 4,
	EFUSE: 5,
	ESPHTTPD: 0x80,
	FAT: 0x81,
	SPIFFS: 0x82,
} as const);
export const FLAG_ENCRYPTED = 1;

/** What offsets and sizes are multiples of, in bytes. */
export const PARTITION_ALIGNMENT = 0x1000;
/** Of the data partition that says which slot to boot: two sectors, one record each. */
export const OTADATA_LENGTH = 0x2000;

export interface Partition {
	/** From PartitionType; above 0x40 an application's own. */
	type: number;
	/** Its meaning is by type. */
	subtype: number;
	/** Flash offset of the first byte. */
	offset: number;
	/** Bytes. */
	size: number;
	label: string;
	/** Bits: FLAG_ENCRYPTED. */
	flags: number;
}

/** Writes 32 bytes to `view` at `at`; of a label what is printable ASCII, up to 16 characters. */
export function encodeEntry(view: DataView, at: number, partition: Partition): void {
	view.setUint16(at, ENTRY_MAGIC, true);
	view.setUint8(at + 2, partition.type);
	view.setUint8(at + 3, partition.subtype);
	view.setUint32(at + 4, partition.offset, true);
	view.setUint32(at + 8, partition.size, true);
	writeText(view, at + LABEL_OFFSET, LABEL_LENGTH, partition.label);
	view.setUint32(at + FLAGS_OFFSET, partition.flags, true);
}

/** The partition in 32 bytes of `view` at `at`, whose magic is not looked at. */
export function decodeEntry(view: DataView, at: number): Partition {
	return {
		type: view.getUint8(at + 2),
		subtype: view.getUint8(at + 3),
		offset: view.getUint32(at + 4, true),
		size: view.getUint32(at + 8, true),
		label: readText(view, at + LABEL_OFFSET, LABEL_LENGTH),
		flags: view.getUint32(at + FLAGS_OFFSET, true),
	};
}

/** The number of an OTA slot, 0 for ota_0; -1 for any other partition. */
export function slotNumber({ type, subtype }: Pick<Partition, "type" | "subtype">): number {
	const number = subtype - AppSubtype.OTA_0;
	return type === PartitionType.APP && number >= 0 && number < OTA_SLOTS_MAX ? number : -1;
}
