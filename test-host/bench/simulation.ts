/** One update from the first packet until the board is in the network again, in virtual time, its phases apart. */
import { installGlobals } from "../shims/globals";
import { insertChip } from "../virtual/chip";
import { runEboot } from "../virtual/eboot";
import { layoutFor } from "../virtual/layout";
import { Noise } from "../virtual/noise";
import { NorFlash } from "../virtual/nor";
import { RtcMemory } from "../virtual/rtc";
import type { AirOptions } from "./air";
import { ArduinoCore } from "./arduino-core";
import { Firmware, SERVER_PORT, type Switches } from "./device/firmware";
import { bootTimeOf, COMPLETE, type FlashCosts, FORM, INFLATE, START, timeOf, UPDATE } from "./figures";
import { insertMachine, Machine } from "./machine";
import { startUploader } from "./peers/espota";
import { startHTTPUpload, startServer } from "./peers/http";

const FLASH_SIZE = 0x400000;
const BLOCK = 0x10000;
const PASSWORD = "open sesame";

/** How the bytes come, and who takes them. `core`: the Arduino core with espota; all others are ours. */
export type Way = "core" | "espota" | "upload" | "upload, password" | "put" | "form" | "poll";

export interface Scenario {
	way: Way;
	flash: FlashCosts;
	air: AirOptions;
	/** What runs before. */
	old: Uint8Array;
	/** What is to run afterwards. */
	firmware: Uint8Array;
	/** Its gzip, where that is what is sent. */
	gzip?: Uint8Array | undefined;
	switches?: Switches;
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
	const run = new Run(scenario);
	try {
		return run.phases();
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
		this.#scenario = scenario;
		const { flash: costs, old } = scenario;
		this.#machine = new Machine(scenario.air, scenario.way === "form" ? UPDATE + FORM : UPDATE);
		this.#flash = NorFlash.inMemory(FLASH_SIZE, {
			onOperation: (operation, length) => {
				let time = length * costs.transfer;
				if (operation === "program") time += costs.pageProgram;
				if (operation === "erase") time = length === BLOCK ? costs.blockErase : costs.sectorErase;
				this.#spend(time);
			},
		});
		const layout = layoutFor(FLASH_SIZE);
		const staging = layout.get("nextota");
		// As an update before has left it: nothing of it is erased.
		if (staging) {
			this.#flash.program(staging.offset, new Noise(7).fill(new Uint8Array(staging.size)));
		}
		this.#flash.program(0, old);
		insertMachine(this.#machine);
		installGlobals();
		insertChip({
			flash: this.#flash,
			rtc: this.#rtc,
			layout,
			mac: Uint8Array.of(0x18, 0xfe, 0x34, 0xab, 0xcd, 0xef),
			bootMode: 3,
			resetReason: "Power On",
			mdns: {},
			uart: () => {},
			listening: () => {},
			restart: () => {
				throw new Restarted();
			},
		});
		this.#spend = (time) => this.#machine.cpu.wait(time);
	}

	phases(): Phases {
		const { cpu } = this.#machine;
		const begin = this.#begin();
		const { computing, waiting } = cpu;
		this.#start();
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

	/** Starts what runs on the board; when it has settled. */
	#begin(): number {
		const { clock, cpu } = this.#machine;
		const { way, switches = {} } = this.#scenario;
		if (way === "core") new ArduinoCore(this.#machine, () => this.#done());
		else {
			const firmware = new Firmware(switches, {
				onProgress: (done) => {
					if (done !== this.#sent.length) return;
					this.#done();
					this.#machine.cpu.compute(timeOf(COMPLETE));
				},
				onError: (error) => {
					throw error;
				},
			});
			if (way === "put" || way === "form") firmware.form();
			else if (way !== "poll") firmware.arduinoOTA(way === "upload, password" ? PASSWORD : undefined);
			else
				this.#start = () => {
					startServer(this.#machine, this.#sent, SERVER_PORT);
					firmware.poll();
				};
			clock.run(() => firmware.running.md5 !== undefined);
		}
		return cpu.now;
	}

	/** The PC's part. */
	#start = (): void => {
		const { way } = this.#scenario;
		const image = this.#sent;
		if (way === "put" || way === "form") startHTTPUpload(this.#machine, image, way === "form");
		else {
			const password = way === "upload, password" ? PASSWORD : undefined;
			startUploader(this.#machine, { image, eager: way.startsWith("upload"), password });
		}
	};

	get #sent(): Uint8Array {
		return this.#scenario.gzip ?? this.#scenario.firmware;
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

	/** Boots; what the boot loader's copy takes. Throws Error where the new firmware is not what then lies at 0. */
	#copy(): number {
		const { firmware, gzip } = this.#scenario;
		let time = gzip ? bootTimeOf(INFLATE * firmware.length) : 0;
		this.#spend = (more) => {
			time += more;
		};
		const { kind } = runEboot({ flash: this.#flash, rtc: this.#rtc, print: () => {} });
		this.#spend = () => {};
		const present = new Uint8Array(firmware.length);
		this.#flash.read(0, present);
		const isNew = present.every((byte, i) => byte === firmware[i]);
		if (kind !== "jump" || !isNew) throw new Error("the new firmware does not start");
		return time;
	}
}
