import { AppSubtype, type Partition, PartitionType } from "../../ota/slots/partition-table";

/** What the boot loader starts of a table while nothing is chosen: the factory app, or else ota_0; undefined for neither. */
export function firstApp(partitions: readonly Partition[]): Partition | undefined {
	for (const wanted of [AppSubtype.FACTORY, AppSubtype.OTA_0]) {
		const app = partitions.find(({ type, subtype }) => type === PartitionType.APP && subtype === wanted);
		if (app) return app;
	}
	return undefined;
}
