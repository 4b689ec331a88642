/**
 * A NodeMCU in software: flash in a file, RTC memory, mask ROM, boot loader, watchdog, reset button and power
 * switch. What it runs is what lies in its flash, in a thread of its own.
 */
import { randomBytes } from "node:crypto";
import { findApplication } from "./application";
import { boot } from "./boot";
import { type Engine, Exit, type Run } from "./engine";
import { decodeApplication, type Settings } from "./modules";
import { NodeEngine } from "./node-engine";
import { type NorControl, NorFlash, PowerCut } from "./nor";
import { type Outcome, ResetCause } from "./outcome";
import { BOOT_MODE_FLASH, BOOT_MODE_SERIAL, printReset } from "./rom";
import { RtcMemory } from "./rtc";
import { SerialLoader } from "./serial/serial-loader";
import { Exception, printException, printf } from "./uart";

/** The hardware watchdog's time; a test may want a shorter one. */
const WATCHDOG = 8000;
/** What a reset takes before the ROM prints; keeps a board that restarts for ever from eating the machine. */
const RESET_TIME = 50;

export interface VirtualBoardOptions {
	/** The flash's file; created erased where it does not exist. */
	flashFile: string;
	/** Bytes of flash; 4 MiB, or what the file has. */
	flashSize?: number | undefined;
	/** Six bytes; Espressif's prefix and random ones where not given. */
	mac?: Uint8Array | undefined;
	/** Whether a boot loader for slots knows trials, as ESP-IDF's does; Espressif's for this chip does not. */
	bootTrials?: boolean;
	/** Overrides of the manifest's `config`. */
	settings?: Settings;
	/** Runs the application; Node where not given. */
	engine?: Engine;
	/** For DNS-SD on this machine. */
	mdns?: { interface?: string; port?: number };
	/** Milliseconds without a turn of the event loop before the watchdog resets. */
	watchdog?: number;
	/** What the chip prints. */
	onUART(text: string): void;
	/** All that leaves the TX pin: the same, and the serial loader's packets. */
	onSerial?(bytes: Uint8Array): void;
	onListening?(protocol: "udp" | "tcp", port: number): void;
}

/** Off: no power, or reset held. Loading: the serial loader waits. Hung: the chip waits for the reset button. */
export type BoardState = "off" | "booting" | "running" | "loading" | "hung";

export class VirtualBoard {
	readonly flash: NorFlash;
	readonly control: NorControl;
	readonly #engine: Engine;
	readonly #options: VirtualBoardOptions;
	readonly #mac: Uint8Array;
	readonly #rtc = new RtcMemory();
	/** The flash button: pressed at a reset from outside, the chip starts its serial loader. */
	flashButton = false;
	#bootMode = BOOT_MODE_FLASH;
	#held = false;
	#loader: SerialLoader | undefined;
	#state: BoardState = "off";
	#run: Run | undefined;
	/** What still ends of runs before. */
	#ending: Promise<unknown> = Promise.resolve();
	#boot: NodeJS.Timeout | undefined;
	#watchdog: NodeJS.Timeout | undefined;

	/** Throws Error where the flash's file is none, or of another size. */
	constructor(options: VirtualBoardOptions) {
		const { flashFile, flashSize, mac } = options;
		this.#options = options;
		this.#engine = options.engine ?? new NodeEngine();
		this.control = this.#engine.createControl();
		this.#mac = mac ?? Uint8Array.of(0x18, 0xfe, 0x34, ...randomBytes(3));
		const size = flashSize === undefined ? {} : { size: flashSize };
		this.flash = NorFlash.open({ file: flashFile, control: this.control, ...size });
	}

	get state(): BoardState {
		return this.#state;
	}

	/** The serial loader, while it waits. */
	get loader(): SerialLoader | undefined {
		return this.#loader;
	}

	/** Bytes that come to the RX pin; resolves when they are taken. An application reads none. One call at a time. */
	async receive(bytes: Uint8Array): Promise<void> {
		try {
			await this.#loader?.receive(bytes);
		} catch (error) {
			if (!(error instanceof PowerCut)) throw error;
			this.#powerLost();
		}
	}

	/** The switch: on. */
	powerOn(): void {
		if (this.#state !== "off") return;
		this.control.powerOn();
		this.#strap();
		this.#restart(ResetCause.POWER, "Power On");
	}

	/** The switch: off, in the middle of whatever runs. RTC memory is lost. */
	async powerOff(): Promise<void> {
		this.control.powerOff();
		this.#held = false;
		await this.#stop();
		this.#rtc.powerOff();
	}

	/** Presses the reset button, without letting go. */
	async holdReset(): Promise<void> {
		if (this.#state === "off") return;
		this.#held = true;
		await this.#stop();
	}

	/** The reset button. */
	async reset(): Promise<void> {
		if (this.#state === "off" && !this.#held) return;
		this.#held = false;
		// As the pin rises, however long the run before takes to end.
		this.#strap();
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
		this.#engine.close();
	}

	#print(text: string): void {
		this.#options.onUART(text);
		this.#options.onSerial?.(Buffer.from(text));
	}

	/** A reset from outside reads the strapping pins; one by software keeps what they were. */
	#strap(): void {
		this.#bootMode = this.flashButton ? BOOT_MODE_SERIAL : BOOT_MODE_FLASH;
	}

	#restart(cause: ResetCause, reason: string): void {
		this.#state = "booting";
		this.#boot = setTimeout(() => this.#start(cause, reason), RESET_TIME);
	}

	#start(cause: ResetCause, reason: string): void {
		if (this.#bootMode === BOOT_MODE_FLASH) {
			this.#startFromFlash(cause, reason);
			return;
		}
		printReset((text) => this.#print(text), cause, this.#bootMode);
		this.#state = "loading";
		const { flash } = this;
		const send = (bytes: Uint8Array) => this.#options.onSerial?.(bytes);
		this.#loader = new SerialLoader({
			flash,
			mac: this.#mac,
			send,
			onEnd: (next) => {
				this.#loader = undefined;
				if (next === "reset") this.#restart(ResetCause.RESET, "Software/System restart");
				else if (next === "run") this.#startFromFlash(undefined, reason);
				else this.#hangInRAM();
			},
		});
	}

	#hangInRAM(): void {
		printf((text) => this.#print(text), "machine code in RAM, which this board does not run\n");
		this.#state = "hung";
	}

	#startFromFlash(cause: ResetCause | undefined, reason: string): void {
		try {
			const outcome = boot({
				flash: this.flash,
				rtc: this.#rtc,
				print: (text) => this.#print(text),
				cause,
				trials: this.#options.bootTrials ?? true,
			});
			if (outcome.kind === "hang") this.#state = "hung";
			else if (outcome.kind === "reset") this.#restart(outcome.cause, outcome.reason);
			else this.#runApplication(outcome, reason);
		} catch (error) {
			if (!(error instanceof PowerCut)) throw error;
			this.#powerLost();
		}
	}

	#runApplication(outcome: Outcome & { kind: "jump" }, resetReason: string): void {
		const print = (text: string) => this.#print(text);
		const found = findApplication(this.flash, outcome.entry, outcome.memory);
		if (found.kind === "wild jump") {
			this.#crash(outcome.entry);
			return;
		}
		if (found.kind === "machine code") {
			printf(print, `${found.reason}\n`);
			this.#state = "hung";
			return;
		}
		const application = decodeApplication(found.script, this.#options.settings ?? {});
		if (!application) {
			this.#crash(outcome.entry);
			return;
		}
		const { flashFile, mdns = {}, onListening } = this.#options;
		this.#state = "running";
		const start = {
			...application,
			flashFile,
			imageAddress: outcome.imageAddress ?? 0,
			control: this.control,
			rtc: this.#rtc,
			mac: this.#mac,
			bootMode: this.#bootMode,
			resetReason,
			mdns,
		};
		this.#run = this.#engine.run(start, {
			onUART: print,
			onListening: (protocol, port) => onListening?.(protocol, port),
			onExit: (code) => this.#ended(code),
		});
		this.#watch();
	}

	/** What a chip does that finds no sense in what it is to run. */
	#crash(address: number): void {
		printException((text) => this.#print(text), Exception.ILLEGAL_INSTRUCTION, address, 0);
		this.#restart(ResetCause.RESET, "Exception");
	}

	#ended(code: number): void {
		this.#run = undefined;
		clearInterval(this.#watchdog);
		if (code === Exit.POWER_CUT) this.#powerLost();
		else if (code === Exit.RESTART) this.#restart(ResetCause.RESET, "Software/System restart");
		else this.#restart(ResetCause.RESET, "Exception");
	}

	#watch(): void {
		let last = -1;
		this.#watchdog = setInterval(() => {
			const { beats } = this.control;
			if (beats !== last) {
				last = beats;
				return;
			}
			void this.#stop().then(() => {
				if (this.control.powered) this.#restart(ResetCause.WATCHDOG, "Hardware Watchdog");
			});
		}, this.#options.watchdog ?? WATCHDOG);
	}

	#powerLost(): void {
		this.#endLoader();
		this.#state = "off";
		this.#rtc.powerOff();
	}

	#endLoader(): void {
		this.#loader?.stop();
		this.#loader = undefined;
	}

	async #stop(): Promise<void> {
		this.#endLoader();
		clearTimeout(this.#boot);
		clearInterval(this.#watchdog);
		const run = this.#run;
		this.#run = undefined;
		this.#state = "off";
		this.#ending = Promise.all([this.#ending, run?.stop()]);
		await this.#ending;
	}
}
