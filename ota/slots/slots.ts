import flash from "embedded:storage/flash";
import type { Board } from "../board";
import { ErrorCode, UpdateError } from "../errors";
import { SECTOR } from "../image";
import {
	AppSubtype,
	DataSubtype,
	OTADATA_LENGTH,
	PartitionType,
	slotNumber,
	TABLE_NAME,
} from "./partition-table";
import { SlotScanner } from "./scanner";
import { TableReader } from "./table-reader";

/** The number of what is no slot for updates: the factory's app, or none at all. */
export const NO_SLOT = -1;

/** What the partition table in flash says of slots, and which of them runs. */
export interface Slots {
	/** The partition of the boot choice. */
	readonly otadata: string;
	/** How many slots there are. */
	readonly count: number;
	/** The number of the slot that runs, as the flash cache maps it, whatever was chosen; or NO_SLOT. */
	readonly running: number;
	/** The number of the slot that an update goes to. */
	readonly next: number;
	readonly hasFactory: boolean;
}

/** Throws UpdateError TABLE_MAGIC, TABLE_MD5, TABLE_OVERLAP, TABLE_OUTSIDE, TABLE_NO_APP, NO_SLOT or READ. */
export function readSlots(board: Board): Slots {
	const table = new TableReader(flash.open({ path: TABLE_NAME, mode: "r" }), board.flashSize);
	const choice = table.find(PartitionType.DATA, DataSubtype.OTA);
	if (!choice || choice.size < OTADATA_LENGTH || table.slots < 2) throw new UpdateError(ErrorCode.NO_SLOT);
	return {
		otadata: choice.label,
		count: table.slots,
		running: slotOf("running", table),
		next: slotOf("nextota", table),
		hasFactory: table.find(PartitionType.APP, AppSubtype.FACTORY) !== undefined,
	};
}

/** The number of the slot that a partition of the flash module is, or NO_SLOT. */
function slotOf(path: string, table: TableReader): number {
	const { address } = flash.open({ path, mode: "r" }).status();
	for (let i = 0; i < table.count; i++) {
		const partition = table.at(i);
		if (partition.offset === address) return slotNumber(partition);
	}
	return NO_SLOT;
}

/** What is wrong with the image in a slot, or in the factory's app, or undefined. It takes a second or two. */
export function slotFault(slot: number, board: Board): string | undefined {
	const table = new TableReader(flash.open({ path: TABLE_NAME, mode: "r" }), board.flashSize);
	const partition = slot === NO_SLOT ? table.find(PartitionType.APP, AppSubtype.FACTORY) : table.slot(slot);
	if (!partition) return "no such slot";
	const scanner = new SlotScanner(partition.offset);
	const view = new DataView(new ArrayBuffer(SECTOR));
	try {
		const app = flash.open({ path: partition.label, mode: "r" });
		let fault: string | undefined;
		for (let at = 0; !fault && !scanner.isDone && at < partition.size; at += SECTOR) {
			app.read(view, at);
			fault = scanner.write(view, SECTOR);
			board.feedWatchdog();
		}
		app.close();
		return fault ?? scanner.close();
	} catch (error) {
		return error instanceof UpdateError ? error.message : "it cannot be read";
	}
}
