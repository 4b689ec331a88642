/** `ota8266 serve` in a process of its own, with what the system says of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../virtual/bundle";

/** Of a second: what the system counts a process's time in. */
const TICKS = 100;

export class ServeProcess {
	readonly port: number;
	readonly #child: ChildProcess;

	private constructor(child: ChildProcess, port: number) {
		this.#child = child;
		this.port = port;
	}

	/** Starts it on a folder. Throws Error where it ends before it listens. */
	static async start(folder: string): Promise<ServeProcess> {
		const program = join(root, "dist/ota8266.js");
		const child = spawn(process.execPath, [program, "serve", folder, "--port", "0", "--host", "127.0.0.1"], {
			stdio: ["ignore", "ignore", "pipe"],
		});
		let said = "";
		for await (const text of child.stderr.setEncoding("utf8")) {
			said += text;
			const [, port] = /127\.0\.0\.1:(\d+)\/update/.exec(said) ?? [];
			if (port) return new ServeProcess(child, Number(port));
		}
		throw new Error(`ota8266 serve has ended: ${said}`);
	}

	/** Seconds of processor that it has taken, all its threads. */
	get seconds(): number {
		// Behind the name in parentheses, which may have spaces: state is the first field, utime the twelfth.
		const fields = this.#system("stat")
			.replace(/^.*\) /s, "")
			.split(" ");
		return (Number(fields[11]) + Number(fields[12])) / TICKS;
	}

	/** Megabytes of memory that it has had at most. */
	get peakMemory(): number {
		const [, kilobytes = "0"] = /^VmHWM:\s+(\d+)/m.exec(this.#system("status")) ?? [];
		return (Number(kilobytes) * 1024) / 1e6;
	}

	async stop(): Promise<void> {
		if (this.#child.exitCode !== null) return;
		const ended = once(this.#child, "exit");
		this.#child.kill("SIGKILL");
		await ended;
	}

	#system(file: "stat" | "status"): string {
		return readFileSync(`/proc/${this.#child.pid}/${file}`, "utf8");
	}
}
