/** The update form over real sockets: what each request is answered, and what becomes of the board. */
import HTTPServer, { type HTTPConnectionHandlers } from "embedded:network/http/server";
import { describe, expect, test } from "vitest";
import { BoundedListener } from "../../ota/http/listener";
import { layoutFor } from "../virtual/layout";
import { FORM, FormBench, formBody, NEW, PAGE } from "./form-bench";
import { md5, OLD } from "./updater-bench";

const SUCCESS = "Update Success! Rebooting...";
const FORM_SUCCESS = `<META http-equiv="refresh" content="15;URL=/">${SUCCESS}`;
const HEAD = "HTTP/1.1\r\nHost: 127.0.0.1\r\n";

/** What an update must not have changed. */
function unchanged(bench: FormBench): void {
	expect(bench.hasCommand).toBe(false);
	expect(bench.updater.busy).toBe(false);
	expect(md5(bench.get(0, OLD.length))).toBe(md5(OLD));
}

describe("the pages", () => {
	test("GET /update gives the page, compressed as it lies in flash", async () => {
		const { status, headers, body } = await new FormBench().ask("GET", "/update");
		expect([status, body]).toEqual([200, Buffer.from(PAGE).toString("latin1")]);
		expect(headers).toMatchObject({ "content-encoding": "gzip", connection: "close", "x-ota8266": "1" });
	});

	test("a page of any size comes whole", async () => {
		for (const size of [1, 1023, 1024, 1025, 20_000]) {
			const page = Buffer.alloc(size, "page");
			const { body } = await new FormBench({ page: page.buffer.slice(0, size) }).ask("GET", "/update");
			expect(body).toHaveLength(size);
		}
	});

	test("the page may be elsewhere", async () => {
		const bench = new FormBench({ path: "/firmware" });
		expect((await bench.ask("GET", "/firmware?x")).body).toBe(Buffer.from(PAGE).toString("latin1"));
		expect((await bench.ask("GET", "/update")).status).toBe(404);
		expect((await bench.ask("GET", "/")).body).toContain('href="/firmware"');
	});

	test("GET / tells people what runs", async () => {
		const { status, headers, body } = await new FormBench().ask("GET", "/");
		expect(status).toBe(200);
		expect(headers["content-type"]).toBe("text/html; charset=utf-8");
		expect(body).toMatch(/^<!DOCTYPE html>.*1\.0\.0.*abcdef.*<a href="\/update">Update<\/a>.*<\/html>$/s);
	});

	test.each(["/", "/update", "/status", "/nothing"])("HEAD %s is GET without the body", async (path) => {
		const bench = new FormBench();
		const get = await bench.ask("GET", path);
		const head = await bench.ask("HEAD", path);
		expect([head.status, head.body]).toEqual([get.status, ""]);
		expect(Number(head.headers["content-length"])).toBeGreaterThan(0);
		expect(head.headers["content-type"]).toBe(get.headers["content-type"]);
	});

	test("every answer forbids other pages to read it, and a page to frame and to script it", async () => {
		for (const path of ["/", "/update", "/status", "/nothing"]) {
			const { headers } = await new FormBench().ask("GET", path, { origin: "http://evil.example" });
			expect(headers).toMatchObject({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
			if (headers["content-type"]?.includes("html")) {
				expect(headers["x-frame-options"]).toBe("DENY");
				expect(headers["content-security-policy"]).toContain("default-src 'none'");
			}
			expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
		}
	});

	test("another path is not found", async () => {
		for (const path of ["/update/", "/updates", "/favicon.ico", "//update", "/update%00"]) {
			expect((await new FormBench().ask("GET", path)).status).toBe(404);
		}
	});

	test.each([
		["DELETE", "/update", "GET, HEAD, POST, PUT"],
		["PATCH", "/update", "GET, HEAD, POST, PUT"],
		["OPTIONS", "/update", "GET, HEAD, POST, PUT"],
		["POST", "/", "GET, HEAD"],
		["PUT", "/status", "GET, HEAD"],
	])("%s %s is not allowed", async (method, path, allow) => {
		const { status, headers } = await new FormBench().ask(method, path, {}, "x");
		expect([status, headers.allow]).toEqual([405, allow]);
	});
});

describe("GET /status", () => {
	const status = async (bench: FormBench) => JSON.parse((await bench.ask("GET", "/status")).body);

	test("tells tools what runs, and what room there is", async () => {
		const bench = new FormBench();
		const { headers, body } = await bench.ask("GET", "/status");
		expect(headers["content-type"]).toBe("application/json");
		expect(JSON.parse(body)).toEqual({
			name: expect.any(String),
			version: "1.0.0",
			chipId: "abcdef",
			mac: "18:FE:34:AB:CD:EF",
			flashSize: 0x400000,
			runningSize: OLD.length,
			runningMD5: null,
			freeSpace: {
				firmware: bench.updater.freeSpace("firmware"),
				filesystem: bench.updater.freeSpace("filesystem"),
			},
			gzip: true,
			freeHeap: 40_000,
			resetReason: "Power On",
			uptime: expect.any(Number),
			update: null,
		});
	});

	test("tells of an update that failed", async () => {
		const bench = new FormBench();
		await bench.ask("PUT", "/update", {}, "no image at all");
		expect((await status(bench)).update).toEqual({
			kind: "firmware",
			result: "failed",
			error: { code: 10, text: "Magic byte is not 0xE9" },
			bytes: 0,
			ms: expect.any(Number),
			from: "HTTP 127.0.0.1",
		});
	});

	test("tells of an update under way", async () => {
		const bench = new FormBench();
		const raw = await bench.raw();
		raw.socket.write(`PUT /update ${HEAD}Content-Length: ${NEW.length}\r\n\r\n`);
		raw.socket.write(NEW.subarray(0, 5000));
		await expect
			.poll(async () => (await status(bench)).update)
			.toMatchObject({
				kind: "firmware",
				result: "running",
				error: null,
				bytes: 5000,
			});
	});

	test("tells of an update that waits for the restart", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		await bench.ask("PUT", "/update", {}, NEW);
		expect((await status(bench)).update).toMatchObject({
			result: "verified",
			error: null,
			bytes: NEW.length,
		});
	});

	test("tells of no room where the flash cannot be opened, and the board goes on", async () => {
		const layout = new Map([...layoutFor(0x400000)].filter(([name]) => name === "running"));
		const bench = new FormBench({}, { layout });
		for (const path of ["/status", "/"]) expect((await bench.ask("GET", path)).status).toBe(200);
		expect((await status(bench)).freeSpace).toEqual({ firmware: 0, filesystem: 0 });
		const { status: put } = await bench.ask("PUT", "/update", {}, NEW);
		expect(put).toBe(422);
		const { body } = await bench.ask("POST", "/update", FORM, formBody([["firmware", NEW]]));
		expect(body).toMatch(/^Update error: ERROR\[\d+\]: /);
	});
});

describe("a form", () => {
	const post = (bench: FormBench, ...parts: (readonly [string, string | Uint8Array])[]) =>
		bench.ask("POST", "/update", FORM, formBody(parts));

	test("updates the firmware, and the board restarts into it", async () => {
		const bench = new FormBench();
		const { status, body } = await post(bench, ["firmware", NEW]);
		expect([status, body]).toEqual([200, FORM_SUCCESS]);
		expect(bench.told).toEqual(["start firmware", "end firmware"]);
		await bench.restarted;
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test.each(["image", "update"])("may call the firmware %s", async (name) => {
		const bench = new FormBench({ rebootOnSuccess: false });
		expect((await post(bench, [name, NEW])).body).toBe(FORM_SUCCESS);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("updates the filesystem", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		expect((await post(bench, ["filesystem", "all the files"])).body).toBe(FORM_SUCCESS);
		expect(bench.told).toEqual(["start filesystem", "end filesystem"]);
		bench.restart();
		expect(bench.runs()).toBe("1.0.0");
	});

	test("of a browser, with a file that was not chosen, updates with the other one", async () => {
		for (const parts of [
			[
				["firmware", NEW],
				["filesystem", ""],
			],
			[
				["filesystem", ""],
				["firmware", NEW],
			],
		] as const) {
			const bench = new FormBench({ rebootOnSuccess: false });
			expect((await post(bench, ...parts)).body).toBe(FORM_SUCCESS);
			expect(bench.told).toEqual(["start firmware", "end firmware"]);
		}
	});

	test("may have other fields, which count for nothing", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const { body } = await post(bench, ["constructor", "x"], ["firmware", NEW], ["", "y"], ["Firmware", NEW]);
		expect(body).toBe(FORM_SUCCESS);
	});

	test("may tell the MD5 before the file", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		expect((await post(bench, ["md5", md5(NEW).toUpperCase()], ["firmware", NEW])).body).toBe(FORM_SUCCESS);
	});

	test("may leave the field of the MD5 empty, in front or behind", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		expect((await post(bench, ["md5", ""], ["firmware", NEW], ["md5", ""])).body).toBe(FORM_SUCCESS);
	});

	test.each<[string, string, (readonly [string, string | Uint8Array])[]]>([
		["that is no image", "ERROR[10]: Magic byte is not 0xE9", [["firmware", "hello"]]],
		[
			"with another MD5",
			"ERROR[7]: MD5 verification failed",
			[
				["md5", md5(OLD)],
				["firmware", NEW],
			],
		],
		[
			"with an MD5 of 31 digits",
			"ERROR[106]",
			[
				["md5", md5(NEW).slice(1)],
				["firmware", NEW],
			],
		],
		[
			"with an MD5 of 33 digits",
			"ERROR[106]",
			[
				["md5", `${md5(NEW)}0`],
				["firmware", NEW],
			],
		],
		[
			"with an MD5 that is none",
			"ERROR[106]",
			[
				["md5", "x".repeat(32)],
				["firmware", NEW],
			],
		],
		[
			"with the MD5 behind the file",
			"ERROR[108]",
			[
				["firmware", NEW],
				["md5", md5(NEW)],
			],
		],
		[
			"with two files",
			"ERROR[108]",
			[
				["firmware", NEW],
				["filesystem", "x"],
			],
		],
		[
			"with two small files",
			"ERROR[108]",
			[
				["filesystem", "x"],
				["filesystem", "y"],
			],
		],
		[
			"with the same file twice",
			"ERROR[108]",
			[
				["firmware", NEW],
				["firmware", NEW],
			],
		],
		[
			"without a file",
			"ERROR[13]: No data supplied",
			[
				["firmware", ""],
				["filesystem", ""],
			],
		],
		["without a part", "ERROR[13]: No data supplied", []],
		["with unknown fields alone", "ERROR[13]: No data supplied", [["x", NEW]]],
		["with an image cut short", "ERROR[102]", [["firmware", NEW.subarray(0, 20_000)]]],
	])("%s is refused with its error as text, as the core does", async (_what, text, parts) => {
		const bench = new FormBench();
		const { status, body } = await post(bench, ...parts);
		expect(status).toBe(200);
		expect(body).toContain(`Update error: ${text}`);
		expect(bench.told.at(-1)).toContain(text);
		unchanged(bench);
	});

	test("that is no multipart form is refused", async () => {
		const bench = new FormBench();
		for (const type of ["", "application/x-www-form-urlencoded", 'multipart/form-data; boundary="\xe4"']) {
			const { body } = await bench.ask("POST", "/update", { "content-type": type }, "firmware=x");
			expect(body).toBe("Update error: ERROR[108]: Upload not understood: no boundary");
		}
	});

	test("that ends before its last delimiter is refused", async () => {
		const bench = new FormBench();
		const body = formBody([["firmware", NEW]]);
		const answer = await bench.ask("POST", "/update", FORM, body.subarray(0, -4));
		expect(answer.body).toBe("Update error: ERROR[108]: Upload not understood: it is cut short");
		unchanged(bench);
	});

	test("in chunks of any size updates", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await bench.raw();
		raw.socket.write(
			`POST /update ${HEAD}Transfer-Encoding: chunked\r\nContent-Type: ${FORM["content-type"]}\r\n\r\n`,
		);
		const body = formBody([["firmware", NEW]]);
		for (let at = 0, size = 1; at < body.length; at += size, size = 1 + ((size * 7) % 4001)) {
			const chunk = body.subarray(at, at + size);
			raw.socket.write(
				Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]),
			);
		}
		raw.socket.write("0\r\n\r\n");
		expect(await raw.says(SUCCESS)).toContain("HTTP/1.1 200 OK");
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});
});

describe("PUT", () => {
	const put = (
		bench: FormBench,
		headers: Record<string, string>,
		body: string | Uint8Array,
		path = "/update",
	) => bench.ask("PUT", path, headers, body);

	test("updates the firmware, and the board restarts into it", async () => {
		const bench = new FormBench();
		const answer = await put(bench, { "x-md5": md5(NEW) }, NEW, "/update?kind=firmware");
		expect(answer).toMatchObject({ status: 200, body: `${SUCCESS}\n` });
		await bench.restarted;
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("updates the filesystem", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		expect((await put(bench, {}, "all the files", "/update?x=y&kind=filesystem")).status).toBe(200);
		expect(bench.told).toEqual(["start filesystem", "end filesystem"]);
	});

	test.each([
		["hello", {}, 422, "ERROR[10]: Magic byte is not 0xE9"],
		[NEW.subarray(0, 20_000), {}, 422, "ERROR[102]"],
		[NEW, { "x-md5": md5(OLD) }, 422, "ERROR[7]: MD5 verification failed"],
		[NEW, { "x-md5": "none" }, 400, "ERROR[106]"],
		[NEW, { "x-md5": "" }, 400, "ERROR[106]"],
		["", { "content-length": "0" }, 422, "ERROR[13]: No data supplied"],
	])("%# is refused with an honest status", async (body, headers, status, text) => {
		const bench = new FormBench();
		const answer = await put(bench, headers as Record<string, string>, body);
		expect(answer.status).toBe(status);
		expect(answer.body).toContain(text);
		expect(bench.told.at(-1)).toContain(text);
		unchanged(bench);
	});

	test("of an unknown kind is a bad request", async () => {
		for (const kind of ["kind=", "kind=x", "kind=firmware1", "kind=x&kind=firmware"]) {
			expect((await put(new FormBench(), {}, NEW, `/update?${kind}`)).status).toBe(400);
		}
	});

	test("without a length is refused with 411", async () => {
		const raw = await new FormBench().raw();
		raw.socket.write(`PUT /update ${HEAD}\r\n`);
		expect(await raw.says("Length Required\n")).toContain("HTTP/1.1 411 Length Required");
	});

	test("is refused with 413 as soon as it is a byte larger than the room, not before", async () => {
		const bench = new FormBench();
		for (const kind of ["firmware", "filesystem"] as const) {
			const room = bench.updater.freeSpace(kind);
			for (const [size, answer] of [
				[room, "100 Continue"],
				[room + 1, "413 Request Entity Too Large"],
			]) {
				const raw = await bench.raw();
				raw.socket.write(
					`PUT /update?kind=${kind} ${HEAD}Content-Length: ${size}\r\nExpect: 100-continue\r\n\r\n`,
				);
				expect(await raw.says("\r\n\r\n")).toContain(`HTTP/1.1 ${answer}\r\n`);
				raw.socket.destroy();
				await expect.poll(() => bench.form.exchanges.size).toBe(0);
			}
		}
	});

	test("in chunks updates, whatever the chunks look like", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await bench.raw();
		raw.socket.write(`PUT /update ${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
		raw.socket.write(Buffer.concat([Buffer.from("2A\r\n"), NEW.subarray(0, 42), Buffer.from("\r\n")]));
		const rest = NEW.subarray(42);
		raw.socket.write(`0000${rest.length.toString(16)};name=value\r\n`);
		raw.socket.write(rest);
		for (const byte of "\r\n0\r\n\r\n") {
			raw.socket.write(byte);
			await new Promise((wake) => setTimeout(wake, 2));
		}
		expect(await raw.says(SUCCESS)).toContain("HTTP/1.1 200 OK");
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("with more behind the body than was announced updates, and the rest is dropped", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await bench.raw();
		raw.socket.write(`PUT /update ${HEAD}Content-Length: ${NEW.length}\r\n\r\n`);
		raw.socket.write(Buffer.concat([NEW, Buffer.from(`\r\nGET / ${HEAD}\r\n`)]));
		const text = await raw.says(SUCCESS);
		expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
		expect(bench.told).toEqual(["start firmware", "end firmware"]);
	});
});

test("a request with another one behind it is answered, once", async () => {
	const raw = await new FormBench().raw();
	raw.socket.write(`GET /status ${HEAD}\r\nGET /update ${HEAD}\r\n`);
	const text = await raw.ended();
	expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
	expect(text).toContain('"version":"1.0.0"');
});

describe("a client that waits before it sends the body", () => {
	const ask = async (bench: FormBench, headers = "") => {
		const raw = await bench.raw();
		raw.socket.write(
			`PUT /update ${HEAD}Content-Length: ${NEW.length}\r\nExpect: 100-continue\r\n${headers}\r\n`,
		);
		return raw;
	};

	test("is told to go on, once, and updates", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await ask(bench);
		expect(await raw.says("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
		raw.socket.write(NEW);
		expect((await raw.says(SUCCESS)).match(/100 Continue/g)).toHaveLength(1);
	});

	test("and fails in the middle of it, is told so when it has sent all", async () => {
		const bench = new FormBench();
		const raw = await ask(bench);
		await raw.says("\r\n\r\n");
		raw.socket.write(Buffer.alloc(NEW.length - 1, "x"));
		await expect.poll(() => bench.told).toHaveLength(2);
		expect(raw.text).not.toContain("422");
		raw.socket.write("x");
		expect(await raw.says("Magic byte")).toContain("HTTP/1.1 422 ");
	});

	test("is refused before the body, which never comes", async () => {
		const bench = new FormBench();
		const update = bench.open(NEW);
		const raw = await ask(bench);
		expect(await raw.says("already running")).toMatch(/^HTTP\/1\.1 409 Conflict\r\n/);
		update.close();
		const other = await ask(bench, "Origin: http://evil.example\r\n");
		expect(await other.says("somebody else")).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
	});

	test("and sends all the same, is refused when it has sent all", async () => {
		const bench = new FormBench();
		const raw = await bench.raw();
		raw.socket.write(
			Buffer.concat([
				Buffer.from(
					`PUT /update?kind=x ${HEAD}Content-Length: ${NEW.length}\r\nExpect: 100-continue\r\n\r\n`,
				),
				NEW,
			]),
		);
		expect(await raw.says("wanted\n")).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
	});
});

test("beside an application's own routes each request finds its handlers", async () => {
	const bench = new FormBench();
	const hello = ArrayBuffer.fromString("hello");
	const mine: HTTPConnectionHandlers = {
		onResponse(response) {
			response.headers.set("content-length", hello.byteLength);
			this.respond(response);
		},
		onWritable() {
			this.write(hello);
		},
	};
	const server = new HTTPServer({
		io: BoundedListener,
		port: 0,
		onConnect(connection) {
			connection.accept({
				onRequest({ path }) {
					this.route = bench.form.serves(path) ? bench.form.handlers : mine;
				},
			});
		},
	});
	const url = `http://127.0.0.1:${server.port}`;
	expect(await (await fetch(`${url}/hello`)).text()).toBe("hello");
	const answer = await fetch(`${url}/update`, { method: "PUT", body: new Uint8Array(NEW) });
	expect(await answer.text()).toBe(`${SUCCESS}\n`);
	bench.form.close();
	server.close();
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});
