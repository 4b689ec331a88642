/** A board with our boot loader's machine code on a bench, and the Updater of each start, in this thread. */
import { onTestFinished } from "vitest";
import { bootStrategy } from "../../ota/boot-loader";
import type { RecordState } from "../../ota/boot-record/header";
import { BootRecord } from "../../ota/boot-record/record";
import { DESCRIPTOR_OFFSET, readDescriptor } from "../../ota/descriptor";
import { FLASH_SIZE_OFFSET, SECTOR } from "../../ota/image";
import { RunningFirmware } from "../../ota/running";
import { Updater } from "../../ota/updater";
import type { BootConfig } from "../../tools/image/boot-config";
import { JudgedBoard } from "../judge/board";
import { applicationOf } from "../judge/images";
import { FLASH_SIZE, PLACES, STAGING } from "../judge/places";
import board from "../shims/board";
import { installGlobals } from "../shims/globals";
import { insertChip, QUIET } from "../virtual/chip";
import { buildFirmware } from "../virtual/image-builder";
import type { Layout } from "../virtual/layout";
import { PowerCut } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { modelStages } from "../virtual/own-boot/stages";
import type { JudgeBench } from "./boot-judge-bench";
import { md5, Restarted } from "./updater-bench";

/** The header's nibble for the small flash of the judged board. */
const FLASH_NIBBLE = 1;

/** A firmware of exactly `length` bytes, for the judged board's flash. */
export function ownFirmware(version: string, length: number, confirms = true): Uint8Array {
	const script = `running("${version}")`;
	return buildFirmware({ script, name: "bench", version, padTo: length, confirms, flashSize: FLASH_NIBBLE });
}

/** What an application for the judged board has as its layout. */
export function layoutOf(config: BootConfig): Layout {
	const place = (offset: number, end: number, readOnly = false) => ({ offset, size: end - offset, readOnly });
	const { record, stages, previous, previousEnd, filesystem, filesystemEnd, applicationEnd } = config;
	return new Map([
		["running", place(0, applicationEnd, true)],
		["nextota", place(STAGING, filesystem)],
		["storage", place(filesystem, filesystemEnd)],
		["bootrecord", place(record, record + SECTOR)],
		["bootstages", place(stages, stages + 2 * SECTOR, true)],
		...(previousEnd > 0 ? ([["previous", place(previous, previousEnd, true)]] as const) : []),
	]);
}

/** Cells of a flash that has no more of the boot loader than its configuration. */
function configured(config: BootConfig): Uint8Array {
	const cells = new Uint8Array(FLASH_SIZE).fill(0xff);
	cells.set(modelStages.image(config));
	return cells;
}

export class OwnBench {
	readonly judged: JudgedBoard;
	config: BootConfig = PLACES;
	readonly #judge: JudgeBench | undefined;
	#updater: Updater | undefined;
	#running: RunningFirmware | undefined;

	/** With `judge` the board has the boot loader's machine code, which wants a compiler. */
	constructor(judge?: JudgeBench) {
		this.#judge = judge;
		this.judged = judge?.board ?? new JudgedBoard(() => ({ kind: "hang", reason: "no boot loader" }));
	}

	/** A board that a cable has put `running` into. */
	insert(running: Uint8Array, config: BootConfig = PLACES): void {
		const { judged } = this;
		this.config = config;
		judged.renew(this.#judge?.cells(config) ?? configured(config));
		judged.cells[FLASH_SIZE_OFFSET] = FLASH_NIBBLE << 4;
		judged.put(SECTOR, applicationOf(running));
		installGlobals();
		insertChip({
			flash: judged.flash,
			get rtc() {
				return judged.rtc;
			},
			layout: layoutOf(config),
			...QUIET,
			restart: () => {
				throw new Restarted();
			},
		});
		onTestFinished(() => insertChip(undefined));
	}

	/** Boots, and gives the application its Updater; the version that runs, or how the start ended. */
	start(cause: ResetCause = ResetCause.RESET): string {
		const ending = this.judged.start(cause);
		if (ending !== "application") return ending;
		this.run();
		return this.version;
	}

	/** What the application makes at its start. */
	run(): Updater {
		const boot = bootStrategy(board);
		const running = new RunningFirmware(boot.applicationOffset);
		this.#running = running;
		this.#updater = new Updater({ board, running, boot, atomicFilesystem: true });
		return this.#updater;
	}

	/** The record as it lies in flash. */
	get record(): BootRecord {
		return new BootRecord("r");
	}

	/** Sets states of the record, as the boot loader does. */
	set(...states: readonly RecordState[]): void {
		for (const state of states)
			this.judged.cells.fill(0, this.config.record + state, this.config.record + state + 4);
	}

	/** Of what lies in the application's place. */
	get version(): string {
		return readDescriptor(new DataView(this.judged.cells.buffer), DESCRIPTOR_OFFSET)?.version ?? "";
	}

	/** Whether all of a firmware lies in its place. */
	has(file: Uint8Array): boolean {
		return Buffer.compare(this.judged.installed(file.length - SECTOR), applicationOf(file)) === 0;
	}

	/** What the application of the last start knows of itself. */
	get running(): RunningFirmware {
		if (!this.#running) throw new Error("not started");
		return this.#running;
	}

	/** Of the start before. */
	get updater(): Updater {
		if (!this.#updater) throw new Error("not started");
		return this.#updater;
	}

	/** A whole update, up to the choice. */
	update(bytes: Uint8Array, kind: "firmware" | "filesystem" = "firmware"): void {
		const update = this.updater.open({ kind, byteLength: bytes.length, md5: md5(bytes) });
		for (let at = 0; at < bytes.length; at += 1460) update.write(bytes.subarray(at, at + 1460));
		update.complete();
	}

	/** Rolls back as the application does. */
	rollback(): void {
		restarting(() => this.updater.rollback());
	}

	/** Whether the power went while `act` was done. */
	isCut(act: () => void): boolean {
		try {
			act();
		} catch (error) {
			if (!(error instanceof PowerCut) && this.judged.control.powered) throw error;
		}
		return !this.judged.control.powered;
	}
}

/** What ends in the restart. */
export function restarting(act: () => void): void {
	try {
		act();
	} catch (error) {
		if (!(error instanceof Restarted)) throw error;
	}
}
