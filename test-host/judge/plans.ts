/** What an update can be, each on a board of its own. */
import { gzipSync } from "node:zlib";
import { SECTOR } from "../../ota/image";
import { Noise } from "../virtual/noise";
import type { JudgedBoard } from "./board";
import { applicationOf, firmware } from "./images";
import { type BootConfig, NO_PREVIOUS, PLACES, STAGING } from "./places";
import { encodeIntention, RecordFlag } from "./record";

export interface Plan {
	name: string;
	config: BootConfig;
	/** All that lies in flash and RTC memory before the start, but for the boot loader. */
	prepare(board: JudgedBoard): void;
	/** Whether what is to be replaced is whole, and was there before or is new. */
	isOld(board: JudgedBoard): boolean;
	isNew(board: JudgedBoard): boolean;
	/** How many starts it takes. */
	starts: number;
	/** By eboot's command, in RTC memory. */
	isCommanded: boolean;
	/** A power cut may end it: the command was in RTC memory only, or the trial is over. */
	mayBeLost: boolean;
	/** The application confirms itself when it runs. */
	confirms: boolean;
}

const OLD = firmware({ seed: 1, length: 3 * SECTOR - 300 });
/** Of one sector, behind which an update may be staged where it will lie. */
const SMALL = firmware({ seed: 5, length: 2 * SECTOR - 500 });
const NEW = firmware({ seed: 2, length: 3 * SECTOR + 400, packed: true });
/** It takes a whole block, and compresses well. */
const FILESYSTEM = new Noise(3).fill(new Uint8Array(17 * SECTOR - 900)).fill(0x5a, 3000, 64000);
const OLD_FILESYSTEM = new Noise(4).fill(new Uint8Array(18 * SECTOR));

const has = (board: JudgedBoard, file: Uint8Array) =>
	Buffer.compare(board.installed(file.length - SECTOR), applicationOf(file)) === 0;

interface FirmwareCase {
	name: string;
	config?: BootConfig;
	isGzip?: boolean;
	/** Flash offset that it is staged at. */
	at?: number;
	/** By eboot's command in RTC memory, not by a record. */
	isCommanded?: boolean;
	isTrial?: boolean;
	confirms?: boolean;
	/** Nothing was ever installed through the air, and nothing runs yet. */
	isFirst?: boolean;
	starts?: number;
	/** What runs before. */
	old?: Uint8Array;
}

function firmwarePlan(given: FirmwareCase): Plan {
	const { name, config = NO_PREVIOUS, isGzip = false, at = STAGING, isCommanded = false } = given;
	const { isTrial = false, isFirst = false, starts = 1, confirms = false, old = OLD } = given;
	const staged = isGzip ? new Uint8Array(gzipSync(NEW, { level: 9 })) : NEW;
	return {
		name,
		config,
		confirms,
		starts,
		isCommanded,
		mayBeLost: isCommanded || isTrial,
		prepare(board) {
			if (!isFirst) board.put(SECTOR, applicationOf(old));
			board.put(at, staged);
			if (isCommanded) {
				board.command(at, 0, staged.length);
				return;
			}
			const flags =
				(isGzip ? RecordFlag.GZIP | RecordFlag.CRC_UNKNOWN : 0) | (isTrial ? RecordFlag.TRIAL : 0);
			const intention = { flags, source: at, destination: 0, staged, result: NEW };
			board.put(config.record, encodeIntention(intention));
		},
		isOld: (board) => !isFirst && has(board, old),
		isNew: (board) => has(board, NEW),
	};
}

function filesystemPlan(name: string, isGzip: boolean): Plan {
	const staged = isGzip ? new Uint8Array(gzipSync(FILESYSTEM)) : FILESYSTEM.subarray(0, 3 * SECTOR - 900);
	const result = isGzip ? FILESYSTEM : staged;
	const { filesystem, record } = NO_PREVIOUS;
	const holds = (board: JudgedBoard, bytes: Uint8Array) =>
		Buffer.compare(board.cells.subarray(filesystem, filesystem + bytes.length), bytes) === 0;
	return {
		name,
		config: NO_PREVIOUS,
		starts: 1,
		isCommanded: false,
		mayBeLost: false,
		confirms: false,
		prepare(board) {
			board.put(SECTOR, applicationOf(OLD));
			board.put(filesystem, OLD_FILESYSTEM);
			board.put(STAGING, staged);
			const flags = isGzip ? RecordFlag.GZIP | RecordFlag.CRC_UNKNOWN : 0;
			board.put(record, encodeIntention({ flags, source: STAGING, destination: filesystem, staged, result }));
		},
		isOld: (board) => has(board, OLD) && holds(board, OLD_FILESYSTEM),
		isNew: (board) => has(board, OLD) && holds(board, result),
	};
}

export const plans: readonly Plan[] = [
	firmwarePlan({ name: "raw" }),
	firmwarePlan({ name: "raw, by eboot's command", isCommanded: true }),
	firmwarePlan({ name: "gzip", isGzip: true }),
	firmwarePlan({ name: "gzip, by eboot's command", isGzip: true, isCommanded: true }),
	// The last sectors of its own place.
	firmwarePlan({ name: "raw, overlapping", at: 2 * SECTOR, old: SMALL }),
	firmwarePlan({ name: "first install", isFirst: true }),
	firmwarePlan({ name: "raw, the one before kept", config: PLACES }),
	firmwarePlan({
		name: "gzip, the one before kept, on trial, confirmed",
		config: PLACES,
		isGzip: true,
		isTrial: true,
		confirms: true,
		starts: 2,
	}),
	// Not confirmed at its second start.
	firmwarePlan({ name: "restore", config: PLACES, isTrial: true, starts: 2 }),
	filesystemPlan("filesystem", false),
	filesystemPlan("filesystem, gzip", true),
];
