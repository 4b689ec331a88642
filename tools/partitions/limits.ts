/** Rules that are no part of the format: those of the ESP8266_RTOS_SDK's generator, and of the chip. */
import { MAP_LENGTH, MAP_START } from "../../ota/image";
import { PartitionType, TABLE_OFFSET } from "../../ota/slots/partition-table";

/** The table's sector: nothing begins before its end. */
export const FIRST_OFFSET = TABLE_OFFSET + 0x1000;

/** The boot loader maps nothing behind. */
export const MAPPED_MAX = 0x800000;

/** Bytes that the offset of a partition is a multiple of. ESP-IDF's generator for the ESP32 wants 64 KiB of an app. */
export function offsetAlignment(type: number): number {
	return type === PartitionType.APP ? 0x1000 : 4;
}

/** Where the first byte of an app's partition is mapped when it runs. */
export function mappedAddress(offset: number): number {
	return MAP_START + (offset % MAP_LENGTH);
}
