import { networkInterfaces } from "node:os";
import { Command, Option } from "commander";
import { hostName, listeningPort } from "./option-values";
import { LineWriter } from "./serve/line-writer";
import { type ServeOptions, UpdateServer } from "./serve/update-server";

const PORT = 8070;
const STDOUT = 1;

interface ServeFlags {
	port: number;
	host?: string;
	knownOnly?: boolean;
	uploadToken?: string;
	uploadTokenEnv?: string;
}

const HELP = `
The folder:
  <dir>/<channel>/<app>-<version>.bin      a firmware; also .bin.gz, .bin.signed, .bin.gz.signed
  <dir>/<channel>/<app>-<version>.fs.bin   a filesystem
  <dir>/devices.json                       { "18:FE:34:AA:BB:CC": { "channel": "beta" } }
A device gets the newest version of its channel: that of devices.json, else "stable".
/ is a page with devices and images, /metrics is for Prometheus. Standard output is the log, a JSON object a line.

Examples:
  $ ota8266 serve images
  $ ota8266 serve images --port 8080 --known-only
  $ ota8266 serve images --upload-token-env UPLOAD_TOKEN
  $ curl --fail --upload-file lamp-1.2.0.bin -H "Authorization: Bearer $UPLOAD_TOKEN" http://…:8070/images/stable/

Exit code: 0 stopped by Ctrl-C with all downloads finished, 1 failed or stopped by a second one, 2 wrong usage.`;

export function serveCommand(): Command {
	const command = new Command("serve");
	return command
		.description("offer a folder of images to the devices that ask for updates")
		.argument("<dir>", "the folder")
		.option("--port <port>", "TCP port, 0 for any", listeningPort, PORT)
		.option("--host <address>", "address of this machine to listen on (default: all)", hostName)
		.option("--known-only", "devices that devices.json does not name get nothing")
		.addOption(
			new Option("--upload-token <text>", "whoever knows it may upload images").conflicts("uploadTokenEnv"),
		)
		.option("--upload-token-env <name>", "environment variable with the token")
		.addHelpText("after", HELP)
		.action(async (folder: string, flags: ServeFlags) => {
			const { uploadTokenEnv } = flags;
			const uploadToken = uploadTokenEnv === undefined ? flags.uploadToken : process.env[uploadTokenEnv];
			if (uploadTokenEnv !== undefined && !uploadToken) {
				command.error(`error: set the environment variable ${uploadTokenEnv}, --upload-token-env names it`);
			}
			if (uploadToken !== undefined && !/^[!-~]+$/.test(uploadToken)) {
				command.error("error: an upload token is of printable characters without spaces");
			}
			if (!(await serve({ ...flags, uploadToken, folder }))) process.exitCode = 1;
		});
}

/** Until a signal; true when everything that ran then was finished. */
async function serve(options: Omit<ServeOptions, "onLog" | "onNotice">): Promise<boolean> {
	const log = new LineWriter(STDOUT);
	const server = await UpdateServer.start({
		...options,
		onLog: (line) => log.write(line),
		onNotice: say,
		linesLost: () => log.lost,
	});
	say(introduction(server, options));
	const finished = await untilSignals(server);
	await log.idle();
	return finished;
}

/** The first signal lets downloads finish, the second one ends them. */
function untilSignals(server: UpdateServer): Promise<boolean> {
	return new Promise((resolve) => {
		let isStopping = false;
		const stop = (): void => {
			if (isStopping) {
				resolve(false);
				server.end();
				return;
			}
			isStopping = true;
			const { downloadsRunning } = server.metrics;
			if (downloadsRunning > 0) say(`finishing ${downloadsRunning} downloads; Ctrl-C again cuts them`);
			void server.stop().then(() => resolve(true));
		};
		process.on("SIGINT", stop);
		process.on("SIGTERM", stop);
	});
}

function introduction(server: UpdateServer, { folder, host, uploadToken }: Partial<ServeOptions>): string {
	const urls = (host === undefined ? addresses() : [host]).map((address) => {
		const name = address.includes(":") ? `[${address}]` : address;
		return `http://${name}:${server.port}/update`;
	});
	const { entries } = server.catalogue.offer;
	const offered = entries.filter(({ image }) => image).length;
	const rest = entries.length - offered;
	const images = `${folder}: ${offered} images${rest > 0 ? `, and ${rest} that cannot be offered now` : ""}`;
	const uploads = uploadToken === undefined ? "" : "\nUploads: PUT /images/<channel>/<file>";
	return `Devices update from ${urls.join(" or ")}\n${images}${uploads}\nCtrl-C ends it.`;
}

/** Of this machine, as devices in its networks see it. */
function addresses(): string[] {
	const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
	const outside = all.filter(({ family, internal }) => family === "IPv4" && !internal);
	return outside.length > 0 ? outside.map(({ address }) => address) : ["127.0.0.1"];
}

/** Standard error: standard output is the log. */
function say(text: string): void {
	process.stderr.write(`${text}\n`);
}
