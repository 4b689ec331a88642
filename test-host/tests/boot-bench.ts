/** Flash, RTC memory and boot code on a bench, without the rest of the board. */
import { onTestFinished } from "vitest";
import { ACTION_COPY_RAW, COMMAND_LENGTH, decodeCommand, encodeCommand } from "../../ota/eboot";
import { runEboot } from "../virtual/eboot";
import { buildFirmware } from "../virtual/image-builder";
import { NorFlash } from "../virtual/nor";
import { type Outcome, ResetCause } from "../virtual/outcome";
import { runROM } from "../virtual/rom";
import { RtcMemory } from "../virtual/rtc";
import { get, put, temporaryFile } from "./temporary-flash";

export const STAGING = 0x80000;

/** A firmware of exactly `length` bytes. */
export function firmware(version: string, length: number): Uint8Array {
	return buildFirmware({ script: `running("${version}")`, name: "bench", version, padTo: length });
}

export class BootBench {
	readonly flash: NorFlash;
	readonly rtc = new RtcMemory();
	/** What was printed since the last boot began. */
	uart = "";
	/** The same cells, for the test's own hands: not counted, and powered when the board is not. */
	readonly #hands: NorFlash;

	constructor(size = 0x400000) {
		const file = temporaryFile();
		this.flash = NorFlash.open({ file, size });
		this.#hands = NorFlash.open({ file });
		onTestFinished(() => {
			this.flash.close();
			this.#hands.close();
		});
	}

	put(address: number, bytes: Uint8Array): void {
		put(this.#hands, address, bytes);
	}

	get(address: number, length: number): Uint8Array {
		return get(this.#hands, address, length);
	}

	/** Writes a command to RTC memory, as the restarting application does. */
	command(source: number, destination: number, size: number, action = ACTION_COPY_RAW): void {
		const block = new Uint8Array(COMMAND_LENGTH);
		encodeCommand(block, { action, source, destination, size });
		this.rtc.write(0, block);
	}

	/** Stages `bytes` and writes the command that copies them to 0. */
	stage(bytes: Uint8Array, size = bytes.length): void {
		this.put(STAGING, bytes);
		this.command(STAGING, 0, size);
	}

	get hasCommand(): boolean {
		const block = new Uint8Array(COMMAND_LENGTH);
		this.rtc.read(0, block);
		return decodeCommand(block) !== undefined;
	}

	/** Runs eboot. */
	eboot(): Outcome {
		this.uart = "";
		return runEboot({ flash: this.flash, rtc: this.rtc, print: (text) => this.#print(text) });
	}

	/** Runs the ROM, and eboot where the ROM gets that far. */
	boot(cause: ResetCause = ResetCause.RESET): Outcome {
		this.uart = "";
		const print = (text: string) => this.#print(text);
		const outcome = runROM({ flash: this.flash, print, cause });
		return outcome.kind === "jump" ? runEboot({ flash: this.flash, rtc: this.rtc, print }) : outcome;
	}

	#print(text: string): void {
		this.uart += text;
	}
}
