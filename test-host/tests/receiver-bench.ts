/** ArduinoOTA in this thread, on the Updater's bench, with real sockets: for what a whole board does not show. */
import { onTestFinished } from "vitest";
import { ArduinoOTA, type ArduinoOTAOptions } from "../../ota/arduino-ota";
import type { UpdateError } from "../../ota/errors";
import { board, firmware, UpdaterBench, type UpdaterBenchOptions } from "./updater-bench";
import { Uploader } from "./uploader";

export const PASSWORD = "open sesame";
export const NEW = firmware("2.0.0", 30_000);

export class ReceiverBench extends UpdaterBench {
	readonly port: Promise<number>;
	readonly ota: ArduinoOTA;
	/** What the application was told, in order. */
	readonly told: string[] = [];
	/** Resolves when the board restarts. */
	readonly restarted: Promise<void>;

	constructor(options: Partial<ArduinoOTAOptions> = {}, chip: UpdaterBenchOptions = {}) {
		let listening: (port: number) => void = () => {};
		let restarted = () => {};
		const port = new Promise<number>((resolve) => {
			listening = resolve;
		});
		super({
			...chip,
			listening: (_protocol, number) => listening(number),
			restart: () => restarted() as never,
		});
		this.port = port;
		this.restarted = new Promise((resolve) => {
			restarted = resolve;
		});
		this.ota = new ArduinoOTA({
			updater: this.updater,
			board,
			port: 0,
			dnssd: false,
			timeout: 400,
			onStart: (kind) => this.told.push(`start ${kind}`),
			onEnd: (kind) => this.told.push(`end ${kind}`),
			onError: (stage: number, error: UpdateError) => this.told.push(`error ${stage}: ${error}`),
			...options,
		});
		onTestFinished(() => this.ota.close());
	}

	/** An uploader for this board. */
	async uploader(image: Uint8Array = NEW): Promise<Uploader> {
		const uploader = await Uploader.start(await this.port, image);
		onTestFinished(() => uploader.close());
		return uploader;
	}

	/** Waits until the application has been told of an end or an error. */
	async ended(): Promise<string> {
		for (;;) {
			const last = this.told.at(-1);
			if (last && !last.startsWith("start")) return last;
			await new Promise((wake) => setTimeout(wake, 5));
		}
	}
}
