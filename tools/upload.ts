import { createHash } from "node:crypto";
import { Command, Option } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import { askPassword } from "./ask-password";
import { OTA_PORT, TIMEOUT, upload } from "./espota";
import { imageInfo } from "./image-info";
import { hostName, portNumber, seconds } from "./option-values";
import { Progress } from "./progress";
import { fileToSend, readImage } from "./read-image";

interface UploadFlags {
	host: string;
	port: number;
	password?: string;
	passwordEnv?: string;
	filesystem?: boolean;
	timeout: number;
	hostPort?: number;
	force?: boolean;
	json?: boolean;
}

/** What --json prints. */
interface Report {
	ok: boolean;
	/** About what the board has taken. */
	bytes: number;
	ms: number;
	md5?: string;
	file: string;
	host: string;
	port: number;
	error?: { code: number; text: string };
}

const EXAMPLES = `
Examples:
  $ ota8266 upload firmware.bin --host 192.168.1.50
  $ ota8266 upload firmware.bin.gz --host esp8266-1a2b3c.local --password-env OTA_PASSWORD
  $ ota8266 upload littlefs.bin --host 192.168.1.50 --filesystem
  $ ota8266 upload firmware.bin --host 192.168.1.50 --host-port 18266   (a port that the firewall lets in)

Exit code: 0 the board has verified the update, 1 it has not, 2 wrong usage.`;

export function uploadCommand(): Command {
	const command = new Command("upload");
	return command
		.description("send a firmware or a filesystem to a board with ArduinoOTA")
		.argument("<file>", "the image; FILE.signed is sent in its place where that exists")
		.requiredOption(
			"--host <address>",
			"name or address of the board (ota8266 discover lists them)",
			hostName,
		)
		.option("--port <port>", "UDP port of the board", portNumber, OTA_PORT)
		.addOption(new Option("--password <text>", "password of the board").conflicts("passwordEnv"))
		.option("--password-env <name>", "environment variable with the password")
		.option("--filesystem", "the image is a filesystem, not a firmware")
		.addOption(
			new Option("--timeout <seconds>", "how long to wait for the board")
				.argParser(seconds)
				.default(TIMEOUT, String(TIMEOUT / 1000)),
		)
		.option("--host-port <port>", "TCP port of this machine that the board connects to", portNumber)
		.option("--force", "send a firmware that looks damaged")
		.option("--json", "print the result as one JSON object")
		.addHelpText("after", EXAMPLES)
		.action(async (file: string, flags: UploadFlags) => {
			const { passwordEnv } = flags;
			const password = passwordEnv === undefined ? flags.password : process.env[passwordEnv];
			if (passwordEnv !== undefined && password === undefined) {
				command.error(`error: set the environment variable ${passwordEnv}, --password-env names it`);
			}
			if (!(await run(file, flags, password))) process.exitCode = 1;
		});
}

/** True when the board has verified the update. */
async function run(file: string, flags: UploadFlags, given: string | undefined): Promise<boolean> {
	const { host, port, filesystem, timeout, hostPort, json } = flags;
	const stop = new AbortController();
	const interrupt = (): void => stop.abort();
	const progress = json ? undefined : new Progress(process.stderr);
	const start = performance.now();
	const report: Report = { ok: false, bytes: 0, ms: 0, file, host, port };
	process.once("SIGINT", interrupt);
	try {
		const path = await fileToSend(file);
		report.file = path;
		if (path !== file && !json) process.stderr.write(`Sending the signed image ${path}\n`);
		const image = await readImage(path);
		const faults = filesystem || flags.force ? [] : imageInfo(image).faults;
		// The board has no time to inflate a gzip or to compute the application's checksum.
		if (faults.length > 0) throw new UpdateError(ErrorCode.DAMAGED, path, faults.join("; "));
		report.md5 = createHash("md5").update(image).digest("hex");
		const ask = process.stdin.isTTY ? () => askPassword(`Password of ${host}: `, stop.signal) : undefined;
		const { bytes, ms } = await upload({
			host,
			port,
			image,
			command: filesystem ? 100 : 0,
			password: given ?? ask,
			hostPort,
			timeout,
			signal: stop.signal,
			onProgress: (_sent, accepted, total) => {
				report.bytes = accepted;
				progress?.update(accepted, total);
			},
		});
		progress?.end();
		Object.assign(report, { ok: true, bytes, ms });
		if (!json)
			process.stdout.write(
				`Done: ${bytes} bytes in ${(ms / 1000).toFixed(1)} s, the board has verified them\n`,
			);
	} catch (error) {
		if (!(error instanceof UpdateError)) throw error;
		progress?.end();
		report.ms = Math.round(performance.now() - start);
		report.error = { code: error.code, text: error.message };
		if (!json) process.stderr.write(`${error.message}\n`);
	} finally {
		process.off("SIGINT", interrupt);
	}
	if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
	return report.ok;
}
