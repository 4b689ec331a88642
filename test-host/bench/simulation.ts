/** One update from the first packet until the board is in the network again, in virtual time, its phases apart. */
import { installGlobals } from "../shims/globals";
import { insertChip, QUIET } from "../virtual/chip";
import { runEboot } from "../virtual/eboot";
import { layoutFor } from "../virtual/layout";
import { NorFlash } from "../virtual/nor";
import type { Outcome } from "../virtual/outcome";
import { RtcMemory } from "../virtual/rtc";
import { runRtosBoot } from "../virtual/rtos-boot";
import type { AirOptions } from "./air";
import { ArduinoCore } from "./arduino-core";
import { Firmware, SERVER_PORT } from "./device/firmware";
import {
	bootTimeOf,
	COMPLETE,
	type FlashCosts,
	FORM,
	flashTime,
	INFLATE,
	START,
	timeOf,
	UPDATE,
} from "./figures";
import { insertMachine, Machine, SAVINGS, type Saving } from "./machine";
import { startUploader } from "./peers/espota";
import { startHTTPUpload, startServer } from "./peers/http";

export type { Saving };

const FLASH_SIZE = 0x400000;
const PASSWORD = "open sesame";

/** How the bytes come, and who takes them. `core`: the Arduino core with espota; all others are ours. */
export type Way = "core" | "espota" | "upload" | "upload, password" | "put" | "form" | "poll";

export interface Scenario {
	way: Way;
	/** What saves time in the flash; all where not given. */
	savings?: readonly Saving[] | undefined;
	flash: FlashCosts;
	air: AirOptions;
	/** What the flash holds before, by flash offset, each where nothing lies; the rest is erased. */
	before: readonly (readonly [number, Uint8Array])[];
	/** Whether the boot loader is that of two slots, or eboot. */
	slots: boolean;
	/** What comes, and what is then to run, at this flash offset. Where the two differ, it is a gzip. */
	sent: Uint8Array;
	firmware: Uint8Array;
	place: number;
}

/** Seconds. */
export interface Phases {
	/** From the first packet until the last byte is in the flash. */
	transfer: number;
	/** Until the restart: what is left to verify, the result, the pauses around it. */
	verification: number;
	/** The boot loader's. */
	copy: number;
	/** Until the board is in the network. */
	start: number;
	/** Of the transfer, parts of 1: computing, waiting for the flash. */
	computing: number;
	waiting: number;
}

/** Thrown in place of the restart, after which nothing of a run is left on a real chip. */
class Restarted extends Error {}

/** Runs it. Throws Error where the update does not end well. */
export function simulate(scenario: Scenario): Phases {
	try {
		return new Run(scenario).phases();
	} finally {
		insertChip(undefined);
		insertMachine(undefined);
	}
}

class Run {
	readonly #scenario: Scenario;
	readonly #machine: Machine;
	readonly #flash: NorFlash;
	readonly #rtc = new RtcMemory();
	/** Gets the microseconds of the flash's operations. */
	#spend: (time: number) => void = () => {};
	#received: { time: number; computing: number; waiting: number } | undefined;

	constructor(scenario: Scenario) {
		const { way, flash: costs, savings = SAVINGS, before } = scenario;
		this.#scenario = scenario;
		const script = way === "form" ? UPDATE + FORM : UPDATE;
		this.#machine = new Machine({ air: scenario.air, script, savings });
		this.#flash = NorFlash.inMemory(FLASH_SIZE, {
			onOperation: (operation, length) => this.#spend(flashTime(costs, operation, length)),
		});
		for (const [address, bytes] of before) this.#flash.program(address, bytes);
		insertMachine(this.#machine);
		installGlobals();
		insertChip({
			flash: this.#flash,
			rtc: this.#rtc,
			layout: layoutFor(FLASH_SIZE),
			imageAddress: imageAddressOf(this.#boot()),
			...QUIET,
			restart: () => {
				throw new Restarted();
			},
		});
		this.#spend = (time) => this.#machine.cpu.wait(time);
	}

	phases(): Phases {
		const { cpu } = this.#machine;
		const start = this.#prepare();
		const { now: begin, computing, waiting } = cpu;
		start();
		this.#runUntilRestart();
		const received = this.#received;
		if (!received) throw new Error("restarted without an update");
		const transfer = received.time - begin;
		return {
			transfer: transfer / 1e6,
			verification: (cpu.now - received.time) / 1e6,
			copy: this.#copy() / 1e6,
			start: START / 1e6,
			computing: (received.computing - computing) / transfer,
			waiting: (received.waiting - waiting) / transfer,
		};
	}

	/** Starts what runs on the board, until it has settled; what is returned begins the update. */
	#prepare(): () => void {
		const { way, savings = SAVINGS, sent } = this.#scenario;
		const machine = this.#machine;
		const password = way === "upload, password" ? PASSWORD : undefined;
		const upload = () =>
			startUploader(machine, { image: sent, eager: password !== undefined || way === "upload", password });
		if (way === "core") {
			new ArduinoCore(machine, () => this.#done());
			return upload;
		}
		const firmware = new Firmware(savings.includes("ahead"), {
			onProgress: (done) => {
				if (done !== sent.length) return;
				this.#done();
				machine.cpu.compute(timeOf(COMPLETE));
			},
			onError: (error) => {
				throw error;
			},
		});
		machine.clock.run(() => firmware.running.md5 !== undefined);
		if (way === "poll") {
			return () => {
				startServer(machine, sent, SERVER_PORT);
				firmware.poll();
			};
		}
		if (way === "put" || way === "form") {
			firmware.form();
			return () => startHTTPUpload(machine, sent, way === "form");
		}
		firmware.arduinoOTA(password);
		return upload;
	}

	#done(): void {
		const { now: time, computing, waiting } = this.#machine.cpu;
		this.#received = { time, computing, waiting };
	}

	#runUntilRestart(): void {
		try {
			this.#machine.clock.run(() => false);
		} catch (error) {
			if (!(error instanceof Restarted)) throw error;
		}
	}

	#boot(): Outcome {
		const options = { flash: this.#flash, rtc: this.#rtc, print: () => {} };
		return this.#scenario.slots ? runRtosBoot({ ...options, trials: true }) : runEboot(options);
	}

	/** Boots; what the boot loader takes. Throws Error where the new firmware is not what then runs. */
	#copy(): number {
		const { firmware, sent, place } = this.#scenario;
		let time = sent === firmware ? 0 : bootTimeOf(INFLATE * firmware.length);
		this.#spend = (more) => {
			time += more;
		};
		const outcome = this.#boot();
		this.#spend = () => {};
		const present = new Uint8Array(firmware.length);
		this.#flash.read(place, present);
		const isNew = present.every((byte, i) => byte === firmware[i]);
		if (!isNew || imageAddressOf(outcome) !== place) throw new Error("the new firmware does not start");
		return time;
	}
}

/** Flash offset of what starts; a boot loader that copies tells none. Throws Error where nothing does. */
function imageAddressOf(outcome: Outcome): number {
	if (outcome.kind !== "jump") throw new Error(`nothing starts: ${outcome.reason}`);
	return outcome.imageAddress ?? 0;
}
