import { Command, Option } from "commander";
import { OTA_PORT, TIMEOUT } from "./espota";
import { DEFAULT_USER } from "./http-upload";
import { decoded, hostName, portNumber, seconds, userName, webURL } from "./option-values";
import { type Board, sendImage } from "./send-image";

interface UploadFlags {
	host?: string;
	http?: URL;
	port: number;
	user?: string;
	password?: string;
	passwordEnv?: string;
	filesystem?: boolean;
	timeout: number;
	hostPort?: number;
	wait: boolean;
	force?: boolean;
	json?: boolean;
}

const EXAMPLES = `
Examples:
  $ ota8266 upload firmware.bin --host 192.168.1.50
  $ ota8266 upload firmware.bin.gz --host esp8266-1a2b3c.local --password-env OTA_PASSWORD
  $ ota8266 upload littlefs.bin --host 192.168.1.50 --filesystem
  $ ota8266 upload firmware.bin --host 192.168.1.50 --host-port 18266   (a port that the firewall lets in)
  $ ota8266 upload firmware.bin --http http://192.168.1.50/update       (the board's web update)

Exit code: 0 the board has verified the update, and with --http, where it tells that, runs it; 1 it has not;
2 wrong usage.`;

export function uploadCommand(): Command {
	const command = new Command("upload");
	return command
		.description("send a firmware or a filesystem to a board, by ArduinoOTA or to its web update")
		.argument("<file>", "the image; FILE.signed is sent in its place where that exists")
		.option(
			"--host <address>",
			"name or address of a board with ArduinoOTA (ota8266 discover lists them)",
			hostName,
		)
		.addOption(
			new Option(
				"--http <url>",
				"web update of a board, in place of --host; its path is /update if not given",
			)
				.argParser(webURL)
				.conflicts(["host", "port", "hostPort"]),
		)
		.option("--port <port>", "UDP port of the board", portNumber, OTA_PORT)
		.addOption(
			new Option("--user <name>", `user of the web update (default: ${DEFAULT_USER})`)
				.argParser(userName)
				.conflicts("host"),
		)
		.addOption(new Option("--password <text>", "password of the board").conflicts("passwordEnv"))
		.option("--password-env <name>", "environment variable with the password")
		.option("--filesystem", "the image is a filesystem, not a firmware")
		.addOption(
			new Option("--timeout <seconds>", "how long to wait for the board")
				.argParser(seconds)
				.default(TIMEOUT, String(TIMEOUT / 1000)),
		)
		.option("--host-port <port>", "TCP port of this machine that the board connects to", portNumber)
		.addOption(new Option("--no-wait", "with --http: do not wait for the board's restart").conflicts("host"))
		.option("--force", "send a firmware that looks damaged")
		.option("--json", "print the result as one JSON object")
		.addHelpText("after", EXAMPLES)
		.action(async (file: string, flags: UploadFlags) => {
			const { passwordEnv } = flags;
			const password = passwordEnv === undefined ? flags.password : process.env[passwordEnv];
			if (passwordEnv !== undefined && password === undefined) {
				command.error(`error: set the environment variable ${passwordEnv}, --password-env names it`);
			}
			const board = boardOf(flags);
			if (!board) {
				return command.error("error: required option '--host <address>' not specified, nor '--http <url>'");
			}
			if (!(await sendImage(file, board, { ...flags, password: password ?? passwordInURL(flags) }))) {
				process.exitCode = 1;
			}
		});
}

function boardOf({ host, http, port, hostPort, user, wait }: UploadFlags): Board | undefined {
	if (http) return { url: http, user: user ?? (decoded(http.username) || DEFAULT_USER), wait };
	return host === undefined ? undefined : { host, port, hostPort };
}

function passwordInURL({ http }: UploadFlags): string | undefined {
	return http && http.password !== "" ? decoded(http.password) : undefined;
}
