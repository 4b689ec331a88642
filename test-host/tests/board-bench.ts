/** A whole virtual board with what runs its application, for a test. */
import { readFileSync } from "node:fs";
import { onTestFinished } from "vitest";
import { makeFirmware } from "../virtual/firmware";
import type { Settings } from "../virtual/modules";
import type { Fault } from "../virtual/nor";
import { VirtualBoard, type VirtualBoardOptions } from "../virtual/virtual-board";
import { createEngine, type EngineName } from "./engines";
import { temporaryFile } from "./temporary-flash";
import { Uploader } from "./uploader";

/** The built firmware, version 1.0.0. */
export const FIRST = new Uint8Array(readFileSync(new URL("../../dist/firmware.bin", import.meta.url)));

export interface BoardBenchOptions extends Partial<VirtualBoardOptions> {
	engineName?: EngineName;
}

export class BoardBench {
	readonly board: VirtualBoard;
	readonly flashFile = temporaryFile();
	uart = "";
	otaPort = 0;
	httpPort = 0;

	constructor(options: BoardBenchOptions = {}) {
		this.board = new VirtualBoard({
			flashFile: this.flashFile,
			engine: createEngine(options.engineName ?? "node"),
			...options,
			settings: { otaPort: 0, httpPort: 0, dnssd: false, ...options.settings },
			onUART: (text) => {
				this.uart += text;
			},
			onListening: (protocol, port) => {
				if (protocol === "udp") this.otaPort = port;
				else this.httpPort = port;
			},
		});
		onTestFinished(() => this.board.close());
	}

	/** A board that has started what it left the factory with. */
	static async started(engineName: EngineName, settings: Settings = {}): Promise<BoardBench> {
		const bench = new BoardBench({ engineName, settings });
		bench.board.flashByCable(FIRST);
		await bench.powerOn();
		return bench;
	}

	/** Switches on, and waits until the application is ready and listens. */
	async powerOn(): Promise<void> {
		this.restarting();
		this.board.powerOn();
		await this.ready();
	}

	/** Presses the reset button; which version then runs. */
	async reset(): Promise<string> {
		await this.board.reset();
		this.restarting();
		await this.ready();
		return this.version;
	}

	/** Forgets what was printed. */
	restarting(): void {
		this.uart = "";
		this.otaPort = this.httpPort = 0;
	}

	async ready(): Promise<void> {
		await this.printed("ready");
		await until(() => this.otaPort > 0 && this.httpPort > 0);
	}

	/** The version that last said it was ready. */
	get version(): string {
		return this.uart.match(/ota8266 (\S+) ready(?![\s\S]*ready)/)?.[1] ?? "";
	}

	/** What the application was told, by its lines on the UART. */
	get told(): string[] {
		return this.uart.match(/^update (of .*|failed: .*)$/gm) ?? [];
	}

	/** Waits for the application's last word on an update, and gives it. */
	async ended(): Promise<string> {
		const last = () => this.told.filter((line) => !line.endsWith("begins")).at(-1);
		await until(() => last() !== undefined);
		return last() ?? "";
	}

	/** Waits for a text on the UART. */
	async printed(text: string): Promise<void> {
		await until(
			() => this.uart.includes(text),
			() => `"${text}" in ${JSON.stringify(this.uart)}`,
		);
	}

	/** Arms a fault: at the operation that has the number `at` from now on. */
	arm(at: number, kind: Fault["kind"], only?: "erase" | "program"): void {
		const { control } = this.board;
		control.arm({ at: control.operations + at, kind, ...(only && { only }) });
	}

	/** Leaves something else where an update of `length` bytes is staged, so that none of it is erased. */
	soil(length: number): void {
		const start = 0x200000 - Math.ceil(length / 4096) * 4096;
		this.board.flash.program(start, new Uint8Array(0x200000 - start));
	}

	get(address: number, length: number): Uint8Array {
		const bytes = new Uint8Array(length);
		this.board.flash.read(address, bytes);
		return bytes;
	}

	async uploader(image: Uint8Array): Promise<Uploader> {
		const uploader = await Uploader.start(this.otaPort, image);
		onTestFinished(() => uploader.close());
		return uploader;
	}
}

const made = new Map<string, Promise<Uint8Array>>();

/** A new firmware of main.ts, of `padTo` bytes where given. */
export function newFirmware(version = "2.0.0", padTo?: number): Promise<Uint8Array> {
	const key = `${version} ${padTo}`;
	const firmware = made.get(key) ?? makeFirmware({ version, padTo });
	made.set(key, firmware);
	return firmware;
}

export async function until(
	condition: () => boolean,
	what: () => string = () => "a condition",
): Promise<void> {
	for (const end = Date.now() + 10_000; !condition(); ) {
		if (Date.now() > end) throw new Error(`waited 10 s for ${what()}`);
		await new Promise((wake) => setTimeout(wake, 5));
	}
}
