import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Asks on the terminal, without showing what is typed; undefined at the end of the input or Ctrl-C. */
export function askPassword(question: string, signal: AbortSignal): Promise<string | undefined> {
	// readline echoes to its output: one that drops everything hides the password.
	const output = new Writable({ write: (_chunk, _encoding, done) => done() });
	const lines = createInterface({ input: process.stdin, output, terminal: true, signal });
	process.stderr.write(question);
	return new Promise((resolve) => {
		const end = (text?: string): void => {
			process.stderr.write("\n");
			resolve(text);
			lines.close();
		};
		lines.once("line", end);
		// The terminal is in raw mode: Ctrl-C comes as a key, and is what it would have been.
		lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
		lines.once("close", () => resolve(undefined));
	});
}
