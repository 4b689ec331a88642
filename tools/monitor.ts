import { Command } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import { unfinished } from "./monitor/boot-loader-lines";
import { explain } from "./monitor/explain";
import { Lines } from "./monitor/lines";
import { readSymbols } from "./monitor/symbols";
import { baudRate } from "./option-values";
import { hasLines, openWire, type Wire } from "./serial/wire";

const BAUD_RATE = 115_200;
/** ms that the reset is held. */
const RESET_TIME = 100;
/** A line without an end shows after so many ms: a prompt is one. */
const PATIENCE = 200;

const EXAMPLES = `
Examples:
  $ ota8266 monitor --port /dev/ttyUSB0
  $ ota8266 monitor --port /dev/ttyUSB0 --baud 74880          (what the boot loaders say before the firmware)
  $ ota8266 monitor --port COM3 --elf main.elf                (names the functions of a crash)

What is typed goes to the board, a line at a time. Ctrl-C ends.

Exit code: 0 ended by Ctrl-C; 1 the port cannot be opened, or is lost; 2 wrong usage.`;

interface MonitorFlags {
	port: string;
	baud: number;
	elf?: string;
	reset: boolean;
	timestamps: boolean;
}

export function monitorCommand(): Command {
	return new Command("monitor")
		.description("show what a board says on its serial line, resets and crashes explained")
		.requiredOption(
			"--port <port>",
			"serial port (ota8266 ports lists them), socket://HOST:PORT or rfc2217://HOST:PORT",
		)
		.option("--baud <rate>", "speed of the firmware's output", baudRate, BAUD_RATE)
		.option("--elf <file>", "the firmware's ELF, for the names of its functions")
		.option("--no-reset", "leave the board running as it is")
		.option("--no-timestamps", "lines without the time")
		.addHelpText("after", EXAMPLES)
		.action(async (flags: MonitorFlags) => {
			try {
				await monitor(flags);
			} catch (error) {
				if (!(error instanceof UpdateError)) throw error;
				process.stderr.write(`${error.message}\n`);
				process.exitCode = 1;
			}
		});
}

/** Ends by Ctrl-C. Throws UpdateError PORT, CABLE_LOST. */
async function monitor({ port, baud, elf, reset, timestamps }: MonitorFlags): Promise<void> {
	const symbols = elf === undefined ? undefined : await readSymbols(elf);
	let before = "";
	const lines = new Lines((line) => {
		const time = timestamps ? `${clock(new Date())} ` : "";
		process.stdout.write(`${time}${line}\n`);
		const notes = explain(`${before}${line}`, symbols);
		before = unfinished(line);
		for (const note of notes) process.stdout.write(`${" ".repeat(time.length)}  ^ ${note}\n`);
	});
	const { promise: ended, resolve: end, reject: fail } = withResolvers();
	let patience: NodeJS.Timeout | undefined;
	const wire = await openWire(port, baud, {
		onData(bytes) {
			clearTimeout(patience);
			lines.push(bytes);
			patience = setTimeout(() => lines.flush(), PATIENCE);
		},
		onLost: (reason) => fail(reason ?? new UpdateError(ErrorCode.MONITOR_LOST, port)),
	});
	const type = (bytes: Uint8Array) => void wire.write(bytes).catch(() => {});
	const interrupt = () => end();
	process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
	process.stdin.on("data", type);
	try {
		if (hasLines(port)) await start(wire, reset);
		await ended;
	} finally {
		clearTimeout(patience);
		lines.flush();
		process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
		process.stdin.off("data", type).pause();
		await wire.close();
	}
}

/** Local time to the ms. */
function clock(now: Date): string {
	return `${now.toTimeString().slice(0, 8)}.${String(now.getMilliseconds()).padStart(3, "0")}`;
}

/** Lets go of both lines, so that the board runs. */
async function start(wire: Wire, reset: boolean): Promise<void> {
	if (reset) {
		await wire.setLines(false, true);
		await new Promise((wake) => setTimeout(wake, RESET_TIME));
	}
	await wire.setLines(false, false);
}

function withResolvers(): {
	promise: Promise<void>;
	resolve: () => void;
	reject: (error: unknown) => void;
} {
	let resolve = () => {};
	let reject: (error: unknown) => void = () => {};
	const promise = new Promise<void>((yes, no) => {
		resolve = yes;
		reject = no;
	});
	// It may fail before anybody waits for it.
	promise.catch(() => {});
	return { promise, resolve, reject };
}
