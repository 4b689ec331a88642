/**
 * `npm run memory`: what an update takes of the device's memory at most, measured in the XS engine, a line for
 * each receiver; writes the table into DESIGN.md.
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { upload } from "../tools/espota";
import { withClaims } from "../tools/image/claims";
import { deviceKey } from "../tools/image/device-key";
import { privateKey } from "../tools/image/keys";
import { signed } from "../tools/image/signing";
import { parseCSV } from "../tools/partitions/csv";
import { firstApp } from "../tools/partitions/first-app";
import { BOUNDARY, formBody } from "./tests/form-body";
import { Uploader } from "./tests/uploader";
import { root } from "./virtual/bundle";
import { makeFirmware } from "./virtual/firmware";
import type { Settings } from "./virtual/modules";
import { bootConfigFor, modelStages, withOwnBoot } from "./virtual/own-boot/stages";
import { slotsFlash } from "./virtual/slots-flash";
import { VirtualBoard } from "./virtual/virtual-board";
import { type Peaks, XsEngine } from "./virtual/xs-engine";

/** What must be left for the application: bytes of the block never used, slots of the stack. */
export const RESERVE = Object.freeze({ unused: 8192, stack: 64 });
const BLOCK = 32_768;
export const STACK = 256;
/** As large as a firmware with the usual modules. */
const IMAGE_SIZE = 600_000;
const FLASH_SIZE = 0x400000;

export interface Scenario {
	name: string;
	settings: Settings;
	/** Sends the image to the board at this UDP port, or this TCP port. */
	send(port: number, image: Uint8Array, httpPort: number): Promise<unknown>;
	/** The board asks a server for the image. */
	server?: boolean;
	/** Who signs it; the board has the public key. */
	signer?: Signer;
	/** The board has two slots. */
	slots?: boolean;
	/** The board has our boot loader. */
	own?: boolean;
}

/** Of the boards that have slots. */
const partitions = parseCSV(readFileSync(join(root, "partitions/two-slots-4m.csv"), "utf8"));

interface Signer {
	type: "rsa" | "ec";
	modulusLength?: number;
}

/** Of what is signed: the counter is kept in the preferences. */
const CLAIMS = Object.freeze({ versionCounter: 2, flashSize: 0x400000 });

const PASSWORD = "open sesame";

async function sendAsEspota(port: number, image: Uint8Array): Promise<void> {
	const uploader = await Uploader.start(port, image);
	await uploader.invite(PASSWORD);
	await uploader.upload();
	uploader.close();
}

/** With credentials where the board wants some, and what a browser sends beside the body. */
async function sendByHTTP(
	port: number,
	body: Uint8Array,
	init: { method: string; path: string; type?: string },
): Promise<void> {
	const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString("base64")}`;
	const headers: Record<string, string> = { authorization, ...(init.type && { "content-type": init.type }) };
	const url = `http://127.0.0.1:${port}`;
	await (await fetch(`${url}/`, { headers })).text();
	await (await fetch(`${url}/update`, { headers })).arrayBuffer();
	await (await fetch(`${url}/status`, { headers })).text();
	const { ok } = await fetch(url + init.path, { method: init.method, headers, body: new Uint8Array(body) });
	if (!ok) throw new Error("not updated");
}

function sendAsForm(_port: number, image: Uint8Array, httpPort: number): Promise<void> {
	const type = `multipart/form-data; boundary=${BOUNDARY}`;
	return sendByHTTP(httpPort, formBody([["firmware", image]]), { method: "POST", path: "/update", type });
}

function sendByPUT(_port: number, image: Uint8Array, httpPort: number): Promise<void> {
	return sendByHTTP(httpPort, image, { method: "PUT", path: "/update?kind=firmware" });
}

/** Two strangers hold a connection each, with a head as large as the board takes a line, while the owner updates. */
async function sendAmongStrangers(port: number, image: Uint8Array, httpPort: number): Promise<void> {
	const strangers = Array.from({ length: 2 }, () => connect(httpPort, "127.0.0.1"));
	for (const stranger of strangers) {
		stranger.on("error", () => {});
		stranger.write(`GET /update HTTP/1.1\r\nhost: a\r\nauthorization: Digest ${"a".repeat(480)}`);
	}
	await sendAsForm(port, image, httpPort);
	for (const stranger of strangers) stranger.destroy();
}

export const scenarios: readonly Scenario[] = [
	{ name: "ArduinoOTA, no password", settings: {}, send: sendAsEspota },
	{ name: "ArduinoOTA, espota's password", settings: { otaPassword: PASSWORD }, send: sendAsEspota },
	{
		name: "ArduinoOTA, strong authentication",
		settings: { otaPassword: PASSWORD },
		send: (port, image) => upload({ host: "127.0.0.1", port, image, password: PASSWORD }),
	},
	{ name: "browser's form, password", settings: { httpPassword: PASSWORD }, send: sendAsForm },
	{
		name: "browser's form, two strangers beside",
		settings: { httpPassword: PASSWORD },
		send: sendAmongStrangers,
	},
	{ name: "a server's update", settings: {}, send: async () => {}, server: true },
	{ name: "HTTP PUT, password", settings: { httpPassword: PASSWORD }, send: sendByPUT },
	{
		name: "ArduinoOTA, signed by RSA of 2048 bits",
		settings: {},
		send: sendAsEspota,
		signer: { type: "rsa", modulusLength: 2048 },
	},
	{
		name: "HTTP PUT, password, signed by RSA of 2048 bits",
		settings: { httpPassword: PASSWORD },
		send: sendByPUT,
		signer: { type: "rsa", modulusLength: 2048 },
	},
	{
		name: "HTTP PUT, password, signed by P-256",
		settings: { httpPassword: PASSWORD },
		send: sendByPUT,
		signer: { type: "ec" },
	},
	{
		name: "two slots: ArduinoOTA, espota's password",
		settings: { otaPassword: PASSWORD },
		send: sendAsEspota,
		slots: true,
	},
	{
		name: "two slots: browser's form, two strangers beside",
		settings: { httpPassword: PASSWORD },
		send: sendAmongStrangers,
		slots: true,
	},
	{ name: "two slots: a server's update", settings: {}, send: async () => {}, server: true, slots: true },
	{
		name: "two slots: HTTP PUT, password, signed by RSA of 2048 bits",
		settings: { httpPassword: PASSWORD },
		send: sendByPUT,
		signer: { type: "rsa", modulusLength: 2048 },
		slots: true,
	},
	{
		name: "our boot loader: browser's form, two strangers beside",
		settings: { httpPassword: PASSWORD },
		send: sendAmongStrangers,
		own: true,
	},
	{ name: "our boot loader: a server's update", settings: {}, send: async () => {}, server: true, own: true },
	{
		name: "our boot loader: HTTP PUT, password, signed by RSA of 2048 bits",
		settings: { httpPassword: PASSWORD },
		send: sendByPUT,
		signer: { type: "rsa", modulusLength: 2048 },
		own: true,
	},
];

/** A server that has this image for every board. */
async function serve(image: Uint8Array): Promise<{ url: string; close(): void }> {
	const headers = {
		"content-length": image.length,
		"x-md5": createHash("md5").update(image).digest("hex"),
		etag: '"2.0.0"',
	};
	const server = createServer((_request, response) => response.writeHead(200, headers).end(image));
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	return { url: `http://127.0.0.1:${port}/update`, close: () => server.close() };
}

function keyPair({ type, modulusLength = 2048 }: Signer): { keys: string; privatePEM: string } {
	const { privateKey: key, publicKey } =
		type === "rsa"
			? generateKeyPairSync("rsa", { modulusLength })
			: generateKeyPairSync("ec", { namedCurve: "P-256" });
	return {
		keys: deviceKey(String(publicKey.export({ type: "spki", format: "pem" }))),
		privatePEM: String(key.export({ type: "pkcs8", format: "pem" })),
	};
}

/** The peaks of a run in which an update of 600,000 bytes came in and was handed over. */
export async function measure({
	settings,
	send,
	server: asks,
	signer,
	slots,
	own,
}: Scenario): Promise<Peaks> {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-memory-"));
	const ports = { udp: 0, tcp: 0 };
	let listens: () => void = () => {};
	let measured: (peaks: Peaks) => void = () => {};
	const listening = new Promise<void>((resolve) => {
		listens = resolve;
	});
	const peaks = new Promise<Peaks>((resolve) => {
		measured = resolve;
	});
	const slot = slots ? firstApp(partitions)?.offset : undefined;
	const built = await makeFirmware({ version: "2.0.0", padTo: IMAGE_SIZE, slot });
	const first = await makeFirmware({ version: "1.0.0", slot });
	const pair = signer && keyPair(signer);
	const image = pair ? signed(withClaims(built, CLAIMS), privateKey(pair.privatePEM, "private.key")) : built;
	const server = asks ? await serve(image) : undefined;
	const board = new VirtualBoard({
		flashFile: join(folder, "flash"),
		engine: new XsEngine(join(root, "dist/xs-host"), measured),
		settings: {
			otaPort: 0,
			httpPort: 0,
			dnssd: false,
			...(server && { updateUrl: server.url, updateInterval: 60, updateFirst: 0.3 }),
			...(pair && { publicKeys: pair.keys }),
			...settings,
		},
		onUART: () => {},
		onListening: (protocol, number) => {
			ports[protocol] = number;
			if (ports.udp > 0 && ports.tcp > 0) listens();
		},
	});
	try {
		board.flashByCable(
			slots
				? slotsFlash(partitions, first)
				: own
					? withOwnBoot(first, modelStages, bootConfigFor(FLASH_SIZE))
					: first,
		);
		board.powerOn();
		await listening;
		await send(ports.udp, image, ports.tcp);
		return await peaks;
	} finally {
		server?.close();
		await board.close();
		rmSync(folder, { recursive: true });
	}
}

/** Rows of Markdown. */
export function memoryTable(rows: readonly (readonly [Scenario, Peaks])[]): string {
	const lines = rows.map(([{ name }, { chunks, slots, stack, unused }]) => {
		const used = BLOCK - unused;
		return `| ${[name, chunks, slots, stack, used, unused].join(" | ")} |`;
	});
	return [
		"| receiver | chunks, bytes | slots of 16 bytes | stack, of 256 slots | used of 32,768 | never used |",
		"| --- | --- | --- | --- | --- | --- |",
		...lines,
	].join("\n");
}

if (process.argv[1] === import.meta.filename) {
	const rows: [Scenario, Peaks][] = [];
	for (const scenario of scenarios) rows.push([scenario, await measure(scenario)]);
	const table = memoryTable(rows);
	const file = join(root, "DESIGN.md");
	const text = readFileSync(file, "utf8");
	writeFileSync(file, text.replace(/(<!-- memory -->\n)[\s\S]*?(<!-- \/memory -->)/, `$1${table}\n$2`));
	process.stdout.write(`${table}\n`);
}
