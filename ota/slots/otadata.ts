import flash, { type Flash } from "embedded:storage/flash";
import { ErrorCode, UpdateError } from "../errors";
import { SECTOR } from "../image";
import {
	decodeRecord,
	encodeRecord,
	isBootable,
	nextSequence,
	type OtadataRecord,
	RECORD_LENGTH,
	STARTED_OFFSET,
} from "./otadata-record";

/** The two records in flash. Each is changed by an erase and a write, while the other one stays. */
export class Otadata {
	readonly flash: Flash;
	readonly slots: number;
	private readonly view = new DataView(new ArrayBuffer(RECORD_LENGTH));
	private readonly records: (OtadataRecord | undefined)[] = [undefined, undefined];

	/** `label`: of the partition; `slots`: how many there are. Throws UpdateError READ. */
	constructor(label: string, slots: number) {
		this.slots = slots;
		try {
			this.flash = flash.open({ path: label });
			this.read(0);
			this.read(1);
		} catch {
			throw new UpdateError(ErrorCode.READ);
		}
	}

	/** The sector whose record counts, 0 or 1; -1 where neither does. */
	get present(): number {
		const [first, second] = this.records;
		if (!isBootable(second)) return isBootable(first) ? 0 : -1;
		return isBootable(first) && first.sequence > second.sequence ? 0 : 1;
	}

	/** The sector that a new choice goes to, since a power cut then leaves the present one. */
	get other(): number {
		return this.present === 0 ? 1 : 0;
	}

	/** The record in a sector; undefined for sector -1, too. */
	at(sector: number): OtadataRecord | undefined {
		return this.records[sector];
	}

	/** The slot that a record means; -1 for none. */
	slotOf(record: OtadataRecord | undefined): number {
		return record ? (record.sequence - 1) % this.slots : -1;
	}

	/** The smallest sequence above the present one that means a slot. */
	sequenceFor(slot: number): number {
		return nextSequence(this.at(this.present)?.sequence ?? 0, slot, this.slots);
	}

	/** Writes a record to a sector. Throws UpdateError ERASE or WRITE. */
	write(sector: number, record: OtadataRecord): void {
		this.erase(sector);
		encodeRecord(this.view, record);
		try {
			this.flash.write(this.view, sector * SECTOR);
		} catch {
			throw new UpdateError(ErrorCode.WRITE);
		}
		this.read(sector);
		if (this.records[sector]?.sequence !== record.sequence) throw new UpdateError(ErrorCode.WRITE);
	}

	/** Forgets the record of a sector. Throws UpdateError ERASE. */
	erase(sector: number): void {
		this.records[sector] = undefined;
		try {
			this.flash.eraseBlock(sector);
		} catch {
			throw new UpdateError(ErrorCode.ERASE);
		}
	}

	/** Marks that the application of this sector's record has started, without an erase. Throws UpdateError WRITE. */
	markStarted(sector: number): void {
		try {
			this.flash.write(new Uint8Array(1), sector * SECTOR + STARTED_OFFSET);
			this.read(sector);
		} catch {
			throw new UpdateError(ErrorCode.WRITE);
		}
	}

	private read(sector: number): void {
		this.flash.read(this.view, sector * SECTOR);
		this.records[sector] = decodeRecord(this.view);
	}
}
