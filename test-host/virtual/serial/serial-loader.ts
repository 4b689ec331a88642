/** The chip with the flash button held at its reset: the ROM waits for a program, or for what goes into the flash. */
import type { NorFlash } from "../nor";
import { Registers } from "./registers";
import { RomLoader } from "./rom-loader";
import { SlipDecoder, slipFrame } from "./slip";
import type { Next } from "./status";
import { STUB_BLOCK, StubLoader } from "./stub-loader";

/** Header of a packet, and of the data in it. */
const HEADERS = 64;

export interface SerialLoaderOptions {
	flash: NorFlash;
	/** Six bytes. */
	mac: Uint8Array;
	/** Sends bytes from the TX pin. */
	send(bytes: Uint8Array): void;
	/** Once: what the chip does next. */
	onEnd(next: Exclude<Next, "stub">): void;
}

export class SerialLoader {
	readonly #options: SerialLoaderOptions;
	readonly #registers: Registers;
	readonly #decoder = new SlipDecoder(STUB_BLOCK + HEADERS);
	#loader: RomLoader | StubLoader;
	#over = false;

	constructor(options: SerialLoaderOptions) {
		this.#options = options;
		this.#registers = new Registers(options.mac, options.flash.size);
		this.#loader = new RomLoader(this.#parts());
	}

	/** Flash was written, all of it that was announced. */
	get flashed(): boolean {
		return this.#loader.flashed;
	}

	/** The baud rate of the line, where it is known: the ROM finds it by itself. */
	set baudRate(baudRate: number) {
		this.#registers.baudRate = baudRate;
	}

	/** Takes what comes to the RX pin; resolves when all of it is answered. One call at a time. Throws PowerCut. */
	async receive(bytes: Uint8Array): Promise<void> {
		for (const packet of this.#decoder.push(bytes)) {
			if (this.#over) return;
			const next = await this.#loader.take(packet);
			if (next === "stub") this.#loader = new StubLoader(this.#parts());
			else if (next !== undefined) this.#end(next);
		}
	}

	/** The chip is reset: nothing is answered any more. */
	stop(): void {
		this.#over = true;
	}

	#end(next: Exclude<Next, "stub">): void {
		if (this.#over) return;
		this.#over = true;
		this.#options.onEnd(next);
	}

	#parts() {
		const send = (packet: Uint8Array) => {
			if (!this.#over) this.#options.send(slipFrame(packet));
		};
		return { flash: this.#options.flash, registers: this.#registers, send };
	}
}
