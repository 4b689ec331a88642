/** Flash, RTC memory and a boot loader, and what comes of a start. */
import { COMMAND_LENGTH, decodeCommand, encodeCommand } from "../../ota/eboot";
import { APPLICATION_OFFSET } from "../../ota/image";
import { type ChipOptions, type FaultKind, NorControl, NorFlash, PowerCut } from "../virtual/nor";
import { type Outcome, ResetCause } from "../virtual/outcome";
import { RtcMemory } from "../virtual/rtc";
import type { Print } from "../virtual/uart";
import { FLASH_SIZE } from "./places";

export interface Start {
	flash: NorFlash;
	rtc: RtcMemory;
	print: Print;
	cause: ResetCause;
	/** Of what RAM and registers hold at the reset. */
	seed: number;
	/** What data RAM holds then, in the place of noise. */
	ram: Uint8Array | undefined;
}

/** From the reset to the application. */
export type Loader = (start: Start) => Outcome;

/** application: it runs; waits: nothing more happens; cut: the power went; restart: it would start anew. */
export type Ending = "application" | "waits" | "cut" | "restart";

/** What RAM holds at a reset is one of so many noises. */
const RAMS = 16;

export class JudgedBoard {
	readonly cells = new Uint8Array(FLASH_SIZE).fill(0xff);
	readonly control = NorControl.create();
	readonly flash = NorFlash.inMemory(this.cells, {
		control: this.control,
		onChange: (...change) => this.onChange?.(...change),
	});
	/** Called with each change of the flash. */
	onChange: ChipOptions["onChange"];
	rtc = new RtcMemory();
	#seed = 1;
	/** What data RAM still holds at the next starts; noise where there is none. */
	ram: Uint8Array | undefined;
	/** Of the last start. */
	uart = "";
	#loader: Loader;
	/** Of the last start that ended in an application. */
	application: Extract<Outcome, { kind: "jump" }> | undefined;

	constructor(loader: Loader) {
		this.#loader = loader;
	}

	/** A new one with these cells; `seed` chooses torn bits, and what memory holds without power. */
	renew(cells: Uint8Array, seed = 1): void {
		this.control.renew(seed);
		this.cells.set(cells);
		this.rtc = new RtcMemory({ seed });
		this.#seed = seed;
		this.ram = undefined;
	}

	put(address: number, bytes: Uint8Array): void {
		this.cells.set(bytes, address);
	}

	erase(address: number, length: number): void {
		this.cells.fill(0xff, address, address + length);
	}

	/** The application's place as far as `length` bytes. */
	installed(length: number): Uint8Array {
		return this.cells.subarray(APPLICATION_OFFSET, APPLICATION_OFFSET + length);
	}

	/** A command of eboot's in RTC memory. */
	command(source: number, destination: number, size: number, action = 1): void {
		const block = new Uint8Array(COMMAND_LENGTH);
		encodeCommand(block, { action, source, destination, size });
		this.rtc.write(0, block);
	}

	get hasCommand(): boolean {
		const block = new Uint8Array(COMMAND_LENGTH);
		this.rtc.read(0, block);
		return decodeCommand(block) !== undefined;
	}

	/** Flash operations so far. */
	get operations(): number {
		return this.control.operations;
	}

	/** The power, or one operation after `after` more, goes wrong. */
	arm(after: number, kind: FaultKind): void {
		this.control.arm({ at: this.control.operations + after, kind });
	}

	/** Switches the power off and on: RTC memory is noise. */
	cutPower(): void {
		this.reset();
		this.rtc.powerOff();
	}

	/** After a dip of the power that RTC memory outlives, or a reset. */
	reset(): void {
		this.control.disarm();
		this.control.powerOn();
	}

	start(cause: ResetCause = ResetCause.POWER): Ending {
		const { flash, rtc } = this;
		this.uart = "";
		const print = (text: string) => {
			this.uart += text;
		};
		try {
			const outcome = this.#loader({ flash, rtc, print, cause, seed: this.#seed % RAMS, ram: this.ram });
			if (outcome.kind === "hang") return "waits";
			if (outcome.kind === "reset") return "restart";
			this.application = outcome;
			return "application";
		} catch (error) {
			if (error instanceof PowerCut) return "cut";
			throw error;
		}
	}
}
