import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { page } from "../../tools/serve/page";
import { SeenDevices } from "../../tools/serve/seen-devices";
import { ask, type Bench, exchange, firmware, md5, serve } from "./serve-bench";

const image = firmware("1.0.0");

let bench: Bench;

beforeAll(async () => {
	bench = await serve({
		"stable/lamp-1.0.0.bin": image,
		"stable/lamp-0.9.0.bin": firmware("0.9.0"),
		"stable/lamp-1.1.0.bin": firmware("1.1.0").subarray(0, 6000),
	});
	await ask(bench, { "x-ESP8266-version": "0.9.0" });
	await ask(bench, { "x-ESP8266-version": "1.0.0", "x-ESP8266-STA-MAC": "00:00:00:00:00:01" });
	await ask(bench, { "x-ESP8266-version": "<b>\"&'", "x-ESP8266-STA-MAC": "00:00:00:00:00:02" });
	await ask(bench, { "User-Agent": "curl" });
});

afterAll(() => bench.close());

const get = (path: string, method = "GET") => exchange(bench.port, `${method} ${path} HTTP/1.0\r\n\r\n`);

describe("the page", () => {
	test("shows the devices, the last one first", async () => {
		const { status, headers, body } = await get("/");
		const text = body.toString();
		expect(status).toBe(200);
		expect(headers["content-type"]).toBe("text/html; charset=utf-8");
		expect(text).toContain("Devices seen: 3");
		expect(text).toMatch(
			/18:FE:34:AA:BB:CC<td>stable<td>lamp<td>0.9.0<td>[-0-9]+ [:0-9]+ UTC<td>200 sends lamp 1.0.0/,
		);
		expect(text).toContain("<td>304 runs 1.0.0");
		expect(text).toContain("671,744");
		expect(text.indexOf("00:00:00:00:00:02")).toBeLessThan(text.indexOf("18:FE:34:AA:BB:CC"));
	});

	test("shows the images, which is sent, and what is wrong", async () => {
		const text = (await get("/")).body.toString();
		expect(text).toContain(
			`lamp-1.0.0.bin<td class="n">${image.length.toLocaleString("en")}<td>${md5(image)}`,
		);
		expect(text.match(/newest$/gm)).toHaveLength(1);
		expect(text).toContain("application cut short");
	});

	test("escapes what devices say", async () => {
		const text = (await get("/")).body.toString();
		expect(text).toContain("<td>&lt;b&gt;&quot;&amp;&#39;");
		expect(text).not.toContain("<b>");
	});

	test("runs no script and is in no frame", async () => {
		const { headers } = await get("/");
		expect(headers["content-security-policy"]).toBe(
			"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
		);
	});

	test("stays short however many devices there are", () => {
		const seen = new SeenDevices();
		for (let number = 0; number < 2000; number++) {
			const facts = {
				freeSpace: 0,
				sketchSize: 0,
				sketchMD5: "",
				chipSize: 0,
				version: "",
				inflates: false,
				verifies: false,
				atomic: false,
			};
			const request = { mac: `m${number}`, mode: "version" as const, ...facts };
			seen.note(request, { status: 304, reason: "", channel: "" }, "");
		}
		const text = page(bench.server.catalogue.offer, seen);
		expect(text).toContain("Devices seen: 2000");
		expect(text).toContain("and 1500 more");
		expect(text).toContain("m1999");
		expect(text).not.toContain("m1499<");
	});
});

describe("the metrics", () => {
	test("are in Prometheus' text format", async () => {
		const { status, headers, body } = await get("/metrics");
		expect(status).toBe(200);
		expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
		const lines = body.toString().trimEnd().split("\n");
		const named = new Set<string>();
		for (const line of lines) {
			const [, help] = /^# HELP (\S+) \S.*$/.exec(line) ?? [];
			const [, type] = /^# TYPE (\S+) (counter|gauge)$/.exec(line) ?? [];
			if (help) named.add(help);
			else if (type) expect(named).toContain(type);
			else {
				const [, name] = /^([a-z0-9_]+)(?:\{[a-z]+="(?:[^"\\\n]|\\.)*"\})? \d+$/.exec(line) ?? [];
				expect(named).toContain(name);
			}
		}
	});

	test("count answers by status, bytes, devices by version, downloads", async () => {
		const text = (await get("/metrics")).body.toString();
		expect(text).toContain('ota8266_requests_total{status="304"} 1\n');
		expect(text).toContain('ota8266_requests_total{status="403"} 1\n');
		expect(text).toContain('ota8266_devices{version="0.9.0"} 1\n');
		expect(text).toContain('ota8266_devices{version="<b>\\"&\'"} 1\n');
		expect(text).toContain("ota8266_downloads_running 0\n");
		expect(text).toContain("ota8266_images 2\n");
		const sent = Number(/^ota8266_sent_bytes_total (\d+)$/m.exec(text)?.[1]);
		expect(sent).toBeGreaterThan(2 * image.length);
	});

	test("tell rare versions together, since devices could make up any number", async () => {
		for (let number = 0; number < 120; number++) {
			const mac = `01:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
			await ask(bench, {
				"x-ESP8266-mode": "version",
				"x-ESP8266-STA-MAC": mac,
				"x-ESP8266-version": `v${number}`,
			});
		}
		const text = (await get("/metrics")).body.toString();
		expect(text.match(/^ota8266_devices\{version=/gm)).toHaveLength(100);
		expect(text).toContain('ota8266_devices{others="true"} 23\n');
	});
});

test.each(["/", "/metrics"])("%s answers HEAD, without a body", async (path) => {
	const { status, headers, body } = await get(path, "HEAD");
	expect(status).toBe(200);
	expect(Number(headers["content-length"])).toBeGreaterThan(100);
	expect(body.length).toBe(0);
});
