/** What strangers may not do to the server, over raw sockets. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdir, readlink, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LineWriter } from "../../tools/serve/line-writer";
import { SEEN_MAX, SeenDevices } from "../../tools/serve/seen-devices";
import { DOWNLOADS_MAX } from "../../tools/serve/update-answer";
import {
	ask,
	type Bench,
	deviceRequest,
	exchange,
	firmware,
	parse,
	put,
	serve,
	until,
	versionFor,
} from "./serve-bench";

let bench: Bench;
const filesystem = Buffer.alloc(8_000_000, 0x42);

beforeAll(async () => {
	bench = await serve(
		{ "stable/lamp-1.0.0.bin": firmware("1.0.0"), "stable/lamp-1.0.0.fs.bin": filesystem },
		{ timing: { look: 20, settle: 60, header: 500, idle: 1500 } },
	);
});

afterAll(() => bench.close());

const forFilesystem = { "x-ESP8266-mode": "spiffs", "x-ESP8266-chip-size": "16777216" };

/** A connection, and all that came over it until it was closed. */
async function converse(write: (socket: Socket) => void): Promise<{ text: string; ms: number }> {
	const start = performance.now();
	const socket = connect(bench.port, "127.0.0.1");
	let text = "";
	socket.on("data", (piece) => {
		text += piece.toString("latin1");
	});
	socket.on("error", () => {});
	await once(socket, "connect");
	write(socket);
	await once(socket, "close");
	return { text, ms: performance.now() - start };
}

describe("a request", () => {
	test.each([
		"/../../../../etc/passwd",
		"/images/../../etc/passwd",
		"/update/../../etc/passwd",
		"/stable/lamp-1.0.0.bin",
		"/%2e%2e/%2e%2e/etc/passwd",
		"/devices.json",
		"//etc/passwd",
		"/update/",
		"/Update",
		"http://x/update",
		"*",
	])("for %s finds nothing", async (path) => {
		const { status, body } = await ask(bench, {}, path);
		expect([404, 405]).toContain(status);
		expect(body.length).toBeLessThan(100);
	});

	test.each(["POST", "PUT", "DELETE", "OPTIONS"])("with %s is none", async (method) => {
		const { status, headers } = await ask(bench, {}, "/update", method);
		expect(status).toBe(405);
		expect(headers.allow).toBe("GET, HEAD");
	});

	test("may have a header of 8 KB, and no more", async () => {
		expect((await ask(bench, { "x-filler": "x".repeat(6000) })).status).toBe(200);
		const { text } = await converse((socket) =>
			socket.write(deviceRequest({ "x-filler": "x".repeat(9000) })),
		);
		expect(text).toMatch(/^HTTP\/1\.1 431 /);
		expect(bench.log.at(-1)).toMatchObject({
			status: 431,
			reason: expect.stringContaining("Header overflow"),
		});
	});

	test("without end is not read", async () => {
		const { text } = await converse((socket) => socket.write(`GET /${"x".repeat(20_000)}`));
		expect(text).toMatch(/^HTTP\/1\.1 431 /);
	});

	test.each(["\x16\x03\x01\x02\x00", "Hello\r\n\r\n", "GET /update HTTP/9.9\r\n\r\n"])(
		"that is no HTTP is refused: %j",
		async (bytes) => {
			const { text } = await converse((socket) => socket.write(bytes));
			expect(text).toMatch(/^HTTP\/1\.1 400 /);
			expect(bench.log.at(-1)).toMatchObject({ peer: "127.0.0.1", status: 400 });
		},
	);

	test("with two lengths, or a length and chunks, is refused", async () => {
		const lengths = "Content-Length: 1\r\nContent-Length: 2\r\n";
		const both = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n";
		for (const headers of [lengths, both]) {
			const { text } = await converse((socket) =>
				socket.write(`PUT / HTTP/1.1\r\nHost: x\r\n${headers}\r\nx`),
			);
			expect(text).toMatch(/^HTTP\/1\.1 400 /);
		}
	});

	test("with a line break in its query does not make a second line of the log", async () => {
		const lines = bench.log.length;
		await ask(bench, {}, '/update?a=%0a{"status":200}"');
		expect(bench.log.length).toBe(lines + 1);
		expect(bench.log.at(-1)?.query).toBe('a=%0a{"status":200}"');
	});
});

describe("a slow client", () => {
	test("that does not end its header is ended", async () => {
		const { text, ms } = await converse((socket) => {
			const drip = setInterval(() => socket.write("x"), 50);
			socket.write("GET /update HTTP/1.0\r\nx: ");
			socket.once("close", () => clearInterval(drip));
		});
		expect(text).toMatch(/^HTTP\/1\.1 408 /);
		expect(ms).toBeLessThan(5000);
	});

	test("that says nothing is ended", async () => {
		const { text, ms } = await converse(() => {});
		expect(text === "" || text.startsWith("HTTP/1.1 408")).toBe(true);
		expect(ms).toBeLessThan(5000);
	});

	test("that takes nothing is ended", async () => {
		const socket = connect(bench.port, "127.0.0.1");
		socket.on("error", () => {});
		socket.pause();
		socket.write(deviceRequest(forFilesystem));
		await until(() => bench.server.metrics.downloadsRunning === 1);
		await until(() => bench.server.metrics.downloadsRunning === 0);
		expect(bench.log.at(-1)?.reason).toBe("sends lamp 1.0.0; connection lost");
		socket.destroy();
	});

	test("that takes a little all the time gets everything", async () => {
		const socket = connect(bench.port, "127.0.0.1");
		socket.write(deviceRequest(forFilesystem));
		let length = 0;
		socket.on("data", (piece) => {
			length += piece.length;
			socket.pause();
			setTimeout(() => socket.resume(), 5);
		});
		await once(socket, "close");
		expect(length).toBeGreaterThan(filesystem.length);
	});
});

describe("downloads at the same time", () => {
	test("share one open file, and let it go", async () => {
		const openFiles = async () => {
			const links = await readdir("/proc/self/fd");
			const targets = links.map((link) => readlink(`/proc/self/fd/${link}`).catch(() => ""));
			return (await Promise.all(targets)).filter((target) => target.includes("lamp-1.0.0.fs.bin")).length;
		};
		const sockets = Array.from({ length: 20 }, () => connect(bench.port, "127.0.0.1"));
		for (const socket of sockets) {
			socket.on("error", () => {});
			socket.pause();
			socket.write(deviceRequest(forFilesystem));
		}
		await until(() => bench.server.metrics.downloadsRunning === 20);
		expect(await openFiles()).toBe(1);
		for (const socket of sockets) socket.destroy();
		await until(async () => bench.server.metrics.downloadsRunning === 0 && (await openFiles()) === 0);
	});

	test("are all right", async () => {
		const answers = await Promise.all(Array.from({ length: 8 }, () => ask(bench, forFilesystem)));
		for (const { body } of answers) expect(body.equals(filesystem)).toBe(true);
	});

	test("are so many at most; one more is told to come again", async () => {
		bench.server.metrics.downloadsRunning += DOWNLOADS_MAX;
		const { status, headers } = await ask(bench);
		expect(status).toBe(503);
		expect(headers["retry-after"]).toBe("30");
		// What costs nothing goes on.
		expect((await ask(bench, { "x-ESP8266-version": "1.0.0" })).status).toBe(304);
		bench.server.metrics.downloadsRunning -= DOWNLOADS_MAX;
		expect((await ask(bench)).status).toBe(200);
	});

	test("of a file that changes meanwhile do not come to their end", async () => {
		const place = "stable/lamp-2.0.0.fs.bin";
		await put(bench.folder, place, filesystem);
		await until(async () => (await ask(bench, { ...forFilesystem, Range: "bytes=0-0" })).status === 206);
		await until(() => bench.log.at(-1)?.file === place || ask(bench, forFilesystem).then(() => false));
		const socket = connect(bench.port, "127.0.0.1");
		const pieces: Buffer[] = [];
		socket.on("error", () => {});
		socket.on("data", (piece) => pieces.push(piece));
		socket.write(deviceRequest(forFilesystem));
		await once(socket, "data");
		socket.pause();
		await put(bench.folder, place, Buffer.alloc(filesystem.length, 0x43));
		socket.resume();
		await once(socket, "close");
		expect(parse(Buffer.concat(pieces)).body.length).toBeLessThan(filesystem.length);
		await rm(join(bench.folder, place));
	});

	test("go on where the file is removed", async () => {
		const place = "stable/lamp-3.0.0.fs.bin";
		await put(bench.folder, place, filesystem);
		await until(async () => {
			await ask(bench, { ...forFilesystem, Range: "bytes=0-0" });
			return bench.log.at(-1)?.file === place;
		});
		const socket = connect(bench.port, "127.0.0.1");
		let length = 0;
		socket.on("data", (piece) => {
			length += piece.length;
		});
		socket.write(deviceRequest(forFilesystem));
		await once(socket, "data");
		socket.pause();
		await rm(join(bench.folder, place));
		socket.resume();
		await once(socket, "close");
		expect(length).toBeGreaterThan(filesystem.length);
	});
});

describe("memory", () => {
	test("holds so many devices and forgets the one that is silent longest", () => {
		const seen = new SeenDevices();
		const request = (number: number) => ({
			mac: String(number),
			mode: "version" as const,
			...{
				freeSpace: 0,
				sketchSize: 0,
				sketchMD5: "",
				chipSize: 0,
				version: "",
				inflates: false,
				verifies: false,
				atomic: false,
			},
		});
		const decision = { status: 304, reason: "", channel: "stable" } as const;
		for (let number = 0; number < SEEN_MAX; number++) seen.note(request(number), decision, "");
		seen.note(request(0), decision, "");
		seen.note(request(SEEN_MAX), decision, "");
		expect(seen.size).toBe(SEEN_MAX);
		const macs = new Set(seen.all().map(({ mac }) => mac));
		expect([macs.has("0"), macs.has("1"), macs.has("2")]).toEqual([true, false, true]);
	});

	test("does not hold a log that nobody reads", async () => {
		const pipe = join(tmpdir(), `ota8266-pipe-${process.pid}`);
		execFileSync("mkfifo", [pipe]);
		const { openSync, closeSync, constants, readSync } = await import("node:fs");
		// Readable and writable, so that it opens without a reader; it takes 64 KB and no more.
		const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
		const log = new LineWriter(descriptor);
		for (let turn = 0; turn < 20; turn++) {
			for (let line = 0; line < 1000; line++) log.write("x".repeat(999));
			await new Promise((resolve) => setTimeout(resolve, 1));
		}
		expect(log.lost).toBeGreaterThan(10_000);
		// What was kept comes, whole lines in their order, once somebody reads.
		const buffer = Buffer.alloc(1 << 16);
		let read = 0;
		const drain = setInterval(() => {
			try {
				for (;;) read += readSync(descriptor, buffer);
			} catch {
				// Empty for now.
			}
		}, 1);
		await log.idle();
		clearInterval(drain);
		expect(read).toBeGreaterThan(1_000_000);
		closeSync(descriptor);
		await rm(pipe);
	});
});

test("after all that, devices get their images", async () => {
	expect(await versionFor(bench)).toBe("1.0.0");
	expect((await exchange(bench.port, deviceRequest())).status).toBe(200);
});
