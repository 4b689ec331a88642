import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import type { Settings } from "../test-host/virtual/modules";
import { NodeEngine } from "../test-host/virtual/node-engine";
import { bootConfigFor, modelStages, withOwnBoot } from "../test-host/virtual/own-boot/stages";
import { SerialServer } from "../test-host/virtual/serial/serial-server";
import { slotsFlash } from "../test-host/virtual/slots-flash";
import { VirtualBoard } from "../test-host/virtual/virtual-board";
import { XsEngine } from "../test-host/virtual/xs-engine";
import { deviceKeys } from "./image/device-key";
import { readPublicKeys } from "./image/keys";
import { boardID, flashSizes, listeningPort, more, versionCounter } from "./option-values";
import { problemsOf, problemText } from "./partitions/problems";
import { readTable } from "./partitions/table-file";
import { readImage } from "./read-image";

/** What the build has put beside the built command line: the first firmware, and the XS engine. */
const dist = new URL(import.meta.url.endsWith(".ts") ? "../dist/" : "./", import.meta.url);
const factoryFirmware = new URL("firmware.bin", dist);
const slotFirmware = new URL("firmware-slot.bin", dist);
const xsProgram = fileURLToPath(new URL("xs-host", dist));

interface SimulateOptions {
	engine: "node" | "xs";
	flash: string;
	flashSize?: string;
	boot?: "eboot" | "ours";
	otaPort: number;
	hostName?: string;
	password?: string;
	strongAuthentication?: boolean;
	httpPort: number;
	httpUser?: string;
	httpPassword?: string;
	httpBasic: boolean;
	updateUrl?: string;
	updateInterval: number;
	updateUser?: string;
	updatePassword?: string;
	updateToken?: string;
	publicKey?: string[];
	allowLegacy?: boolean;
	minVersionCounter?: number;
	board?: string;
	atomicFilesystem?: boolean;
	mac?: Uint8Array;
	firmware?: string;
	partitions?: string;
	serialPort?: number;
	downloadMode?: boolean;
	mdns: boolean;
}

export function simulateCommand(): Command {
	return new Command("simulate")
		.description("a NodeMCU in software: listens as the board does, and runs what lies in its flash")
		.option("--flash <file>", "the flash; made with a first firmware where there is none", "nodemcu.flash")
		.addOption(
			new Option("--flash-size <size>", "size of a new flash (default: 4M)").choices([...flashSizes.keys()]),
		)
		.addOption(
			new Option("--engine <name>", "what runs the application: Node, or XS with the device's memory")
				.choices(["node", "xs"])
				.default("node"),
		)
		.addOption(
			new Option(
				"--boot <name>",
				"boot loader of what is flashed by cable (default: ours in a new flash, that of the file with --firmware)",
			).choices(["ours", "eboot"]),
		)
		.option("--ota-port <port>", "UDP port of ArduinoOTA, 0 for any", listeningPort, 8266)
		.option("--host-name <name>", "name on the network (default: esp8266- and the chip id)")
		.option("--password <password>", "ArduinoOTA asks for it")
		.option("--strong-authentication", "takes the answer of `ota8266 upload` only, not espota's MD5")
		.option("--http-port <port>", "TCP port of the update page, 0 for any", listeningPort, 8080)
		.option("--http-user <name>", "user of the update page (default: admin, where there is a password)")
		.option("--http-password <password>", "the update page asks for it")
		.option("--no-http-basic", "the update page takes Digest only, no password in clear")
		.option("--update-url <url>", "asks this server for updates")
		.option("--update-interval <seconds>", "time between two checks", parseSeconds, 3600)
		.option("--update-user <name>", "user for the server")
		.option("--update-password <password>", "password for the server")
		.option("--update-token <token>", "bearer token for the server, in their place")
		.option("--public-key <file>", "takes only what this key has signed; may be given again", more)
		.option("--allow-legacy", "signatures of the Arduino core up to 2.5.2 too")
		.option("--min-version-counter <n>", "refuses images that claim less, or none", versionCounter)
		.option("--board <id>", "refuses images that claim to be for another board", boardID)
		.option("--atomic-filesystem", "filesystems are staged, and brought to their place by the boot loader")
		.option("--mac <address>", "18:FE:34:AA:BB:CC (default: made from the flash file's path)", parseMAC)
		.option("--firmware <file>", "flashes this file by cable before the board starts")
		.option(
			"--partitions <csv>",
			"flashes this partition table by cable, and Espressif's kind of boot loader: the firmware goes into the first slot",
		)
		.option("--serial-port <port>", "TCP port of the UART, bare or RFC 2217; 0 for any", listeningPort)
		.option("--download-mode", "starts in the serial loader, as with the flash button held")
		.option("--no-mdns", "no announcement by DNS-SD")
		.addHelpText(
			"after",
			`
The UART comes out on standard output. Ctrl-C ends it; the flash file stays.

Examples:
  ota8266 simulate
  ota8266 simulate --flash lamp.flash --ota-port 8300 --host-name lamp --password secret
  ota8266 simulate --http-port 8081 --http-user admin --http-password secret
  ota8266 simulate --update-url http://127.0.0.1:8070/update --update-interval 60
  ota8266 simulate --serial-port 3333 --download-mode
  ota8266 simulate --public-key keys/public.key --min-version-counter 2
  ota8266 simulate --firmware dist/firmware-2.0.0.bin
  ota8266 simulate --boot eboot
  ota8266 simulate --flash slots.flash --partitions partitions/two-slots-4m.csv`,
		)
		.action(simulate);
}

async function simulate(options: SimulateOptions): Promise<void> {
	const { flash, hostName, password, serialPort, downloadMode, mdns } = options;
	if (downloadMode && serialPort === undefined) throw new Error("--download-mode wants a --serial-port");
	// Ports of its own, which stay the same over the board's restarts.
	options.otaPort = await portFor("UDP", options.otaPort, "--ota-port");
	options.httpPort = await portFor("TCP", options.httpPort, "--http-port");
	if (options.engine === "xs" && !existsSync(xsProgram)) {
		throw new Error("the XS engine is not built: npm run build:xs (it needs gcc-multilib)");
	}
	const fresh = !existsSync(flash);
	// Read before the flash's file is made: a mistyped name leaves none behind.
	const image = await cableImage(options, fresh && !downloadMode);
	const serial = new SerialServer();
	const { otaPort, httpPort, httpUser, httpPassword, httpBasic } = options;
	const board = new VirtualBoard({
		flashFile: flash,
		flashSize: options.flashSize === undefined ? undefined : flashSizes.get(options.flashSize),
		mac: options.mac ?? macOf(flash),
		engine: options.engine === "xs" ? new XsEngine(xsProgram) : new NodeEngine(),
		settings: {
			otaPort,
			dnssd: mdns,
			strongAuthentication: options.strongAuthentication ?? false,
			atomicFilesystem: options.atomicFilesystem ?? false,
			...(hostName !== undefined && { hostName }),
			...(password !== undefined && { otaPassword: password }),
			httpPort,
			httpBasic,
			...(httpUser !== undefined && { httpUser }),
			...(httpPassword !== undefined && { httpPassword }),
			...updateSettings(options),
			...(await signatureSettings(options)),
		},
		onUART: (text) => process.stdout.write(text),
		onSerial: (bytes) => serial.send(bytes),
		onListening: (protocol, port) => say(`the board listens on ${protocol.toUpperCase()} port ${port}`),
	});
	if (image) board.flashByCable(image);
	say(introduction(options));
	if (serialPort !== undefined) say(`the UART is on TCP port ${await serial.listen(board, serialPort)}`);
	// Whoever resets the board later wants it to start.
	board.flashButton = downloadMode ?? false;
	board.powerOn();
	board.flashButton = false;
	// A board that does not start waits for its reset button; this process for Ctrl-C.
	const alive = setInterval(() => {}, 1 << 30);
	await new Promise<void>((end) => {
		process.once("SIGINT", end);
		process.once("SIGTERM", end);
	});
	clearInterval(alive);
	await serial.close();
	await board.close();
	say(`\npower off; ${flash} keeps what was flashed`);
}

/** What goes into the flash from 0 on before the board starts; undefined: it stays as it is. Throws UpdateError. */
async function cableImage(options: SimulateOptions, fresh: boolean): Promise<Uint8Array | undefined> {
	const { firmware, partitions: file, flash, flashSize = "4M", boot } = options;
	if (file === undefined) {
		if (firmware === undefined && !fresh) return undefined;
		const image = firmware === undefined ? readFileSync(factoryFirmware) : await readImage(firmware);
		if (boot === "eboot" || (firmware !== undefined && boot === undefined)) return image;
		const size = existsSync(flash) ? statSync(flash).size : flashSizes.get(flashSize);
		return size === undefined ? image : withOwnBoot(image, modelStages, bootConfigFor(size));
	}
	if (boot === "ours") throw new Error("--boot ours is for a flash without --partitions");
	const { partitions, md5 = true } = await readTable(file);
	const size = flashSizes.get(flashSize);
	const problems = problemsOf(partitions, { md5, ...(size !== undefined && { flashSize: size }) });
	const problem = problems.find(({ severity }) => severity === "error");
	if (problem) throw new UpdateError(ErrorCode.FILE, file, problemText(problem));
	const application = firmware === undefined ? readFileSync(slotFirmware) : await readImage(firmware);
	try {
		return slotsFlash(partitions, application, size);
	} catch (error) {
		throw new UpdateError(ErrorCode.FILE, file, (error as Error).message);
	}
}

/** The first check comes soon: whoever looks on waits for it. */
function updateSettings(options: SimulateOptions): Settings {
	const { updateUrl, updateInterval, updateUser, updatePassword, updateToken } = options;
	if (updateUrl === undefined) return {};
	return {
		updateUrl,
		updateInterval,
		updateFirst: Math.min(1, updateInterval),
		...(updateUser !== undefined && { updateUser }),
		...(updatePassword !== undefined && { updatePassword }),
		...(updateToken !== undefined && { updateToken }),
	};
}

async function signatureSettings(options: SimulateOptions): Promise<Settings> {
	const { publicKey, allowLegacy, minVersionCounter, board } = options;
	if (!publicKey) {
		if (allowLegacy || minVersionCounter !== undefined || board !== undefined) {
			throw new Error("--allow-legacy, --min-version-counter and --board want a --public-key");
		}
		return {};
	}
	const keys = await readPublicKeys(publicKey);
	return {
		publicKeys: deviceKeys(keys.map((key) => ({ key }))),
		allowLegacySignatures: allowLegacy ?? false,
		...(minVersionCounter !== undefined && { minVersionCounter }),
		...(board !== undefined && { signatureBoard: board }),
	};
}

function introduction({ flash, otaPort, password, httpPort, partitions }: SimulateOptions): string {
	const slot = partitions === undefined ? "" : " --slot 0x10000";
	const port = otaPort === 8266 ? "" : ` --port ${otaPort}`;
	const secret = password === undefined ? "" : " --password …";
	return `A NodeMCU in software: its flash is ${flash}, its UART comes here. Ctrl-C ends it.
Next, in another terminal:
  npm run firmware -- --version 2.0.0${slot} --out dist/firmware-2.0.0.bin
  npx ota8266 upload dist/firmware-2.0.0.bin --host 127.0.0.1${port}${secret}
or in a browser: http://127.0.0.1:${httpPort}/update
`;
}

/** Standard error: standard output is the board's. */
function say(text: string): void {
	process.stderr.write(`${text}\n`);
}

/** The same board each time: Espressif's prefix, and three bytes that the file's place decides. */
function macOf(flashFile: string): Uint8Array {
	const digest = createHash("md5").update(resolve(flashFile)).digest();
	return Uint8Array.of(0x18, 0xfe, 0x34, ...digest.subarray(0, 3));
}

function parseSeconds(text: string): number {
	const seconds = Number(text);
	if (!(seconds > 0)) throw new InvalidArgumentError("an interval is a number of seconds above 0.");
	return seconds;
}

function parseMAC(text: string): Uint8Array {
	if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) {
		throw new InvalidArgumentError("an address looks like 18:FE:34:AA:BB:CC.");
	}
	return Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16));
}

/** The port, or where it is 0 a free one. Throws where somebody has it. */
async function portFor(protocol: "UDP" | "TCP", port: number, option: string): Promise<number> {
	try {
		return await (protocol === "UDP" ? tryUDP(port) : tryTCP(port));
	} catch {
		throw new Error(
			`${protocol} port ${port} is taken: end what uses it, or give another one with ${option}`,
		);
	}
}

async function tryUDP(port: number): Promise<number> {
	const socket = createSocket("udp4");
	socket.bind(port);
	await once(socket, "listening");
	const found = socket.address().port;
	socket.close();
	return found;
}

async function tryTCP(port: number): Promise<number> {
	const server = createServer();
	server.listen(port);
	await once(server, "listening");
	const found = (server.address() as AddressInfo).port;
	server.close();
	await once(server, "close");
	return found;
}
