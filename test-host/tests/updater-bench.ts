/** The Updater on a bench: a chip in this thread, a firmware in its flash, boot code that can be run after it. */
import { createHash } from "node:crypto";
import { onTestFinished } from "vitest";
import { EbootStrategy } from "../../ota/eboot";
import type { ErrorCode } from "../../ota/errors";
import { UpdateError } from "../../ota/errors";
import { RunningFirmware } from "../../ota/running";
import type { Signatures } from "../../ota/signature/signatures";
import type { Update } from "../../ota/update";
import type { UpdateContext, UpdateOptions } from "../../ota/update-options";
import { Updater } from "../../ota/updater";
import board from "../shims/board";
import { installGlobals } from "../shims/globals";
import { findApplication } from "../virtual/application";
import { type Chip, insertChip, QUIET } from "../virtual/chip";
import { layoutFor } from "../virtual/layout";
import { ResetCause } from "../virtual/outcome";
import { BootBench, firmware } from "./boot-bench";

export { board, firmware };

/** Thrown in place of the restart, after which nothing of a run is left on a real chip. */
export class Restarted extends Error {}

export function md5(bytes: Uint8Array): string {
	return createHash("md5").update(bytes).digest("hex");
}

/** What `operate` throws, as an UpdateError's number. */
export function codeOf(operate: () => unknown): ErrorCode | undefined {
	try {
		operate();
	} catch (error) {
		if (error instanceof UpdateError) return error.code;
		throw error;
	}
	return undefined;
}

export const OLD = firmware("1.0.0", 20_000);

/** The chip, and who may sign: whatever is chosen, the keys are parsed where the chip's globals are. */
export interface UpdaterBenchOptions extends Partial<Chip> {
	size?: number;
	running?: Uint8Array;
	signatures?: (() => Signatures) | undefined;
	atomicFilesystem?: boolean;
	/** Gets what the application is told of its filesystem: `away`, `back true`, `back false`. */
	told?: (text: string) => void;
}

export class UpdaterBench extends BootBench {
	readonly #signatures: Signatures | undefined;
	readonly #filesystem: Pick<UpdateContext, "atomicFilesystem" | "onFilesystemAway" | "onFilesystemBack">;
	updater: Updater;

	constructor(chip: UpdaterBenchOptions = {}) {
		const { size = 0x400000, running = OLD, signatures, atomicFilesystem, told, ...overrides } = chip;
		super(size);
		this.put(0, running);
		installGlobals();
		insertChip({
			flash: this.flash,
			rtc: this.rtc,
			layout: layoutFor(size),
			...QUIET,
			restart: () => {
				throw new Restarted();
			},
			...overrides,
		});
		onTestFinished(() => insertChip(undefined));
		this.#signatures = signatures?.();
		this.#filesystem = {
			atomicFilesystem,
			onFilesystemAway: () => told?.("away"),
			onFilesystemBack: (verified) => told?.(`back ${verified}`),
		};
		this.updater = this.start();
	}

	/** Leaves something else at the end of the staging area, so that none of it is erased, or holds what comes. */
	soil(): void {
		const { offset, size } = layoutFor(this.flash.size).get("nextota") ?? { offset: 0, size: 0 };
		this.put(offset + size - 0x8000, new Uint8Array(0x8000));
	}

	/** What the application makes at each start. */
	start(running = new RunningFirmware(), boot: { gzip?: boolean } = {}): Updater {
		this.updater = new Updater({
			board,
			running,
			boot: new EbootStrategy(board, boot),
			signatures: this.#signatures,
			...this.#filesystem,
		});
		return this.updater;
	}

	open(bytes: Uint8Array, options: Partial<UpdateOptions> = {}): Update {
		return this.updater.open({ kind: "firmware", byteLength: bytes.length, md5: md5(bytes), ...options });
	}

	/** A whole update in pieces of `piece` bytes, up to the verified choice. */
	update(bytes: Uint8Array, options: Partial<UpdateOptions> = {}, piece = 1460): void {
		const update = this.open(bytes, options);
		for (let at = 0; at < bytes.length; at += piece) update.write(bytes.subarray(at, at + piece));
		update.complete();
	}

	/** Restarts as the application does. */
	restart(): void {
		try {
			this.updater.restart();
		} catch (error) {
			if (!(error instanceof Restarted)) throw error;
		}
	}

	/** The power comes back, or the reset button is pressed: which version then runs, or what else happens. */
	runs(cause: ResetCause = ResetCause.RESET): string {
		if (cause === ResetCause.POWER) this.rtc.powerOff();
		this.flash.control.powerOn();
		this.flash.control.disarm();
		const outcome = this.boot(cause);
		if (outcome.kind !== "jump") return outcome.reason;
		const application = findApplication(this.flash, outcome.entry, outcome.memory);
		return application.kind === "script"
			? (/"(.*)"/.exec(application.script)?.[1] ?? "")
			: application.reason;
	}
}
