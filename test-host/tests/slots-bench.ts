/** A board with slots on a bench: its boot loader, and the Updater of each start, in this thread. */
import { onTestFinished } from "vitest";
import { bootStrategy } from "../../ota/boot-loader";
import { RunningFirmware } from "../../ota/running";
import type { Signatures } from "../../ota/signature/signatures";
import { decodeRecord, type OtadataRecord, RECORD_LENGTH } from "../../ota/slots/otadata-record";
import {
	AppSubtype,
	DataSubtype,
	type Partition,
	PartitionType,
	TABLE_OFFSET,
} from "../../ota/slots/partition-table";
import type { Update } from "../../ota/update";
import type { UpdateOptions } from "../../ota/update-options";
import { Updater } from "../../ota/updater";
import { encodeTable } from "../../tools/partitions/binary";
import board from "../shims/board";
import { installGlobals } from "../shims/globals";
import { findApplication } from "../virtual/application";
import { insertChip, QUIET } from "../virtual/chip";
import { buildRtosBoot, buildSlotImage } from "../virtual/image-builder";
import { layoutFor } from "../virtual/layout";
import { type Outcome, ResetCause } from "../virtual/outcome";
import { runROM } from "../virtual/rom";
import { runRtosBoot } from "../virtual/rtos-boot";
import { sizeNibble } from "../virtual/slots-flash";
import { BootBench } from "./boot-bench";
import { md5, Restarted } from "./updater-bench";

export const OTADATA = 0xd000;
export const OTA_0 = 0x10000;
export const OTA_1 = 0x110000;
const SLOT_SIZE = 0xf0000;

export function partition(
	label: string,
	type: number,
	subtype: number,
	offset: number,
	size: number,
): Partition {
	return { type, subtype, offset, size, label, flags: 0 };
}

/** The SDK's table for two slots. */
export const TWO_SLOTS: readonly Partition[] = [
	partition("nvs", PartitionType.DATA, DataSubtype.NVS, 0x9000, 0x4000),
	partition("otadata", PartitionType.DATA, DataSubtype.OTA, OTADATA, 0x2000),
	partition("phy_init", PartitionType.DATA, DataSubtype.PHY, 0xf000, 0x1000),
	partition("ota_0", PartitionType.APP, AppSubtype.OTA_0, OTA_0, SLOT_SIZE),
	partition("ota_1", PartitionType.APP, AppSubtype.OTA_0 + 1, OTA_1, SLOT_SIZE),
	partition("storage", PartitionType.DATA, DataSubtype.SPIFFS, 0x200000, 0x100000),
];

/** An application of exactly `length` bytes for the slot at this flash offset, for 1 MiB of flash and more. */
export function slotImage(version: string, length: number, slot = OTA_0): Uint8Array {
	return buildSlotImage({
		script: `running("${version}")`,
		name: "bench",
		version,
		padTo: length,
		slot,
		flashSize: 2,
	});
}

export const OLD = slotImage("1.0.0", 20_000);

export interface SlotsBenchOptions {
	size?: number;
	table?: Uint8Array;
	/** In the slot at OTA_0. */
	running?: Uint8Array;
	/** Whether the boot loader knows trials. */
	trials?: boolean;
	/** Who may sign. */
	signatures?: (() => Signatures) | undefined;
}

export class SlotsBench extends BootBench {
	readonly #trials: boolean;
	readonly #signatures: (() => Signatures) | undefined;
	#imageAddress = 0;
	#started: Updater | undefined;

	constructor(options: SlotsBenchOptions = {}) {
		const { size = 0x400000, table = encodeTable(TWO_SLOTS), running = OLD, trials = true } = options;
		super(size);
		this.#trials = trials;
		this.#signatures = options.signatures;
		this.put(0, buildRtosBoot({ flashSize: sizeNibble(size) }));
		this.put(TABLE_OFFSET, table);
		this.put(OTA_0, running);
		installGlobals();
		const bench = this;
		insertChip({
			flash: this.flash,
			rtc: this.rtc,
			layout: layoutFor(size),
			get imageAddress() {
				return bench.#imageAddress;
			},
			...QUIET,
			restart: () => {
				throw new Restarted();
			},
		});
		onTestFinished(() => insertChip(undefined));
	}

	override boot(cause: ResetCause = ResetCause.RESET): Outcome {
		this.uart = "";
		const print = (text: string) => {
			this.uart += text;
		};
		const outcome = runROM({ flash: this.flash, print, cause });
		if (outcome.kind !== "jump") return outcome;
		return runRtosBoot({ flash: this.flash, print, trials: this.#trials });
	}

	/** Boots; which version then runs, or what else happens. Nothing of the application's is run. */
	runs(cause: ResetCause = ResetCause.RESET): string {
		const outcome = this.boot(cause);
		if (outcome.kind !== "jump") return outcome.reason;
		this.#imageAddress = outcome.imageAddress ?? 0;
		const application = findApplication(this.flash, outcome.entry, outcome.memory);
		return application.kind === "script"
			? (/"(.*)"/.exec(application.script)?.[1] ?? "")
			: application.reason;
	}

	/** Boots until an application stays; which version that is. Its Updater is then `updater`. */
	start(): string {
		for (let restarts = 0; restarts < 5; restarts++) {
			const version = this.runs();
			try {
				const boot = bootStrategy(board);
				const running = new RunningFirmware(boot.applicationOffset);
				this.#started = new Updater({ board, running, boot, signatures: this.#signatures?.() });
				return version;
			} catch (error) {
				if (!(error instanceof Restarted)) throw error;
			}
		}
		return "it restarts for ever";
	}

	/** Of the start before. */
	get updater(): Updater {
		if (!this.#started) throw new Error("not started");
		return this.#started;
	}

	open(bytes: Uint8Array, options: Partial<UpdateOptions> = {}): Update {
		return this.updater.open({ kind: "firmware", byteLength: bytes.length, md5: md5(bytes), ...options });
	}

	/** A whole update, up to the choice. */
	update(bytes: Uint8Array, options: Partial<UpdateOptions> = {}): void {
		const update = this.open(bytes, options);
		for (let at = 0; at < bytes.length; at += 1460) update.write(bytes.subarray(at, at + 1460));
		update.complete();
	}

	/** Rolls back as the application does. */
	rollback(): void {
		try {
			this.updater.rollback();
		} catch (error) {
			if (!(error instanceof Restarted)) throw error;
		}
	}

	/** What the two sectors of the boot choice say. */
	get records(): (OtadataRecord | undefined)[] {
		return [0, 0x1000].map((at) => decodeRecord(new DataView(this.get(OTADATA + at, RECORD_LENGTH).buffer)));
	}
}
