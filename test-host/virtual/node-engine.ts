/** Runs the application in a thread of Node, a new one after each reset. */
import { Worker } from "node:worker_threads";
import type { Engine, EngineEvents, EngineStart, Run } from "./engine";
import { NorControl } from "./nor";
import { CONTROL_LENGTH } from "./nor-control";
import type { ThreadMessage, ThreadStart } from "./thread";
import { printf } from "./uart";
import { SharedWords } from "./words";

/** Beside this file in dist/, where the build has put it. */
const workerFile = import.meta.url.endsWith(".ts")
	? new URL("../../dist/worker.js", import.meta.url)
	: new URL("./worker.js", import.meta.url);

export class NodeEngine implements Engine {
	readonly #words = new SharedWords(new SharedArrayBuffer(CONTROL_LENGTH));

	createControl(): NorControl {
		return NorControl.create(1, this.#words);
	}

	run(start: EngineStart, events: EngineEvents): Run {
		const { control: _, rtc, ...rest } = start;
		const workerData: ThreadStart = { ...rest, control: this.#words.buffer, rtc: rtc.buffer };
		// Modules in Node's vm are behind a flag, which would print a warning.
		const worker = new Worker(workerFile, {
			workerData,
			execArgv: ["--experimental-vm-modules", "--no-warnings"],
		});
		let stopped = false;
		worker.on("message", (message: ThreadMessage) => {
			if (stopped) return;
			if ("uart" in message) events.onUART(message.uart);
			else events.onListening(message.listening.protocol, message.listening.port);
		});
		worker.on("error", (error) => {
			if (!stopped) printf(events.onUART, `\nFatal exception: ${error.message}\n`);
		});
		worker.on("exit", (code) => {
			if (!stopped) events.onExit(code);
		});
		return {
			async stop() {
				stopped = true;
				await worker.terminate();
			},
		};
	}

	close(): void {}
}
