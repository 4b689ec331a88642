/** What an update can be, each on a board of its own. */
import { gzipSync } from "node:zlib";
import { SECTOR } from "../../ota/image";
import type { BootConfig } from "../../tools/image/boot-config";
import { Noise } from "../virtual/noise";
import type { JudgedBoard } from "./board";
import { applicationOf, firmware } from "./images";
import { NO_PREVIOUS, PLACES, STAGING } from "./places";
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
	/** A power cut may end it: the command was in RTC memory only, or the trial is over. */
	mayBeLost: boolean;
	/** The application confirms itself when it runs. */
	confirms: boolean;
	/** Of the first cuts every so many are cut twice. */
	stride: number;
}

/** What runs before, in most plans. */
export const OLD = firmware({ seed: 1, length: 3 * SECTOR - 300 });
/** Of one sector, behind which an update may be staged where it will lie. */
const SMALL = firmware({ seed: 5, length: 2 * SECTOR - 500 });
const NEW = firmware({ seed: 2, length: 3 * SECTOR + 400, packed: true });
/** No two sectors of it are the same. */
const COMPRESSIBLE = firmware({ seed: 6, length: 3 * SECTOR + 400, packed: true, period: 5000 });
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
	const result = isGzip ? COMPRESSIBLE : NEW;
	const staged = isGzip ? new Uint8Array(gzipSync(result, { level: 9 })) : result;
	return {
		name,
		config,
		confirms,
		starts,
		stride: 1,
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
			const intention = { flags, source: at, destination: 0, staged, result };
			board.put(config.record, encodeIntention(intention));
		},
		isOld: (board) => !isFirst && has(board, old),
		isNew: (board) => has(board, result),
	};
}

function filesystemPlan({ name, isGzip = false, isCommanded = false }: FirmwareCase): Plan {
	const staged = isGzip ? new Uint8Array(gzipSync(FILESYSTEM)) : FILESYSTEM.subarray(0, 3 * SECTOR - 900);
	const result = isGzip ? FILESYSTEM : staged;
	const { filesystem, record } = NO_PREVIOUS;
	const holds = (board: JudgedBoard, bytes: Uint8Array) =>
		Buffer.compare(board.cells.subarray(filesystem, filesystem + bytes.length), bytes) === 0;
	return {
		name,
		config: NO_PREVIOUS,
		starts: 1,
		// A whole block: each first cut has over a thousand second ones, of 10 ms each.
		stride: isGzip ? 97 : 1,
		mayBeLost: isCommanded,
		confirms: false,
		prepare(board) {
			board.put(SECTOR, applicationOf(OLD));
			board.put(filesystem, OLD_FILESYSTEM);
			board.put(STAGING, staged);
			if (isCommanded) {
				board.command(STAGING, filesystem, staged.length);
				return;
			}
			const flags = isGzip ? RecordFlag.GZIP | RecordFlag.CRC_UNKNOWN : 0;
			board.put(record, encodeIntention({ flags, source: STAGING, destination: filesystem, staged, result }));
		},
		isOld: (board) => has(board, OLD) && holds(board, OLD_FILESYSTEM),
		isNew: (board) => has(board, OLD) && holds(board, result),
	};
}

/** What eboot can do, too. */
const plain: readonly FirmwareCase[] = [
	{ name: "raw" },
	{ name: "gzip", isGzip: true },
	// The last sectors of its own place.
	{ name: "raw, overlapping", at: 2 * SECTOR, old: SMALL },
];
const filesystems: readonly FirmwareCase[] = [
	{ name: "filesystem" },
	{ name: "filesystem, gzip", isGzip: true },
];

/** By eboot's command in RTC memory. */
export const commanded: readonly Plan[] = [
	...plain.map((given) => firmwarePlan({ ...given, isCommanded: true })),
	...filesystems.map((given) => filesystemPlan({ ...given, isCommanded: true })),
].map((plan) => ({ ...plan, name: `${plan.name}, by eboot's command`, stride: 4 * plan.stride - 3 }));

/** By our record. */
export const recorded: readonly Plan[] = [
	...plain.map(firmwarePlan),
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
	firmwarePlan({ name: "not confirmed, restored", config: PLACES, isTrial: true, starts: 2 }),
	...filesystems.map(filesystemPlan),
];

export const plans: readonly Plan[] = [...recorded, ...commanded];
