import flash, { type Flash } from "embedded:storage/flash";
import { ErrorCode, UpdateError } from "../errors";
import {
	decodeHeader,
	encodeHeader,
	HEADER_LENGTH,
	RecordFlag,
	type RecordHeader,
	RecordState,
} from "./header";

/** The partition of the record. */
export const RECORD_NAME = "bootrecord";

/** Bytes and CRC-32 of the application before, kept or not, then both inverted. */
const KEPT_OFFSET = 0xc0;
/** CRC-32 of the result, and inverted. */
const RESULT_OFFSET = 0xd0;
/** Of what is read at once. */
const READ_LENGTH = 0xd8;
/** A word that was torn, or has lost a bit, counts by most of its bits. */
const ZEROS = 16;

/** What the boot loader is to do, and how far it is, as it lies in flash. It is read when it is made, and after each change. */
export class BootRecord {
	readonly flash: Flash;
	/** Undefined where no copy of it is whole: then no state is set. */
	header: RecordHeader | undefined;
	private readonly view = new DataView(new ArrayBuffer(READ_LENGTH));

	/** Throws UpdateError READ. */
	constructor(mode: "r" | "r+" = "r+") {
		try {
			this.flash = flash.open({ path: RECORD_NAME, mode });
			// As `read` does: what chooses an update has little of the stack left.
			this.flash.read(this.view, 0);
			this.header = decodeHeader(this.view) ?? decodeHeader(this.view, HEADER_LENGTH);
		} catch {
			throw new UpdateError(ErrorCode.READ);
		}
	}

	/** Of the record that follows this one. */
	get nextSequence(): number {
		return ((this.header?.sequence ?? 0) + 1) >>> 0;
	}

	/** Whether it is of a firmware that was to be installed. */
	get isOfApplication(): boolean {
		const { header } = this;
		return header !== undefined && header.destination === 0 && (header.flags & RecordFlag.ONLY_RESTORE) === 0;
	}

	/** Whether a firmware that came with it has to be confirmed, and has not been. */
	get isTrial(): boolean {
		const isTrial = this.isOfApplication && ((this.header?.flags ?? 0) & RecordFlag.TRIAL) !== 0;
		return isTrial && this.is(RecordState.INSTALLED) && !this.is(RecordState.CONFIRMED);
	}

	/** Whether the boot loader has it still before it, and has changed nothing. */
	get isUntouched(): boolean {
		const { header } = this;
		if (!header || (header.flags & RecordFlag.ONLY_RESTORE) !== 0) return false;
		const { REFUSED, BEGUN, INSTALLED, RESTORE } = RecordState;
		return !this.is(REFUSED) && !this.is(BEGUN) && !this.is(INSTALLED) && !this.is(RESTORE);
	}

	/** Bytes and CRC-32 of the application before; undefined where the boot loader has not told. */
	get before(): { length: number; crc: number } | undefined {
		const length = this.known(KEPT_OFFSET, KEPT_OFFSET + 8);
		const crc = this.known(KEPT_OFFSET + 4, KEPT_OFFSET + 12);
		return length === undefined || crc === undefined ? undefined : { length, crc };
	}

	/** zlib's CRC-32 of what of the result is written; undefined where nobody knows it yet. */
	get resultCRC(): number | undefined {
		const { flags, crc } = this.header ?? { flags: RecordFlag.CRC_UNKNOWN, crc: 0 };
		return flags & RecordFlag.CRC_UNKNOWN ? this.known(RESULT_OFFSET, RESULT_OFFSET + 4) : crc;
	}

	is(state: RecordState): boolean {
		return this.header !== undefined && isSet(this.view.getUint32(state, true));
	}

	/** Without an erase. Throws UpdateError WRITE. */
	set(state: RecordState): void {
		if (this.is(state)) return;
		this.clearWord(state);
		if (!this.is(state)) throw new UpdateError(ErrorCode.WRITE);
	}

	/** Whether a word elsewhere in the record, at an offset that the application may use, was cleared. Throws UpdateError READ. */
	isCleared(offset: number): boolean {
		try {
			return isSet(new DataView(this.flash.read(4, offset)).getUint32(0, true));
		} catch {
			throw new UpdateError(ErrorCode.READ);
		}
	}

	/** Programs a word to 0. Throws UpdateError WRITE. */
	clearWord(offset: number): void {
		try {
			this.flash.write(new Uint8Array(4), offset);
			this.read();
		} catch {
			throw new UpdateError(ErrorCode.WRITE);
		}
	}

	/** Forgets all of it, for a new one. Throws UpdateError ERASE. */
	erase(): void {
		this.header = undefined;
		try {
			this.flash.eraseBlock(0);
		} catch {
			throw new UpdateError(ErrorCode.ERASE);
		}
	}

	/** Writes the header and its copy into an erased record: with the first of them it counts. Throws UpdateError WRITE. */
	write(header: RecordHeader): void {
		const bytes = new DataView(new ArrayBuffer(HEADER_LENGTH));
		encodeHeader(bytes, header);
		let isWhole = false;
		try {
			this.flash.write(bytes, 0);
			this.flash.write(bytes, HEADER_LENGTH);
			isWhole = this.flash.equals(bytes, 0) && this.flash.equals(bytes, HEADER_LENGTH);
			this.flash.read(this.view, 0);
		} catch {
			isWhole = false;
		}
		if (!isWhole) throw new UpdateError(ErrorCode.WRITE);
		this.header = header;
	}

	private read(): void {
		this.flash.read(this.view, 0);
		this.header = decodeHeader(this.view) ?? decodeHeader(this.view, HEADER_LENGTH);
	}

	/** A word that is kept inverted, too. */
	private known(offset: number, inverted: number): number | undefined {
		const word = this.view.getUint32(offset, true);
		const isKnown = this.header !== undefined && (word ^ this.view.getUint32(inverted, true)) === -1;
		return isKnown ? word : undefined;
	}
}

function isSet(word: number): boolean {
	let zeros = 0;
	for (let rest = ~word; rest !== 0; rest &= rest - 1) zeros += 1;
	return zeros > ZEROS;
}
