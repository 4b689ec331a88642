/** The command `ota8266` as a user runs it. */
import { execFile } from "node:child_process";
import { run } from "../../tools/program";

export interface Outcome {
	code: number;
	stdout: string;
	stderr: string;
}

/** Runs it in a process of its own, with OTA_PASSWORD set to secret. */
export function ota8266(...args: readonly string[]): Promise<Outcome> {
	return ota8266With({}, ...args);
}

/** The same, with more variables. */
export function ota8266With(variables: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Outcome> {
	return new Promise((resolve) => {
		const env = { ...process.env, OTA_PASSWORD: "secret", ...variables };
		const parameters = ["--import", "tsx", "tools/ota8266.ts", ...args];
		const child = execFile(process.execPath, parameters, { env }, (error, stdout, stderr) => {
			resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
		});
		child.stdin?.end();
	});
}

/** The usage alone, without a process. */
export async function usage(...args: readonly string[]): Promise<Outcome> {
	const outcome = { code: 0, stdout: "", stderr: "" };
	const code = await run(args, {
		writeOut: (text) => {
			outcome.stdout += text;
		},
		writeErr: (text) => {
			outcome.stderr += text;
		},
	});
	return { ...outcome, code };
}

/**
 * Runs it here, which takes a second less, and says what it wrote. One at a time, since standard output is taken
 * from this process: for tests that do not run concurrently.
 */
export async function ota8266Here(...args: readonly string[]): Promise<Outcome> {
	const outcome = { code: 0, stdout: "", stderr: "" };
	const { stdout, stderr } = process;
	const real = { stdout: stdout.write, stderr: stderr.write };
	const take = (name: "stdout" | "stderr") => (text: string | Uint8Array) => {
		outcome[name] += text;
		return true;
	};
	stdout.write = take("stdout");
	stderr.write = take("stderr");
	try {
		const code = await run(args);
		return { ...outcome, code };
	} finally {
		stdout.write = real.stdout;
		stderr.write = real.stderr;
		// Where a command leaves its failure: it is not the test's.
		process.exitCode = undefined;
	}
}
