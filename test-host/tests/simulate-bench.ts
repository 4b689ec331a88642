/** The built command line in processes of its own, as `npm start` runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { until } from "./board-bench";

const command = fileURLToPath(new URL("../../dist/ota8266.js", import.meta.url));

export interface Run {
	process: ChildProcess;
	out: string;
	errors: string;
}

export function run(...args: readonly string[]): Run {
	const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
	const run: Run = { process: child, out: "", errors: "" };
	child.stdout.on("data", (text) => {
		run.out += text;
	});
	child.stderr.on("data", (text) => {
		run.errors += text;
	});
	onTestFinished(() => {
		child.kill("SIGKILL");
	});
	return run;
}

export async function exitCode(child: ChildProcess): Promise<number> {
	if (child.exitCode !== null) return child.exitCode;
	const [code] = await once(child, "exit");
	return code;
}

/** The UDP port that a board says it listens on. */
export async function port(board: Run): Promise<string> {
	const listens = /listens on UDP port (\d+)/;
	await until(() => listens.test(board.errors) && board.out.includes("ready"));
	return listens.exec(board.errors)?.[1] ?? "";
}
