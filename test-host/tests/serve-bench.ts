/** For the tests of `ota8266 serve`: a folder of images, a server on it, and a client that speaks as a device does. */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { type ServeOptions, UpdateServer } from "../../tools/serve/update-server";
import { buildFirmware } from "../virtual/image-builder";

export const MAC = "18:FE:34:AA:BB:CC";

export function md5(bytes: Uint8Array): string {
	return createHash("md5").update(bytes).digest("hex");
}

/** A firmware of a few kilobytes, as the Arduino packer leaves it. */
export function firmware(
	version: string,
	options: { name?: string; padTo?: number; flashSize?: number } = {},
) {
	return buildFirmware({ name: "lamp", version, script: "x".repeat(5000), ...options });
}

/** `payload` with a signature of 2048 bits that nobody looks into. */
export function signed(payload: Uint8Array): Uint8Array {
	const trailer = Buffer.alloc(260, 0x5a);
	trailer.writeUInt32LE(256, 256);
	return Buffer.concat([payload, trailer]);
}

export { gzipSync as gzip };

/** A new folder with these files, all long at rest. */
export async function imageFolder(
	files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
	const folder = await realpath(await mkdtemp(join(tmpdir(), "ota8266-serve-")));
	for (const [name, content] of Object.entries(files)) await put(folder, name, content);
	return folder;
}

/** Writes a file as it is long after somebody has copied it there. */
export async function put(folder: string, name: string, content: string | Uint8Array): Promise<string> {
	const path = join(folder, name);
	await mkdir(dirname(path), { recursive: true });
	await writeFile(path, content);
	await utimes(path, 1_700_000_000, 1_700_000_000 + Math.random() * 1000);
	return path;
}

export interface Bench {
	server: UpdateServer;
	port: number;
	folder: string;
	/** Lines of the log. */
	log: Record<string, unknown>[];
	notices: string[];
	close: () => Promise<void>;
}

export async function serve(
	files: Readonly<Record<string, string | Uint8Array>>,
	options: Partial<ServeOptions> = {},
): Promise<Bench> {
	const folder = await imageFolder(files);
	const log: Record<string, unknown>[] = [];
	const notices: string[] = [];
	const server = await UpdateServer.start({
		folder,
		port: 0,
		host: "127.0.0.1",
		onLog: (line) => log.push(JSON.parse(line)),
		onNotice: (text) => notices.push(text),
		timing: { look: 20, settle: 60 },
		...options,
	});
	const close = async (): Promise<void> => {
		const stopped = server.stop();
		server.end();
		await stopped;
		await rm(folder, { recursive: true });
	};
	return { server, port: server.port, folder, log, notices, close };
}

export type Headers = Readonly<Record<string, string | undefined>>;

/** The request of ESP8266HTTPUpdate: HTTP/1.0, its headers in its order. Undefined leaves a header out. */
export function deviceRequest(changes: Headers = {}, target = "/update", method = "GET"): string {
	const headers: Headers = {
		Host: "192.168.1.2:8070",
		"User-Agent": "ESP8266-http-Update",
		Connection: "close",
		"x-ESP8266-Chip-ID": "11189196",
		"x-ESP8266-STA-MAC": MAC,
		"x-ESP8266-AP-MAC": "1A:FE:34:AA:BB:CC",
		"x-ESP8266-free-space": "671744",
		"x-ESP8266-sketch-size": "373940",
		"x-ESP8266-sketch-md5": "a56f8ef78a0bebd812f62067daf1408a",
		"x-ESP8266-chip-size": "4194304",
		"x-ESP8266-sdk-version": "2.2.2-dev(38a443e)",
		"x-ESP8266-mode": "sketch",
		...changes,
	};
	const lines = Object.entries(headers).filter(([, value]) => value !== undefined);
	return `${method} ${target} HTTP/1.0\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

export interface Answer {
	status: number;
	/** By lower-case name. */
	headers: Record<string, string>;
	body: Buffer;
}

/** Sends bytes over a connection of its own and reads until the server closes it. */
export function exchange(port: number, request: string | Uint8Array): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const socket = connect(port, "127.0.0.1", () => socket.write(request));
		const pieces: Buffer[] = [];
		socket.on("data", (piece) => pieces.push(piece));
		socket.once("error", reject);
		socket.once("close", () => resolve(parse(Buffer.concat(pieces))));
	});
}

export function parse(bytes: Buffer): Answer {
	const end = bytes.indexOf("\r\n\r\n");
	const [first = "", ...lines] = bytes.toString("latin1", 0, Math.max(end, 0)).split("\r\n");
	const headers = lines.map((line) => /^([^:]+): (.*)$/.exec(line)).map((found) => [found?.[1], found?.[2]]);
	return {
		status: Number(first.split(" ")[1] ?? 0),
		headers: Object.fromEntries(headers.map(([name, value]) => [String(name).toLowerCase(), String(value)])),
		body: bytes.subarray(end + 4),
	};
}

/** What a device with these headers is answered. */
export function ask(bench: Bench, changes?: Headers, target?: string, method?: string): Promise<Answer> {
	return exchange(bench.port, deviceRequest(changes, target, method));
}

/** The version, or the status, that a device is answered. */
export async function versionFor(bench: Bench, changes: Headers = {}): Promise<string | number> {
	const { status, headers } = await ask(bench, { "x-ESP8266-mode": "version", ...changes });
	return status === 200 ? (headers["x-version"] ?? "") : status;
}

/** Waits until it is so; gives up after 5 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
	const end = performance.now() + 5000;
	while (!(await condition())) {
		if (performance.now() > end) throw new Error("it never came to be so");
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}
