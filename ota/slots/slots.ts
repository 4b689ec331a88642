import flash from "embedded:storage/flash";
import type { Board } from "../board";
import { ErrorCode, UpdateError } from "../errors";
import { SECTOR } from "../image";
import { Otadata } from "./otadata";
import {
	AppSubtype,
	DataSubtype,
	OTADATA_LENGTH,
	PartitionType,
	slotNumber,
	TABLE_NAME,
} from "./partition-table";
import { RefusedImages } from "./refused-images";
import { SlotScanner } from "./scanner";
import { TableReader } from "./table-reader";

/** The number of what is no slot for updates: the factory's app, or none at all. */
export const NO_SLOT = -1;

/** The slots of this board, by the partition table in its flash, and which of them runs. */
export class Slots {
	readonly otadata: Otadata;
	readonly refused: RefusedImages;
	/** The number of the slot that runs, as the flash cache maps it, whatever was chosen; or NO_SLOT. */
	readonly running: number;
	readonly hasFactory: boolean;
	private readonly table: TableReader;

	/** Throws UpdateError TABLE_MAGIC, TABLE_MD5, TABLE_OVERLAP, TABLE_OUTSIDE, TABLE_NO_APP, NO_SLOT or READ. */
	constructor(board: Board) {
		const table = new TableReader(flash.open({ path: TABLE_NAME, mode: "r" }), board.flashSize);
		const choice = table.find(PartitionType.DATA, DataSubtype.OTA);
		if (!choice || choice.size < OTADATA_LENGTH || table.slots < 2) throw new UpdateError(ErrorCode.NO_SLOT);
		this.table = table;
		this.otadata = new Otadata(choice.label, table.slots);
		this.refused = new RefusedImages(this.otadata.flash);
		const running = flash.open({ path: "running", mode: "r" });
		this.running = this.at(running.status().address);
		running.close();
		this.hasFactory = table.find(PartitionType.APP, AppSubtype.FACTORY) !== undefined;
	}

	/** The number of the slot that begins at this flash offset, or NO_SLOT. */
	at(address: number): number {
		for (let i = 0; i < this.table.count; i++) {
			const partition = this.table.at(i);
			const number = slotNumber(partition);
			if (partition.offset === address && number < this.table.slots) return number;
		}
		return NO_SLOT;
	}

	/** What is wrong with the image in a slot, or in the factory's app, or undefined. It takes a second or two. */
	faultOf(slot: number, board: Board): string | undefined {
		const partition =
			slot === NO_SLOT ? this.table.find(PartitionType.APP, AppSubtype.FACTORY) : this.table.slot(slot);
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
}
