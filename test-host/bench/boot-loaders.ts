/** Our boot loader beside eboot: what a power cut leaves of a board, and how long an install takes. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { bootLoaderFile } from "../../boot/build";
import { ACTION_COPY_RAW, COMMAND_LENGTH, encodeCommand } from "../../ota/eboot";
import { SECTOR } from "../../ota/image";
import { readLayouts } from "../../partitions/layout-file";
import type { BootConfig } from "../../tools/image/boot-config";
import { bootConfigOf } from "../../tools/image/layout-config";
import { parseOwnBootLoader } from "../../tools/image/own-boot-loader";
import { JudgedBoard } from "../judge/board";
import { bootLoaderCells } from "../judge/boot-loader";
import { type Count, Cuts } from "../judge/cuts";
import { applicationOf, firmware } from "../judge/images";
import { FLASH_SIZE } from "../judge/places";
import { commanded, type Plan, recorded } from "../judge/plans";
import { encodeIntention, RecordFlag } from "../judge/record";
import { Solo } from "../judge/solo";
import { bootMachine } from "../lx106/boot/boot";
import { boot } from "../virtual/boot";
import { type ChipOptions, NorFlash } from "../virtual/nor";
import { type Outcome, ResetCause } from "../virtual/outcome";
import { RtcMemory } from "../virtual/rtc";
import { bootTimeOf, flashTime, INFLATE, TYPICAL } from "./figures";
import { benchFirmware, IMAGE_LENGTH } from "./image";
import { table } from "./report";

const machine = new Solo(new JudgedBoard((start) => bootMachine(start)));
/** eboot restarts after a filesystem, in which it finds no application. */
const eboot = new Solo(
	new JudgedBoard((start) => {
		let outcome = boot({ ...start, trials: false });
		if (outcome.kind === "reset") outcome = boot({ ...start, cause: ResetCause.RESET, trials: false });
		return outcome;
	}),
);

/** Sector 0, and both copies of the second stage. */
function putBootLoader(cells: Uint8Array, config: BootConfig): void {
	const { image, secondStage } = parseOwnBootLoader(readFileSync(bootLoaderFile));
	cells.set(image(config));
	for (const address of [config.stages, config.stages + SECTOR]) cells.set(secondStage, address);
}

function ebootCells(): Uint8Array {
	const cells = new Uint8Array(FLASH_SIZE).fill(0xff);
	cells.set(firmware({ seed: 1, length: 2 * SECTOR }).subarray(0, SECTOR));
	return cells;
}

const dead = ({ points, bricks }: Count) => `${bricks} of ${points}`;

/** What an update that is cut leaves: eboot's boards, where it can do that update, and ours, once and twice. */
export function cutLine(plan: Plan, stride = plan.stride): string[] {
	const ours = new Cuts(machine, plan, bootLoaderCells(plan.config));
	return [
		plan.name,
		commanded.includes(plan) ? dead(new Cuts(eboot, plan, ebootCells()).once(false)) : "",
		dead(ours.once()),
		dead(ours.twice(stride)),
	];
}

/** How many moments of a power cut leave a board with nothing whole to start. */
export function cutTable(): string {
	const titles = ["an update, cut", "eboot, once", "ours, once", "ours, the repair too"];
	return table(
		titles,
		[...commanded, ...recorded].map((plan) => cutLine(plan)),
	);
}

interface Install {
	name: string;
	layout: string;
	isOurs: boolean;
	isGzip: boolean;
	/** By our record, and so on trial where there is room for the application before. */
	isRecorded: boolean;
}

export const installs: readonly Install[] = [false, true].flatMap((isGzip) => {
	const how = isGzip ? "gzip" : "raw";
	const [roomy, keeping] = ["nodemcu-4m", "nodemcu-4m-1m"];
	return [
		{ name: `${how}, eboot`, layout: roomy, isOurs: false, isGzip, isRecorded: false },
		{ name: `${how}, ours, by eboot's command`, layout: roomy, isOurs: true, isGzip, isRecorded: false },
		{ name: `${how}, ours`, layout: roomy, isOurs: true, isGzip, isRecorded: true },
		{ name: `${how}, ours, the one before kept`, layout: keeping, isOurs: true, isGzip, isRecorded: true },
	];
});

interface Cost {
	instructions: number;
	/** Microseconds. */
	time: number;
}

/** A NodeMCU with an update that is staged: what its next start costs, and the one after it. */
function costsOf({ layout: name, isOurs, isGzip, isRecorded }: Install): Cost[] {
	const layout = readLayouts().find(([file]) => file === `${name}.json`)?.[1];
	if (!layout) throw new Error(`no layout ${name}`);
	const config = bootConfigOf(layout);
	const source = Number(layout.partitions.nextota?.offset);
	// Of another length, so that no sector of it is the same.
	const old = benchFirmware("1.0.0", IMAGE_LENGTH - 2 * SECTOR);
	const result = benchFirmware("2.0.0");
	const staged = isGzip ? new Uint8Array(gzipSync(result, { level: 9 })) : result;

	const cells = new Uint8Array(config.flashSize).fill(0xff);
	cells.set(old);
	if (isOurs) putBootLoader(cells, config);
	cells.set(staged, source);
	const rtc = new RtcMemory();
	if (isRecorded) {
		const flags =
			(config.previous ? RecordFlag.TRIAL : 0) | (isGzip ? RecordFlag.GZIP | RecordFlag.CRC_UNKNOWN : 0);
		cells.set(encodeIntention({ flags, source, destination: 0, staged, result }), config.record);
	} else {
		const block = new Uint8Array(COMMAND_LENGTH);
		encodeCommand(block, { action: ACTION_COPY_RAW, source, destination: 0, size: staged.length });
		rtc.write(0, block);
	}

	let time = 0;
	const onOperation: ChipOptions["onOperation"] = (operation, length) => {
		time += flashTime(TYPICAL, operation, length);
	};
	const start = {
		flash: NorFlash.inMemory(cells, { onOperation }),
		rtc,
		print: () => {},
		cause: ResetCause.RESET,
	};
	return [isGzip ? INFLATE * result.length : 0, 0].map((inflating) => {
		time = 0;
		const outcome: Outcome & { instructions?: number } = isOurs
			? bootMachine(start)
			: boot({ ...start, trials: false });
		if (outcome.kind !== "jump") throw new Error(`nothing starts: ${outcome.reason}`);
		const { instructions = inflating } = outcome;
		const isNew = Buffer.compare(cells.subarray(SECTOR, result.length), applicationOf(result)) === 0;
		if (!isNew) throw new Error("it was not installed");
		return { instructions, time: time + bootTimeOf(instructions) };
	});
}

/** Million instructions and seconds of an install, and of the start after it. */
export function timeLine(install: Install): string[] {
	const numbers = costsOf(install).flatMap(({ instructions, time }) => [
		instructions === 0 ? "few" : (instructions / 1e6).toFixed(1),
		(time / 1e6).toFixed(2),
	]);
	return [install.name, ...numbers];
}

export function timeTable(): string {
	const titles = [
		`install of ${IMAGE_LENGTH / 1024} KiB`,
		"million instructions",
		"s",
		"the next start, million",
		"s",
	];
	return table(titles, installs.map(timeLine));
}
