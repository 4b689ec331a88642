/** A serial port of this machine, through the package serialport, which is loaded when it is needed. */
import { ErrorCode, UpdateError } from "../../ota/errors";
import type { Wire, WireEvents } from "./wire";

/** What the systems say, and what it means. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
	[/no such file|file not found|ENOENT/i, "there is none of this name (ota8266 ports lists them)"],
	[
		/cannot lock|is locked|resource busy|EBUSY|access (is )?denied/i,
		"another program has it, a monitor perhaps: end that",
	],
	[/permission denied|EACCES/i, "not allowed, on Linux: sudo usermod -a -G dialout $USER, then log in again"],
	[/not a typewriter|inappropriate ioctl|ENOTTY/i, "that is no serial port"],
];

const NO_LINES = /inappropriate ioctl|ENOTTY/i;

export async function openSerialPort(path: string, baudRate: number, events: WireEvents): Promise<Wire> {
	const { SerialPort } = await import("serialport");
	const port = new SerialPort({ path, baudRate, autoOpen: false });
	const call = (action: (done: (error: Error | null | undefined) => void) => void) =>
		new Promise<void>((resolve, reject) => action((error) => (error ? reject(error) : resolve())));
	let open = true;
	const lost = () => {
		if (open) events.onLost();
		open = false;
	};
	try {
		await call((done) => port.open(done));
	} catch (error) {
		throw portError(path, error);
	}
	port.on("data", (bytes: Buffer) => events.onData(new Uint8Array(bytes)));
	port.on("close", lost);
	port.on("error", lost);
	return {
		write: (bytes) => call((done) => port.write(Buffer.from(bytes), done)),
		async setLines(dtr, rts) {
			try {
				// What is not named the package would switch on.
				await call((done) => port.set({ dtr, rts }, done));
			} catch (error) {
				// A pseudo terminal has no such lines; what is behind it may do without.
				if (!NO_LINES.test(textOf(error))) throw portError(path, error);
			}
		},
		setBaudRate: (rate) => call((done) => port.update({ baudRate: rate }, done)),
		async close() {
			open = false;
			if (port.isOpen) await call((done) => port.close(done)).catch(() => {});
		},
	};
}

function textOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function portError(path: string, error: unknown): UpdateError {
	const text = textOf(error);
	const reason = reasons.find(([pattern]) => pattern.test(text))?.[1] ?? text.replace(/^Error: /, "");
	return new UpdateError(ErrorCode.PORT, path, reason);
}
