import flash from "embedded:storage/flash";
import type { Board } from "../board";
import type { Staged } from "../boot";
import { CopyingStrategy } from "../copying-strategy";
import { ErrorCode, UpdateError } from "../errors";
import { APPLICATION_OFFSET, ApplicationScanner, SECTOR } from "../image";
import { RECORD_NOTES, RefusedImages } from "../refused-images";
import type { BootConfig } from "./config";
import { flashCRC } from "./flash-crc";
import { RecordFlag, type RecordHeader, RecordState } from "./header";
import { markTold } from "./outcome";
import { readConfig } from "./read-config";
import { BootRecord, RECORD_NAME } from "./record";
import { PREVIOUS_NAME, RecordTrial } from "./record-trial";

const STAGES_NAME = "bootstages";
/** Where a firmware is staged, and a filesystem for the boot loader. */
const STAGING_NAME = "nextota";
/** A firmware on trial has one start to be confirmed in. */
const STARTS = 1;

/**
 * Boots through our own boot loader: what is intended is written to its record in flash, so that a power cut loses
 * nothing from then on. It never writes sector 0: the boot loader in a firmware's file, whichever that is, is passed over.
 */
export class OwnBootStrategy extends CopyingStrategy {
	readonly fault: UpdateError | undefined;
	readonly trial: RecordTrial | undefined;

	/** `config`: what `readConfig` gave. */
	constructor(board: Board, config: BootConfig) {
		super(board);
		try {
			this.fault = layoutFault(config);
			// An application of a layout without that place can be updated, but not brought back.
			if (!this.fault && isAt(PREVIOUS_NAME, config.previous, config.previousEnd))
				this.trial = new RecordTrial(board);
		} catch (error) {
			this.fault = error instanceof UpdateError ? error : new UpdateError(ErrorCode.READ);
		}
	}

	// Of the class, where they take no memory.
	get inflates(): boolean {
		return true;
	}
	get ownsHeader(): boolean {
		return false;
	}

	firstSectorFault(): undefined {
		return undefined;
	}

	override scanner(): ApplicationScanner {
		return new ApplicationScanner(true);
	}

	/** As the boot loader does before it changes anything: boot/install.c. Throws ON_TRIAL, too: the record has one place. */
	check(staged: Staged): void {
		if (this.fault) throw this.fault;
		if (this.trial?.isPending) throw new UpdateError(ErrorCode.ON_TRIAL);
		const config = readConfig();
		if (!config || !isPlaced(config, staged) || !hasRoom(config, staged)) {
			throw new UpdateError(ErrorCode.SPACE);
		}
	}

	// Steps one behind the other, and few names and objects: what is called here has little of the stack left, and of memory.
	select(staged: Staged): void {
		const first = staged.destination === 0 ? APPLICATION_OFFSET : 0;
		let crc = 0;
		if (staged.inflated === undefined) {
			crc = flashCRC(this.board, STAGING_NAME, staged.address + first, staged.size - first);
		}
		const record = new BootRecord();
		const sequence = record.nextSequence;
		const notes = new RefusedImages(record.flash, RECORD_NOTES);
		const refused = notes.collect();
		record.erase();
		// Before the header, with which the record counts.
		notes.describe(staged.image, sequence);
		notes.append(0);
		notes.put(refused, 0);
		const header = headerOf(staged, sequence, this.trial !== undefined);
		header.crc = crc;
		record.write(header);
	}

	clear(): void {
		try {
			const record = new BootRecord();
			if (!record.isUntouched) return;
			record.set(RecordState.REFUSED);
			// Nobody waits for what has become of it.
			markTold("refused");
		} catch {
			// The boot loader reads all of what is staged before it takes it: it refuses what has been written over.
		}
	}

	restart(): never {
		this.board.restart();
	}
}

/** Without the CRC. */
function headerOf(staged: Staged, sequence: number, hasTrials: boolean): RecordHeader {
	const { address: source, size, destination, inflated } = staged;
	const isTrial = hasTrials && destination === 0;
	let flags = inflated === undefined ? 0 : RecordFlag.GZIP | RecordFlag.CRC_UNKNOWN;
	if (isTrial) flags |= RecordFlag.TRIAL;
	const starts = isTrial ? STARTS : 0;
	return { sequence, flags, source, destination, size, length: inflated ?? size, crc: 0, starts };
}

/** Where the layout that the application was made with has other places for what the boot loader stands on, it would write over that. */
function layoutFault(config: BootConfig): UpdateError | undefined {
	const { record, stages } = config;
	let place = "";
	if (!isAt(RECORD_NAME, record, record + SECTOR)) place = RECORD_NAME;
	else if (!isAt(STAGES_NAME, stages, stages + 2 * SECTOR)) place = STAGES_NAME;
	return place === "" ? undefined : new UpdateError(ErrorCode.OTHER_LAYOUT, place);
}

function isAt(path: string, start: number, end: number): boolean {
	try {
		const partition = flash.open({ path, mode: "r" });
		const { address, size } = partition.status();
		partition.close();
		return address === start && address + size === end;
	} catch {
		return false;
	}
}

function roundUp(length: number): number {
	return Math.ceil(length / SECTOR) * SECTOR;
}

/** Whether some of a range is what the boot loader needs for itself. */
function meetsOwn({ record, stages }: BootConfig, start: number, end: number): boolean {
	return (start <= record && record < end) || (start < stages + 2 * SECTOR && stages < end);
}

/** Whether it is staged, and goes, where the boot loader takes it from, and brings it to. */
function isPlaced(config: BootConfig, { address, size, destination }: Staged): boolean {
	const { flashSize, filesystem, filesystemEnd } = config;
	const end = address + roundUp(size);
	if (address % SECTOR !== 0 || address < APPLICATION_OFFSET || size <= 0 || end > flashSize) return false;
	if (meetsOwn(config, address, end)) return false;
	return destination === 0 || (destination >= filesystem && destination + SECTOR <= filesystemEnd);
}

/** Whether there is room for the result beside what it is made of. */
function hasRoom(config: BootConfig, { address, size, destination, room, inflated }: Staged): boolean {
	const length = inflated ?? size;
	const isFirmware = destination === 0;
	const start = isFirmware ? APPLICATION_OFFSET : destination;
	const limit = isFirmware ? config.applicationEnd : config.filesystemEnd - destination;
	const end = destination + roundUp(length);
	if (length > limit || length > room || meetsOwn(config, start, end)) return false;
	const overlaps = start < address + roundUp(size) && address < end;
	// Inflated it would have to begin anew where the power was cut, and its start would be gone.
	return !overlaps || (inflated === undefined && destination <= address);
}
