/** The words of a partition table's CSV for types and subtypes, as the ESP8266_RTOS_SDK's generator knows them. */
import { AppSubtype, DataSubtype, OTA_SLOTS_MAX, PartitionType } from "../../ota/slots/partition-table";

export type Keywords = ReadonlyMap<string, number>;

export const typeKeywords: Keywords = keywords(PartitionType);

const slots = Array.from({ length: OTA_SLOTS_MAX }, (_, i): [string, number] => [
	`ota_${i}`,
	AppSubtype.OTA_0 + i,
]);

const subtypes: ReadonlyMap<number, Keywords> = new Map([
	[PartitionType.APP, new Map([["factory", AppSubtype.FACTORY], ["test", AppSubtype.TEST], ...slots])],
	[PartitionType.DATA, keywords(DataSubtype)],
]);

/** Those of a type; none for a type of the application's own. */
export function subtypeKeywords(type: number): Keywords {
	return subtypes.get(type) ?? new Map();
}

/** The keyword for a value, or the value in decimal. */
export function keywordOf(value: number, words: Keywords): string {
	for (const [word, meaning] of words) if (meaning === value) return word;
	return String(value);
}

function keywords(values: Readonly<Record<string, number>>): Keywords {
	return new Map(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]));
}
