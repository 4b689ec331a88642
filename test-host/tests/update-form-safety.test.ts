/** The update form among strangers: what they may not do, and what they cannot keep others from. */
import { describe, expect, test } from "vitest";
import { parameter } from "../../ota/http/parameter";
import { digestAnswer } from "./digest-answer";
import { FORM, FormBench, formBody, NEW } from "./form-bench";

const PASSWORD = "open sesame";
const SUCCESS = "Update Success! Rebooting...";
const HEAD = "HTTP/1.1\r\nHost: 127.0.0.1\r\n";
const BASIC = { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString("base64")}` };
const WRONG = { authorization: `Basic ${Buffer.from("admin:guess").toString("base64")}` };

/** Another address than the owner's. */
const STRANGER = "127.0.0.2";

const sleep = (milliseconds: number) => new Promise<void>((wake) => setTimeout(wake, milliseconds));

/** What no stranger may change. */
function untouched(bench: FormBench): void {
	expect(bench.told).toEqual([]);
	expect(bench.flash.operations).toBe(0);
	expect(bench.updater.last).toBeUndefined();
}

describe("with a password", () => {
	test.each([
		["GET", "/"],
		["GET", "/status"],
		["GET", "/update"],
		["GET", "/nothing"],
		["PUT", "/update"],
		["POST", "/update"],
		["DELETE", "/update"],
	])("%s %s asks for it", async (method, path) => {
		const bench = new FormBench({ password: PASSWORD });
		const { status, headers, body } = await bench.ask(method, path, FORM, method === "GET" ? "" : NEW);
		expect([status, body]).toEqual([401, "Unauthorized\n"]);
		expect(headers["www-authenticate"]).toMatch(
			/^Digest .*SHA-256.*, Digest .*MD5.*, Basic realm="ota8266"$/,
		);
		untouched(bench);
	});

	test("the right one updates", async () => {
		const bench = new FormBench({ password: PASSWORD, rebootOnSuccess: false });
		expect((await bench.ask("PUT", "/update", BASIC, NEW)).status).toBe(200);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test.each(["PUT", "POST"])("a wrong one does not %s, and nothing reaches the flash", async (method) => {
		const bench = new FormBench({ password: PASSWORD });
		const body = method === "PUT" ? NEW : formBody([["firmware", NEW]]);
		const { status } = await bench.ask(method, "/update", { ...FORM, ...WRONG }, body);
		expect(status).toBe(401);
		untouched(bench);
	});

	test("Digest's answer updates once: what was heard in the air updates no second time", async () => {
		const bench = new FormBench({ password: PASSWORD, rebootOnSuccess: false });
		const asked = await bench.ask("GET", "/update");
		const nonce = parameter(`${asked.headers["www-authenticate"]}`, "nonce") ?? "";
		const authorization = digestAnswer({ password: PASSWORD, nonce, method: "PUT" });
		expect((await bench.ask("PUT", "/update", { authorization }, NEW)).status).toBe(200);
		const again = await bench.ask("PUT", "/update", { authorization }, NEW);
		expect(again.status).toBe(401);
		expect(again.headers["www-authenticate"]).toContain("stale=true");
		expect(bench.told).toEqual(["start firmware", "end firmware"]);
	});

	test("Basic is not offered, nor taken, where the owner does not want it", async () => {
		const bench = new FormBench({ password: PASSWORD, basic: false });
		const { status, headers } = await bench.ask("GET", "/update", BASIC);
		expect(status).toBe(401);
		expect(headers["www-authenticate"]).not.toContain("Basic");
	});

	test.each([
		["GET", ""],
		["GET", "Expect: 100-continue\r\n"],
		["GET", "Expect: 100-continue\r\nContent-Length: 0\r\n"],
		["PUT", "Content-Length: 0\r\n"],
		["PUT", "Content-Length: 5\r\n"],
		["PUT", "Expect: 100-continue\r\nContent-Length: 5\r\n"],
		["PUT", "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"],
	])("%s with a wrong one and %o waits for its answer, whatever else it sends", async (method, headers) => {
		const bench = new FormBench({ password: PASSWORD });
		const raw = await bench.raw({ from: STRANGER });
		raw.socket.write(`${method} /update ${HEAD}Authorization: ${WRONG.authorization}\r\n${headers}\r\n`);
		for (let i = 0; i < 5; i++) {
			raw.socket.write("hello");
			await sleep(15);
		}
		expect(raw.text).not.toContain("401");
		expect((await bench.ask("GET", "/status", BASIC)).status).toBe(200);
		if (headers === "") expect(await raw.says("Unauthorized\n")).toContain("HTTP/1.1 401 ");
	});

	test("who waits for the answer to a wrong one keeps nobody else waiting", async () => {
		const bench = new FormBench({ password: PASSWORD, rebootOnSuccess: false });
		for (let i = 0; i < 4; i++) {
			const raw = await bench.raw({ from: STRANGER });
			raw.socket.write(`GET / ${HEAD}Authorization: ${WRONG.authorization}\r\n\r\n`);
		}
		await sleep(20);
		expect((await bench.ask("PUT", "/update", BASIC, NEW)).status).toBe(200);
	});

	test("who does not wait for the answer to a wrong one is not judged by the next: guesses are slow", async () => {
		const bench = new FormBench({ password: PASSWORD });
		const request = (authorization: string) => `GET /status ${HEAD}Authorization: ${authorization}\r\n\r\n`;
		const impatient = await bench.raw({ from: STRANGER });
		impatient.socket.write(request(WRONG.authorization));
		await sleep(20);
		impatient.socket.destroy();
		const next = await bench.raw({ from: STRANGER });
		next.socket.write(request(BASIC.authorization));
		expect(await next.says("\n\r\n")).toContain("HTTP/1.1 401 ");
		const last = await bench.raw({ from: STRANGER });
		last.socket.write(request(BASIC.authorization));
		expect(await last.says("\r\n\r\n")).toContain("HTTP/1.1 200 ");
	});
});

describe("a page of somebody else", () => {
	test.each<Record<string, string>>([
		{ origin: "http://evil.example" },
		{ origin: "null" },
		{ "sec-fetch-site": "cross-site" },
		{ "sec-fetch-site": "same-site" },
	])(
		"that sends %o cannot post a firmware, even in the browser of who knows the password",
		async (headers) => {
			const bench = new FormBench({ password: PASSWORD });
			const body = formBody([["firmware", NEW]]);
			const posted = await bench.ask("POST", "/update", { ...FORM, ...BASIC, ...headers }, body);
			expect([posted.status, posted.body]).toEqual([403, "Forbidden: sent by a page of somebody else\n"]);
			expect((await bench.ask("PUT", "/update", { ...BASIC, ...headers }, NEW)).status).toBe(403);
			expect((await bench.ask("OPTIONS", "/update", headers)).status).toBe(403);
			untouched(bench);
		},
	);

	test.each(["evil.example", "esp8266-abcdef.evil.example"])(
		"whose name %o was pointed at the board sees nothing of it",
		async (host) => {
			const bench = new FormBench();
			for (const [method, path] of [
				["GET", "/"],
				["GET", "/status"],
				["GET", "/update"],
				["PUT", "/update"],
			] as const) {
				const answer = await bench.ask(
					method,
					path,
					{ host, origin: `http://${host}` },
					method === "PUT" ? NEW : "",
				);
				expect([answer.status, answer.body]).toEqual([403, "Forbidden: not a name of this board\n"]);
			}
			untouched(bench);
		},
	);

	test("does not cost the owner a wait", async () => {
		const bench = new FormBench({ password: PASSWORD });
		await bench.ask("POST", "/update", { ...FORM, ...WRONG, origin: "http://evil.example" }, "x");
		expect((await bench.ask("GET", "/", { ...WRONG, host: "evil.example" })).status).toBe(403);
	});
});

test.each(["esp8266-abcdef.local", "ESP8266-ABCDEF", "192.168.4.1:8080", "localhost"])(
	"the board's own page under the name %s updates",
	async (host) => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const headers = { ...FORM, host, origin: `http://${host}`, "sec-fetch-site": "same-origin" };
		const { body } = await bench.ask("POST", "/update", headers, formBody([["firmware", NEW]]));
		expect(body).toContain(SUCCESS);
	},
);

describe("one update at a time:", () => {
	test("another receiver's is not disturbed", async () => {
		const bench = new FormBench();
		const update = bench.open(NEW);
		const put = await bench.ask("PUT", "/update", {}, NEW);
		expect([put.status, put.body]).toEqual([409, "ERROR[15]: Update already running\n"]);
		const post = await bench.ask("POST", "/update", FORM, formBody([["firmware", NEW]]));
		expect([post.status, post.body]).toEqual([200, "Update error: ERROR[15]: Update already running"]);
		update.write(NEW);
		update.complete();
	});

	test("another client's is not disturbed", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await bench.updating();
		expect((await bench.ask("PUT", "/update?kind=filesystem", {}, "x")).status).toBe(409);
		expect((await bench.ask("POST", "/update", FORM, formBody([["filesystem", "x"]]))).body).toContain(
			"[15]",
		);
		raw.socket.write(NEW.subarray(5000));
		expect(await raw.says(SUCCESS)).toContain("HTTP/1.1 200 OK");
	});

	test("a form that has not said yet what it brings is one", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await bench.raw();
		const body = formBody([["firmware", NEW]]);
		raw.socket.write(
			`POST /update ${HEAD}Content-Type: ${FORM["content-type"]}\r\nContent-Length: ${body.length}\r\n\r\n`,
		);
		await expect.poll(() => bench.form.exchanges.size).toBe(1);
		await sleep(10);
		expect((await bench.ask("POST", "/update", FORM, body)).body).toContain("[15]");
		expect((await bench.ask("PUT", "/update", {}, NEW)).status).toBe(409);
		raw.socket.write(body);
		expect(await raw.says(SUCCESS)).toContain("HTTP/1.1 200 OK");
	});

	test("one that has failed and is still sending is none", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await bench.raw();
		raw.socket.write(`PUT /update ${HEAD}Content-Length: 100\r\n\r\nno image`);
		await expect.poll(() => bench.told.length).toBe(2);
		expect((await bench.ask("PUT", "/update", {}, NEW)).status).toBe(200);
	});
});

test("an application with other routes can tell which are the form's", () => {
	const { form } = new FormBench({ path: "/firmware" });
	expect(["/", "/?a", "/status", "/firmware", "/firmware?kind=x"].every((path) => form.serves(path))).toBe(
		true,
	);
	expect(["/update", "/firmware/", "/statusx", ""].some((path) => form.serves(path))).toBe(false);
});
