/** The polling client: what it asks, and what each answer of a server means. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { toBase64 } from "../../ota/base64";
import type { HTTPUpdateOptions, Outcome } from "../../ota/client/http-update";
import { ErrorCode } from "../../ota/errors";
import { RunningFirmware } from "../../ota/running";
import { ClientBench, md5, NEW, RawServer, serves, TestServer } from "./client-bench";
import { board, firmware, OLD } from "./updater-bench";

const NOTHING = "HTTP/1.1 304 Not Modified\r\n\r\n";

/** A server that answers with a status, and headers. */
const says = (status: number, headers: Record<string, string> = {}) =>
	TestServer.start((_request, response) => response.writeHead(status, headers).end());

const unchanged = (bench: ClientBench) => {
	bench.restart();
	expect(bench.runs()).toBe("1.0.0");
};

test("an update is taken, and the board restarts into it", async () => {
	const bench = new ClientBench();
	const server = await TestServer.start(serves(NEW));
	expect(await bench.ask(server.url, "1.0.0")).toEqual({ result: "updated" });
	expect(bench.told).toEqual(["start firmware", "end firmware"]);
	await bench.restarted;
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});

test("a filesystem is taken, and nothing restarts", async () => {
	const bench = new ClientBench();
	const files = new Uint8Array(10_000).fill(7);
	const server = await TestServer.start(serves(files));
	const outcome = await new Promise((resolve) => bench.client.updateFilesystem(server.url, "1", resolve));
	expect(outcome).toEqual({ result: "updated" });
	expect(server.asked[0]?.headers["x-esp8266-mode"]).toBe("spiffs");
	expect(bench.told).toEqual(["start filesystem", "end filesystem"]);
	expect(md5(bench.get(0x200000, files.length))).toBe(md5(files));
});

test("a filesystem that is staged is taken by the restart, and what waits for that is left alone", async () => {
	const bench = new ClientBench({}, { atomicFilesystem: true });
	const files = new Uint8Array(100_000).fill(7);
	const server = await TestServer.start(serves(gzipSync(files)));
	const ask = () =>
		new Promise<Outcome>((resolve) => bench.client.updateFilesystem(server.url, "1", resolve));
	bench.update(NEW);
	expect(await ask()).toMatchObject({ result: "postponed", error: { code: ErrorCode.RUNNING_ALREADY } });
	bench.open(NEW).close();
	expect(await ask()).toEqual({ result: "updated" });
	expect(server.asked[0]?.headers["x-ota8266"]).toBe("1 gzip atomic");
	await bench.restarted;
	bench.restart();
	bench.runs();
	expect(md5(bench.get(0x200000, files.length))).toBe(md5(files));
});

test("a plain file of a server without any logic is taken, without an MD5", async () => {
	const bench = new ClientBench();
	const server = await TestServer.start((_request, response) => response.end(NEW));
	expect(await bench.short(server.url)).toBe("updated");
});

test("the place may be a host, a port and a path", async () => {
	const bench = new ClientBench();
	const server = await TestServer.start((_request, response) => response.writeHead(304).end());
	const places = [{ host: "127.0.0.1", port: server.port, path: "a?b=c" }, { url: server.url }, server.url];
	for (const place of places) await new Promise((resolve) => bench.client.update(place, "", resolve));
	expect(server.asked.map(({ url }) => url)).toEqual(["/a?b=c", "/update", "/update"]);
	expect(server.asked[0]?.headers.host).toBe(`127.0.0.1:${server.port}`);
});

test("a firmware does not restart the board where the application wants to do that", async () => {
	const bench = new ClientBench({ rebootOnSuccess: false });
	const server = await TestServer.start(serves(NEW));
	expect(await bench.short(server.url)).toBe("updated");
	const before = await Promise.race([
		bench.restarted.then(() => "restarted"),
		new Promise((resolve) => setTimeout(resolve, 200, "not restarted")),
	]);
	expect(before).toBe("not restarted");
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});

describe("a request has", () => {
	const asked = async (options: Partial<HTTPUpdateOptions> = {}, version?: string) => {
		const bench = new ClientBench(options);
		const server = await RawServer.start((socket) => socket.end(NOTHING));
		expect((await bench.ask(server.url, version)).result).toBe("no updates");
		return { text: server.asked[0] ?? "", bench, server };
	};

	test("the lines of the ESP8266 Arduino core, and two of this project", async () => {
		const running = new ClientBench().updater && new RunningFirmware();
		await new Promise<void>((resolve) => running.measure(resolve));
		const { text, bench, server } = await asked({ running }, "1.0.0 beta");
		expect(text.split("\r\n")).toEqual([
			"GET /update HTTP/1.1",
			`host: 127.0.0.1:${server.port}`,
			"user-agent: ESP8266-http-Update",
			`x-ESP8266-Chip-ID: ${0xabcdef}`,
			"x-ESP8266-STA-MAC: 18:FE:34:AB:CD:EF",
			"x-ESP8266-AP-MAC: 1A:FE:34:AB:CD:EF",
			`x-ESP8266-free-space: ${bench.updater.freeSpace("firmware")}`,
			`x-ESP8266-sketch-size: ${OLD.length}`,
			`x-ESP8266-sketch-md5: ${md5(OLD)}`,
			`x-ESP8266-chip-size: ${0x400000}`,
			`x-ESP8266-sdk-version: ${board.sdkVersion}`,
			"x-ESP8266-mode: sketch",
			"x-ota8266: 1 gzip",
			"x-ota8266-name: bench",
			"x-ESP8266-version: 1.0.0 beta",
			"",
			"",
		]);
	});

	test("no version where none is given, and no authorization", async () => {
		const { text } = await asked();
		expect(text.toLowerCase()).not.toContain("x-esp8266-version");
		expect(text.toLowerCase()).not.toContain("authorization");
	});

	test("Basic authorization, of a password with any character", async () => {
		const { text } = await asked({ user: "lamp", password: "p:ä" });
		expect(text).toContain(`\r\nauthorization: Basic ${Buffer.from("lamp:p:ä").toString("base64")}\r\n`);
		expect(toBase64("lamp:p:ä")).toBe(Buffer.from("lamp:p:ä").toString("base64"));
	});

	test("a bearer token, in its place", async () => {
		const { text } = await asked({ user: "lamp", password: "x", token: "abc.def" });
		expect(text.match(/authorization: .*/gi)).toEqual(["authorization: Bearer abc.def"]);
	});
});

describe("an answer", () => {
	test.each([
		[304, {}, "no updates"],
		[401, {}, "failed -108"],
		[403, {}, "failed -103"],
		[404, {}, "failed -102"],
		[204, {}, "failed -104"],
		[206, { "content-range": "bytes 0-9/10" }, "failed -104"],
		[300, {}, "failed -104"],
		[400, {}, "failed -104"],
		[416, {}, "failed -104"],
		[500, {}, "failed -104"],
		[503, { "retry-after": "120" }, "failed -104 120 s"],
		[429, { "retry-after": "999999999" }, "failed -104 86400 s"],
		[503, { "retry-after": "-1" }, "failed -104"],
		[503, { "retry-after": "Fri, 31 Dec 1999 23:59:59 GMT" }, "failed -104"],
		[200, { "content-length": "0" }, "failed -101"],
	])("of %i with %o is: %s", async (status, headers, wanted) => {
		const bench = new ClientBench();
		const server = await says(status, headers as Record<string, string>);
		expect(await bench.short(server.url)).toBe(wanted);
		expect(bench.told).toEqual([]);
		expect(bench.updater.busy).toBe(false);
	});

	test("that fails after the update has begun is told to the application too", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(NEW, { "x-md5": md5(OLD) }));
		const { error } = await bench.ask(server.url);
		expect(error?.code).toBe(ErrorCode.MD5);
		expect(bench.told).toEqual(["start firmware", `error: ${error}`]);
		unchanged(bench);
	});

	test("has the core's text", async () => {
		const server = await says(404);
		const { error } = await new ClientBench().ask(server.url);
		expect(error?.message).toBe("File Not Found (404)");
	});

	test("with a malformed MD5 is refused", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(NEW, { "x-md5": `${md5(NEW)}0` }));
		expect(await bench.short(server.url)).toBe("failed -105");
		expect(bench.told).toEqual([]);
	});

	test("with an MD5 in capitals is as good", async () => {
		const server = await TestServer.start(serves(NEW, { "x-md5": md5(NEW).toUpperCase() }));
		expect(await new ClientBench().short(server.url)).toBe("updated");
	});

	test("must have the MD5 that was set by hand, whatever the server tells", async () => {
		const wrong = await TestServer.start(serves(NEW, { "x-md5": "none" }));
		expect(await new ClientBench({ md5: md5(NEW).toUpperCase() }).short(wrong.url)).toBe("updated");
		const right = await TestServer.start(serves(NEW));
		expect(await new ClientBench({ md5: md5(OLD) }).short(right.url)).toBe("failed 7");
	});

	test("larger than the room by a byte is refused before anything of it is read", async () => {
		const bench = new ClientBench();
		const room = bench.updater.freeSpace("firmware");
		const server = await RawServer.start((socket) =>
			socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${room + 1}\r\n\r\n`),
		);
		expect(await bench.short(server.url)).toBe("failed -100");
		expect(bench.told).toEqual([]);
	});

	test("that is no image is refused with the core's code, and nothing is written", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(new TextEncoder().encode("<html>".repeat(1000))));
		const before = bench.flash.operations;
		expect(await bench.short(server.url)).toBe("failed -106");
		// The record of the download: begun, and forgotten.
		expect(bench.flash.operations - before).toBe(3);
		unchanged(bench);
	});

	test("for another flash size is refused with the core's code", async () => {
		const bench = new ClientBench();
		const image = NEW.slice();
		image[3] = 0x20;
		const server = await TestServer.start(serves(image));
		expect(await bench.short(server.url)).toBe("failed -107");
		unchanged(bench);
	});

	test("as large as the room is taken", async () => {
		const bench = new ClientBench();
		const image = firmware("2.0.0", bench.updater.freeSpace("firmware"));
		const server = await TestServer.start(serves(image));
		expect(await bench.short(server.url)).toBe("updated");
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});
});

describe("the version that a server has", () => {
	const ask = async (bench: ClientBench, url: string) =>
		new Promise((resolve) => bench.client.availableVersion(url, "1.0.0", resolve));

	test("is told, and nothing is updated", async () => {
		const bench = new ClientBench({ mayUpdate: () => false });
		const server = await TestServer.start(serves(NEW, { "x-version": "2.0.0" }));
		expect(await ask(bench, server.url)).toEqual({ result: "available", version: "2.0.0" });
		expect(server.asked[0]?.headers["x-esp8266-mode"]).toBe("version");
		expect(bench.told).toEqual([]);
	});

	test("may be missing, or be what runs", async () => {
		const bench = new ClientBench();
		const silent = await TestServer.start(serves(NEW));
		expect(await ask(bench, silent.url)).toMatchObject({ result: "failed", error: { code: -109 } });
		expect(await ask(bench, (await says(304)).url)).toEqual({ result: "no updates" });
	});
});

describe("a place that is none", () => {
	test.each(["", "ftp://a/", "http://", "http://u:p@a/", "http://a:0/", `http://a/${"x".repeat(1100)}`])(
		"%j fails, and nothing is asked",
		async (url) => {
			expect(await new ClientBench().short(url)).toBe("failed 113");
		},
	);

	test("is https without the module for it", async () => {
		expect(await new ClientBench().short("https://127.0.0.1/")).toBe("failed 113");
	});
});

test("an MD5 by hand that is none is refused at once", () => {
	expect(() => new ClientBench({ md5: "abc" })).toThrow(RangeError);
});
