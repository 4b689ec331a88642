import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { NodeEngine } from "../test-host/virtual/node-engine";
import { VirtualBoard } from "../test-host/virtual/virtual-board";
import { XsEngine } from "../test-host/virtual/xs-engine";
import { listeningPort } from "./option-values";
import { readImage } from "./read-image";

/** What the build has put beside the built command line: the first firmware, and the XS engine. */
const dist = new URL(import.meta.url.endsWith(".ts") ? "../dist/" : "./", import.meta.url);
const factoryFirmware = new URL("firmware.bin", dist);
const xsProgram = fileURLToPath(new URL("xs-host", dist));

const flashSizes = new Map([
	["512K", 0x80000],
	["1M", 0x100000],
	["2M", 0x200000],
	["4M", 0x400000],
	["8M", 0x800000],
	["16M", 0x1000000],
]);

interface SimulateOptions {
	engine: "node" | "xs";
	flash: string;
	flashSize?: string;
	otaPort: number;
	hostName?: string;
	password?: string;
	strongAuthentication?: boolean;
	mac?: Uint8Array;
	firmware?: string;
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
		.option("--ota-port <port>", "UDP port of ArduinoOTA, 0 for any", listeningPort, 8266)
		.option("--host-name <name>", "name on the network (default: esp8266- and the chip id)")
		.option("--password <password>", "ArduinoOTA asks for it")
		.option("--strong-authentication", "takes the answer of `ota8266 upload` only, not espota's MD5")
		.option("--mac <address>", "18:FE:34:AA:BB:CC (default: made from the flash file's path)", parseMAC)
		.option("--firmware <file>", "flashes this file by cable before the board starts")
		.option("--no-mdns", "no announcement by DNS-SD")
		.addHelpText(
			"after",
			`
The UART comes out on standard output. Ctrl-C ends it; the flash file stays.

Examples:
  ota8266 simulate
  ota8266 simulate --flash lamp.flash --ota-port 8300 --host-name lamp --password secret
  ota8266 simulate --firmware dist/firmware-2.0.0.bin`,
		)
		.action(simulate);
}

async function simulate(options: SimulateOptions): Promise<void> {
	const { flash, hostName, password, firmware, mdns } = options;
	if (options.otaPort !== 0 && (await isTaken(options.otaPort))) {
		throw new Error(
			`UDP port ${options.otaPort} is taken: end what uses it, or give another one with --ota-port`,
		);
	}
	if (options.engine === "xs" && !existsSync(xsProgram)) {
		throw new Error("the XS engine is not built: npm run build:xs (it needs gcc-multilib)");
	}
	const fresh = !existsSync(flash);
	// Read before the flash's file is made: a mistyped name leaves none behind.
	const image =
		firmware !== undefined ? await readImage(firmware) : fresh ? readFileSync(factoryFirmware) : undefined;
	// A port of its own, which stays the same over the board's restarts.
	if (options.otaPort === 0) options.otaPort = await freePort();
	const { otaPort } = options;
	const board = new VirtualBoard({
		flashFile: flash,
		flashSize: options.flashSize === undefined ? undefined : flashSizes.get(options.flashSize),
		mac: options.mac ?? macOf(flash),
		engine: options.engine === "xs" ? new XsEngine(xsProgram) : new NodeEngine(),
		settings: {
			otaPort,
			dnssd: mdns,
			strongAuthentication: options.strongAuthentication ?? false,
			...(hostName !== undefined && { hostName }),
			...(password !== undefined && { otaPassword: password }),
		},
		onUART: (text) => process.stdout.write(text),
		onListening: (protocol, port) => say(`the board listens on ${protocol.toUpperCase()} port ${port}`),
	});
	if (image) board.flashByCable(image);
	say(introduction(options));
	board.powerOn();
	// A board that does not start waits for its reset button; this process for Ctrl-C.
	const alive = setInterval(() => {}, 1 << 30);
	await new Promise<void>((end) => {
		process.once("SIGINT", end);
		process.once("SIGTERM", end);
	});
	clearInterval(alive);
	await board.close();
	say(`\npower off; ${flash} keeps what was flashed`);
}

function introduction({ flash, otaPort, password }: SimulateOptions): string {
	const port = otaPort === 8266 ? "" : ` --port ${otaPort}`;
	const secret = password === undefined ? "" : " --password …";
	return `A NodeMCU in software: its flash is ${flash}, its UART comes here. Ctrl-C ends it.
Next, in another terminal:
  npm run firmware -- --version 2.0.0 --out dist/firmware-2.0.0.bin
  npx ota8266 upload dist/firmware-2.0.0.bin --host 127.0.0.1${port}${secret}
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

function parseMAC(text: string): Uint8Array {
	if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) {
		throw new InvalidArgumentError("an address looks like 18:FE:34:AA:BB:CC.");
	}
	return Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16));
}

async function freePort(): Promise<number> {
	const socket = createSocket("udp4");
	await new Promise<void>((bound) => socket.bind(0, bound));
	const { port } = socket.address();
	socket.close();
	return port;
}

async function isTaken(port: number): Promise<boolean> {
	const socket = createSocket("udp4");
	try {
		await new Promise<void>((bound, failed) => {
			socket.once("error", failed);
			socket.bind(port, () => bound());
		});
		return false;
	} catch {
		return true;
	} finally {
		socket.close();
	}
}
