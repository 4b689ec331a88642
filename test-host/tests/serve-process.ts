/** `ota8266 serve` in a process of its own, with one image in its folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { until } from "./board-bench";

const command = fileURLToPath(new URL("../../dist/ota8266.js", import.meta.url));

/** The server, which can be killed and started again on its port. */
export class Serve {
	readonly folder = mkdtempSync(join(tmpdir(), "ota8266-poll-"));
	port = 0;
	log = "";
	#child: ChildProcess | undefined;

	static async started(image: Uint8Array): Promise<Serve> {
		const serve = new Serve();
		mkdirSync(join(serve.folder, "stable"));
		const file = join(serve.folder, "stable/ota8266-2.0.0.bin");
		writeFileSync(file, image);
		// Copied in a while ago.
		utimesSync(file, new Date(0), new Date(0));
		await serve.start();
		onTestFinished(() => {
			serve.kill();
			rmSync(serve.folder, { recursive: true });
		});
		return serve;
	}

	async start(): Promise<void> {
		const child = spawn(process.execPath, [command, "serve", this.folder, "--port", String(this.port)]);
		let errors = "";
		child.stderr.on("data", (text) => {
			errors += text;
		});
		child.stdout.on("data", (text) => {
			this.log += text;
		});
		this.#child = child;
		await until(
			() => errors.includes("Ctrl-C ends it"),
			() => errors,
		);
		this.port = Number(/:(\d+)\/update/.exec(errors)?.[1]);
	}

	kill(): void {
		this.#child?.kill("SIGKILL");
	}
}
