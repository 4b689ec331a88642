/** A whole virtual board with its application's thread, for a test. */
import { readFileSync } from "node:fs";
import { onTestFinished } from "vitest";
import { makeFirmware } from "../virtual/firmware";
import { VirtualBoard, type VirtualBoardOptions } from "../virtual/virtual-board";
import { temporaryFile } from "./temporary-flash";
import { Uploader } from "./uploader";

/** The built firmware, version 1.0.0. */
export const FIRST = new Uint8Array(readFileSync(new URL("../../dist/firmware.bin", import.meta.url)));

export class BoardBench {
	readonly board: VirtualBoard;
	readonly flashFile = temporaryFile();
	uart = "";
	otaPort = 0;

	constructor(options: Partial<VirtualBoardOptions> = {}) {
		this.board = new VirtualBoard({
			flashFile: this.flashFile,
			...options,
			settings: { otaPort: 0, dnssd: false, ...options.settings },
			onUART: (text) => {
				this.uart += text;
			},
			onListening: (_protocol, port) => {
				this.otaPort = port;
			},
		});
		onTestFinished(() => this.board.close());
	}

	/** A board that has started what it left the factory with. */
	static async started(options: Partial<VirtualBoardOptions> = {}): Promise<BoardBench> {
		const bench = new BoardBench(options);
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

	/** Forgets what was printed. */
	restarting(): void {
		this.uart = "";
		this.otaPort = 0;
	}

	async ready(): Promise<void> {
		await this.printed("ready");
		await until(() => this.otaPort > 0);
	}

	/** Waits for a text on the UART. */
	async printed(text: string): Promise<void> {
		await until(
			() => this.uart.includes(text),
			() => `"${text}" in ${JSON.stringify(this.uart)}`,
		);
	}

	async uploader(image: Uint8Array): Promise<Uploader> {
		return Uploader.start(this.otaPort, image);
	}
}

/** A new firmware of main.ts. */
export function newFirmware(version = "2.0.0"): Promise<Uint8Array> {
	return makeFirmware({ version });
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
