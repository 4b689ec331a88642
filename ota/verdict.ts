/**
 * Did the update take effect? A boot loader can install nothing and start the old firmware as if all were
 * well. So what was meant to run is kept in RTC memory, behind eboot's command, and the next start compares. Our own boot
 * loader leaves in its record what it has done.
 * SPEC.md draws the record.
 */
import Timer from "timer";
import type { Board } from "./board";
import { RecordFlag } from "./boot-record/header";
import { hasOwnBootLoader, markTold, type Outcome, readOutcome } from "./boot-record/outcome";
import { readText, VERSION_LENGTH, writeText } from "./descriptor";
import { COMMAND_LENGTH, crc32 } from "./eboot";
import { FlashDigest } from "./flash-digest";
import { crcText, GzipCRC } from "./gzip-crc";
import { putHex, toHex } from "./hex";
import { kindOf, placeOf, type UpdateKind } from "./kind";
import type { RunningFirmware } from "./running";

const RECORD_OFFSET = COMMAND_LENGTH;
const RECORD_LENGTH = 96;
/** "OTAV", little-endian. */
const MAGIC = 0x5641544f;
const FORMAT = 3;
const DIGEST_OFFSET = 12;
const MD5_LENGTH = 16;
const CRC_LENGTH = 4;
const VERSION_OFFSET = 28;
const TIME_OFFSET = 60;
const FROM_OFFSET = 64;
const FROM_LENGTH = 28;
const CRC_OFFSET = RECORD_LENGTH - 4;
const GZIP = 1;
const MODE_UNCHANGED = 0xff;

export interface Expectation {
	kind: UpdateKind;
	/** Staged as a gzip, which the boot loader inflates. */
	gzip: boolean;
	/** Bytes at the target; of a gzip the inflated ones. */
	size: number;
	/** MD5 of those bytes as sent; of a gzip, whose content has gone by unseen, the CRC-32 in its trailer. Hexadecimal. */
	digest: string;
	/** Version text of the image, or empty. */
	version: string;
	/** The flash mode that was sent in the header, where another one was written. */
	flashMode?: number | undefined;
	/** Milliseconds that the update took, and where it came from: 28 characters at most. */
	ms: number;
	from: string;
}

export interface Verdict extends Expectation {
	tookEffect: boolean;
	/** For people: `update to 2.0.0 took effect`, or why not. */
	text: string;
}

/** Keeps what is meant to run after the next restart. */
export function recordExpectation(board: Board, expectation: Expectation): void {
	const bytes = new Uint8Array(RECORD_LENGTH);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, MAGIC, true);
	bytes[4] = FORMAT;
	bytes[5] = placeOf(expectation.kind).command;
	bytes[6] = expectation.gzip ? GZIP : 0;
	bytes[7] = expectation.flashMode ?? MODE_UNCHANGED;
	view.setUint32(8, expectation.size, true);
	putHex(bytes, DIGEST_OFFSET, expectation.digest);
	writeText(view, VERSION_OFFSET, VERSION_LENGTH, expectation.version);
	view.setUint32(TIME_OFFSET, expectation.ms, true);
	writeText(view, FROM_OFFSET, FROM_LENGTH, expectation.from);
	view.setUint32(CRC_OFFSET, crc32(bytes, CRC_OFFSET), true);
	board.writeRTC(bytes, RECORD_OFFSET);
}

/** Forgets what was meant to run. */
export function clearExpectation(board: Board): void {
	board.writeRTC(new Uint8Array(RECORD_LENGTH), RECORD_OFFSET);
}

/** What was meant to run, or undefined where no update preceded this start. */
export function readExpectation(board: Board): Expectation | undefined {
	const bytes = new Uint8Array(RECORD_LENGTH);
	board.readRTC(bytes, RECORD_OFFSET);
	const view = new DataView(bytes.buffer);
	if (view.getUint32(0, true) !== MAGIC || bytes[4] !== FORMAT) return undefined;
	if (view.getUint32(CRC_OFFSET, true) !== crc32(bytes, CRC_OFFSET)) return undefined;
	const kind = kindOf(view.getUint8(5));
	if (!kind) return undefined;
	const flashMode = view.getUint8(7);
	const gzip = view.getUint8(6) === GZIP;
	return {
		kind,
		gzip,
		size: view.getUint32(8, true),
		digest: toHex(bytes.buffer.slice(DIGEST_OFFSET, DIGEST_OFFSET + (gzip ? CRC_LENGTH : MD5_LENGTH))),
		version: readText(view, VERSION_OFFSET, VERSION_LENGTH),
		ms: view.getUint32(TIME_OFFSET, true),
		from: readText(view, FROM_OFFSET, FROM_LENGTH),
		flashMode: flashMode === MODE_UNCHANGED ? undefined : flashMode,
	};
}

/**
 * Compares what runs with what the last update meant to run, in slices between which the event loop turns,
 * and forgets it. `onVerdict` is not called where no update preceded this start. Our boot loader's record tells of one
 * that a power cut came behind, too.
 */
export function judge(board: Board, running: RunningFirmware, onVerdict: (verdict: Verdict) => void): void {
	const given = readExpectation(board);
	// The record is read in a turn of its own, for the stack's sake.
	if (hasOwnBootLoader()) Timer.set(() => compare(board, running, onVerdict, given, true));
	else if (given) compare(board, running, onVerdict, given, false);
}

function compare(
	board: Board,
	running: RunningFirmware,
	onVerdict: (verdict: Verdict) => void,
	given: Expectation | undefined,
	isOwn: boolean,
): void {
	const outcome = isOwn ? readOutcome() : undefined;
	const expected = outcome ? expectationOf(outcome, given) : given;
	if (!expected) return;
	const { kind, gzip, size, flashMode } = expected;
	const known = outcome ? recorded(outcome, board) : undefined;
	// Without a record of it nothing was taken up; and in flash lies another sector 0 than in the file.
	const isLost = isOwn && !outcome && kind === "firmware";
	new FlashDigest({
		partition: placeOf(kind).target,
		length: isLost ? 0 : size,
		flashMode,
		digest: gzip ? new GzipCRC(board) : undefined,
		...known,
		onDone(digest) {
			clearExpectation(board);
			if (outcome) markTold(outcome.ending);
			const tookEffect = outcome ? isInstalled(outcome, digest) : !isLost && digest === expected.digest;
			onVerdict({ ...expected, tookEffect, text: describe(expected, running, tookEffect, outcome) });
		},
	});
}

/** What is known of the update, where the RTC memory has lost it, or is of another one. */
function expectationOf({ header, image, crc }: Outcome, given: Expectation | undefined): Expectation {
	const kind = header.destination === 0 ? "firmware" : "filesystem";
	const { length: size, flags } = header;
	if (given && given.kind === kind && given.size === size) return given;
	const gzip = (flags & RecordFlag.GZIP) !== 0;
	const digest = crc === undefined ? "" : crcText(crc);
	return { kind, gzip, size, digest, version: image?.version ?? "", ms: 0, from: "" };
}

/** What of the flash tells whether it is there still. */
function recorded({ ending, crc, start, header }: Outcome, board: Board) {
	const isLooked = ending === "installed" && crc !== undefined;
	const length = isLooked ? header.length - start : 0;
	return { start, length, flashMode: undefined, digest: new GzipCRC(board) };
}

function isInstalled({ ending, crc }: Outcome, digest: string | undefined): boolean {
	return ending === "installed" && (crc === undefined || digest === crcText(crc));
}

function describe(
	expected: Expectation,
	running: RunningFirmware,
	tookEffect: boolean,
	outcome: Outcome | undefined,
): string {
	const { kind, gzip, size } = expected;
	const version = expected.version || (gzip && tookEffect ? running.version : "");
	const what =
		version && kind === "firmware" ? `update to ${version}` : `update of the ${kind} (${size} bytes)`;
	if (tookEffect) return `${what} took effect`;
	const still = running.version || `a firmware of ${running.size} bytes`;
	if (outcome?.ending === "restored") return `${what} was taken back: ${still} runs again`;
	if (outcome?.ending === "refused") return `${what} did not take effect: the boot loader refused it`;
	if (kind === "filesystem") return `${what} did not take effect: the flash holds something else`;
	return `${what} did not take effect: the boot loader left ${still} running`;
}
