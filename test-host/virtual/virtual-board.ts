/**
 * A NodeMCU in software: flash in a file, RTC memory, mask ROM, boot loader, watchdog, reset button and power
 * switch. What it runs is what lies in its flash, in a thread of its own.
 */
import { randomBytes } from "node:crypto";
import { Worker } from "node:worker_threads";
import { findApplication } from "./application";
import { runEboot } from "./eboot";
import { NorControl, NorFlash, PowerCut } from "./nor";
import { type Outcome, ResetCause } from "./outcome";
import { type ApplicationMessage, type ApplicationStart, Exit } from "./protocol";
import { runROM } from "./rom";
import { RtcMemory } from "./rtc";
import { Exception, printException, printf } from "./uart";

/** The hardware watchdog's time; a test may want a shorter one. */
const WATCHDOG = 8000;
/** What a reset takes before the ROM prints; keeps a board that restarts for ever from eating the machine. */
const RESET_TIME = 50;
/** The strapping of a NodeMCU that starts from flash. */
const BOOT_MODE_FLASH = 3;

/** Beside this file in dist/, where the build has put it. */
const workerFile = import.meta.url.endsWith(".ts")
	? new URL("../../dist/worker.js", import.meta.url)
	: new URL("./worker.js", import.meta.url);

export interface VirtualBoardOptions {
	/** The flash's file; created erased where it does not exist. */
	flashFile: string;
	/** Bytes of flash; 4 MiB, or what the file has. */
	flashSize?: number | undefined;
	/** Six bytes; Espressif's prefix and random ones where not given. */
	mac?: Uint8Array | undefined;
	/** Overrides of the manifest's `config`. */
	settings?: Readonly<Record<string, string | number | boolean>>;
	/** For DNS-SD on this machine. */
	mdns?: { interface?: string; port?: number };
	/** Milliseconds without a turn of the event loop before the watchdog resets. */
	watchdog?: number;
	onUART(text: string): void;
	onListening?(protocol: "udp" | "tcp", port: number): void;
}

/** Off: no power. Hung: the chip waits for the reset button. */
export type BoardState = "off" | "booting" | "running" | "hung";

export class VirtualBoard {
	readonly flash: NorFlash;
	readonly control = new NorControl();
	readonly #options: VirtualBoardOptions;
	readonly #mac: Uint8Array;
	readonly #rtc = new RtcMemory();
	readonly #beats = new Int32Array(new SharedArrayBuffer(4));
	#state: BoardState = "off";
	#worker: Worker | undefined;
	#boot: NodeJS.Timeout | undefined;
	#watchdog: NodeJS.Timeout | undefined;

	/** Throws Error where the flash's file is none, or of another size. */
	constructor(options: VirtualBoardOptions) {
		const { flashFile, flashSize, mac } = options;
		this.#options = options;
		this.#mac = mac ?? Uint8Array.of(0x18, 0xfe, 0x34, ...randomBytes(3));
		const size = flashSize === undefined ? {} : { size: flashSize };
		this.flash = NorFlash.open({ file: flashFile, control: this.control, ...size });
	}

	get state(): BoardState {
		return this.#state;
	}

	/** The switch: on. */
	powerOn(): void {
		if (this.#state !== "off") return;
		this.control.powerOn();
		this.#restart(ResetCause.POWER, "Power On");
	}

	/** The switch: off, in the middle of whatever runs. RTC memory is lost. */
	async powerOff(): Promise<void> {
		this.control.powerOff();
		await this.#stop();
		this.#rtc.powerOff();
	}

	/** The reset button. */
	async reset(): Promise<void> {
		if (this.#state === "off") return;
		await this.#stop();
		this.#restart(ResetCause.RESET, "External System");
	}

	/** Writes a firmware to flash 0, as a serial loader does; the board is off. Throws where it does not fit. */
	flashByCable(image: Uint8Array): void {
		if (this.#state !== "off") throw new Error("the board is on");
		const { flash, control } = this;
		if (image.length > flash.size)
			throw new Error(`${image.length} bytes do not fit a flash of ${flash.size}`);
		control.powerOn();
		for (let address = 0; address < image.length; address += 4096) {
			flash.eraseSector(address);
			flash.program(address, image.subarray(address, address + 4096));
		}
		control.powerOff();
	}

	/** Switches off and puts the flash's file away. */
	async close(): Promise<void> {
		await this.powerOff();
		this.flash.close();
	}

	#print(text: string): void {
		this.#options.onUART(text);
	}

	#restart(cause: ResetCause, reason: string): void {
		this.#state = "booting";
		this.#boot = setTimeout(() => this.#start(cause, reason), RESET_TIME);
	}

	#start(cause: ResetCause, reason: string): void {
		const print = (text: string) => this.#print(text);
		const { flash } = this;
		try {
			let outcome: Outcome = runROM({ flash, print, cause });
			if (outcome.kind === "jump") outcome = runEboot({ flash, rtc: this.#rtc, print });
			if (outcome.kind === "hang") this.#state = "hung";
			else if (outcome.kind === "reset") this.#restart(outcome.cause, outcome.reason);
			else this.#run(outcome, reason);
		} catch (error) {
			if (!(error instanceof PowerCut)) throw error;
			this.#powerLost();
		}
	}

	#run(outcome: Outcome & { kind: "jump" }, resetReason: string): void {
		const print = (text: string) => this.#print(text);
		const found = findApplication(this.flash, outcome.entry, outcome.memory);
		if (found.kind === "wild jump") {
			printException(print, Exception.ILLEGAL_INSTRUCTION, outcome.entry, 0);
			this.#restart(ResetCause.RESET, "Exception");
			return;
		}
		if (found.kind === "machine code") {
			printf(print, `${found.reason}\n`);
			this.#state = "hung";
			return;
		}
		const { flashFile, settings = {}, mdns = {}, onListening } = this.#options;
		const start: ApplicationStart = {
			script: found.script,
			flashFile,
			flashControl: this.control.buffer,
			rtc: this.#rtc.buffer,
			heartbeat: this.#beats.buffer as SharedArrayBuffer,
			mac: this.#mac,
			bootMode: BOOT_MODE_FLASH,
			resetReason,
			mdns,
			settings,
		};
		this.#state = "running";
		const worker = new Worker(workerFile, { workerData: start });
		this.#worker = worker;
		worker.on("message", (message: ApplicationMessage) => {
			if ("uart" in message) this.#print(message.uart);
			else onListening?.(message.listening.protocol, message.listening.port);
		});
		worker.on("error", (error) => {
			printf((text) => this.#print(text), `\nFatal exception: ${error.message}\n`);
		});
		worker.on("exit", (code) => {
			if (this.#worker === worker) this.#ended(code);
		});
		this.#watch(worker);
	}

	#ended(code: number): void {
		this.#worker = undefined;
		clearInterval(this.#watchdog);
		if (code === Exit.POWER_CUT) this.#powerLost();
		else if (code === Exit.RESTART) this.#restart(ResetCause.RESET, "Software/System restart");
		else this.#restart(ResetCause.RESET, "Exception");
	}

	#watch(worker: Worker): void {
		let last = -1;
		this.#watchdog = setInterval(() => {
			const now = Atomics.load(this.#beats, 0);
			if (now !== last) {
				last = now;
				return;
			}
			this.#worker = undefined;
			clearInterval(this.#watchdog);
			void worker.terminate().then(() => this.#restart(ResetCause.WATCHDOG, "Hardware Watchdog"));
		}, this.#options.watchdog ?? WATCHDOG);
	}

	#powerLost(): void {
		this.#state = "off";
		this.#rtc.powerOff();
	}

	async #stop(): Promise<void> {
		clearTimeout(this.#boot);
		clearInterval(this.#watchdog);
		const worker = this.#worker;
		this.#worker = undefined;
		this.#state = "off";
		await worker?.terminate();
	}
}
