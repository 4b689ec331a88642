/**
 * `npm run bench -- serve`: how many devices a server bears. In real time and on this machine, whose other load
 * shows: the processor's time that an answer costs is what to compare.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildFirmware } from "../virtual/image-builder";
import { table } from "./report";
import { ServeProcess } from "./serve-process";

const CONNECTIONS = 64;
/** Milliseconds for which answers are counted, and before. */
const MEASURED = 5000;
const WARM_UP = 2000;
const DOWNLOADS = 1000;
/** So large that no kernel holds it for a reader that is slow. */
const LARGE = 8 << 20;
/** A slow reader takes a segment this often, in milliseconds, for as long as the memory is looked at. */
const READ_INTERVAL = 250;
const SEGMENT = 1460;
const DOWNLOADING = 8000;
/** Milliseconds for all of them to begin. */
const BEGIN_MAX = 30_000;

const small = buildFirmware({ script: "", name: "lamp", version: "1.0.0", padTo: 560 * 1024 });

/** As a device asks that runs `firmware`, and has a flash of 16 MiB. */
function request(firmware: Uint8Array, connection: "keep-alive" | "close"): string {
	return [
		"GET /update HTTP/1.1",
		"Host: 127.0.0.1",
		"User-Agent: ESP8266-http-Update",
		`Connection: ${connection}`,
		"x-ESP8266-Chip-ID: 1715004",
		"x-ESP8266-STA-MAC: 18:FE:34:1A:2B:3C",
		"x-ESP8266-AP-MAC: 1A:FE:34:1A:2B:3C",
		`x-ESP8266-free-space: ${LARGE + 4096}`,
		`x-ESP8266-sketch-size: ${firmware.length}`,
		`x-ESP8266-sketch-md5: ${createHash("md5").update(firmware).digest("hex")}`,
		`x-ESP8266-chip-size: ${16 << 20}`,
		"x-ESP8266-sdk-version: 2.2.2-dev(38a443e)",
		"x-ESP8266-mode: sketch",
		"\r\n",
	].join("\r\n");
}

/** A folder with one image, at rest for long. */
function imageFolder(image: Uint8Array): string {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-bench-"));
	const path = join(folder, "stable/lamp-1.0.0.bin");
	mkdirSync(join(folder, "stable"));
	writeFileSync(path, image);
	utimesSync(path, 1_700_000_000, 1_700_000_000);
	return folder;
}

async function withServer<Result>(
	image: Uint8Array,
	measure: (server: ServeProcess) => Promise<Result>,
): Promise<Result> {
	const folder = imageFolder(image);
	const server = await ServeProcess.start(folder);
	try {
		return await measure(server);
	} finally {
		await server.stop();
		rmSync(folder, { recursive: true });
	}
}

const pause = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds));

interface Rate {
	/** Answers a second, and for a second of the server's processor. */
	perSecond: number;
	perProcessorSecond: number;
}

/** Answers 304 to devices that have the newest version: `connection` says whether each question has its own. */
export function notModified(connection: "keep-alive" | "close", measured = MEASURED): Promise<Rate> {
	return withServer(small, async (server) => {
		const text = request(small, connection);
		const sockets = new Set<Socket>();
		let answers = 0;
		let running = true;
		const open = (): void => {
			const socket = connect({ port: server.port, host: "127.0.0.1" });
			sockets.add(socket);
			socket.setEncoding("latin1");
			socket.on("connect", () => socket.write(text));
			socket.on("data", (answer: string) => {
				// It has no body, and comes in one piece.
				if (!answer.startsWith("HTTP/1.1 304") || !answer.endsWith("\r\n\r\n")) throw new Error(answer);
				answers += 1;
				if (running && connection === "keep-alive") socket.write(text);
				else socket.end();
			});
			socket.on("close", () => {
				sockets.delete(socket);
				if (running) open();
			});
		};
		for (let i = 0; i < CONNECTIONS; i++) open();
		await pause(Math.min(WARM_UP, measured));
		const before = { answers, seconds: server.seconds, time: performance.now() };
		await pause(measured);
		const counted = answers - before.answers;
		const rate = {
			perSecond: (counted * 1000) / (performance.now() - before.time),
			perProcessorSecond: counted / (server.seconds - before.seconds),
		};
		running = false;
		for (const socket of sockets) socket.destroy();
		return rate;
	});
}

/** Megabytes that a server has at most, with so many downloads whose devices read slowly. */
export function slowDownloads(count = DOWNLOADS, downloading = DOWNLOADING): Promise<number> {
	const image = buildFirmware({ script: "", name: "lamp", version: "1.0.0", padTo: LARGE, flashSize: 9 });
	return withServer(image, async (server) => {
		const text = request(small, "close");
		const sockets: Socket[] = [];
		let begun = 0;
		let lost = 0;
		for (let i = 0; i < count; i++) {
			let first = true;
			const callback = (_length: number, bytes: Uint8Array): boolean => {
				if (first && isOK(bytes)) begun += 1;
				first = false;
				setTimeout(() => socket.resume(), READ_INTERVAL);
				return false;
			};
			const onread = { buffer: new Uint8Array(SEGMENT), callback };
			const socket = connect({ port: server.port, host: "127.0.0.1", onread });
			sockets.push(socket);
			socket.on("error", () => {
				lost += 1;
			});
			socket.write(text);
		}
		for (let waited = 0; begun + lost < count && waited < BEGIN_MAX; waited += READ_INTERVAL) {
			await pause(READ_INTERVAL);
		}
		await pause(downloading);
		const ended = sockets.filter((socket) => socket.destroyed || socket.readableEnded).length;
		const peak = server.peakMemory;
		for (const socket of sockets) socket.destroy();
		if (begun < count || ended > 0) throw new Error(`of ${count} ${begun} have begun, ${ended} have ended`);
		return peak;
	});
}

function isOK(answer: Uint8Array): boolean {
	return new TextDecoder("latin1").decode(answer).startsWith("HTTP/1.1 200");
}

export async function serveTable(): Promise<string> {
	const kept = await notModified("keep-alive");
	const closed = await notModified("close");
	const memory = await slowDownloads();
	const line = (name: string, { perSecond, perProcessorSecond }: Rate) => [
		name,
		`${Math.round(perSecond)} a second, ${Math.round(perProcessorSecond)} for a second of the server's processor`,
	];
	return table(
		["`ota8266 serve`", "measured"],
		[
			line(`304, ${CONNECTIONS} connections that stay`, kept),
			line(`304, ${CONNECTIONS} at a time, a connection each`, closed),
			[`${DOWNLOADS} slow downloads at a time`, `${Math.round(memory)} MB at most`],
		],
	);
}
