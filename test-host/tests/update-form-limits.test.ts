/** The update form among clients that are slow, many, or endless: none of them holds the board. */
import HTTPServer from "embedded:network/http/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { BoundedListener } from "../../ota/http/listener";
import { currentSocket } from "../../ota/http/socket";
import { FORM, FormBench, formBody, NEW, TICK } from "./form-bench";
import { BOUNDARY } from "./form-body";

const SUCCESS = "Update Success! Rebooting...";
const HEAD = "HTTP/1.1\r\nHost: 127.0.0.1\r\n";

const sleep = (milliseconds: number) => new Promise<void>((wake) => setTimeout(wake, milliseconds));

describe("a slow client", () => {
	const slow = async (bench: FormBench, first: string, next: string): Promise<string> => {
		const raw = await bench.raw();
		raw.socket.write(first);
		const timer = setInterval(() => raw.socket.write(next), TICK / 2);
		const text = await raw.ended();
		clearInterval(timer);
		return text;
	};

	test.each([
		["that sends nothing", ""],
		["in the request line", "GET /"],
		["in the headers", `GET / ${HEAD}Cookie: `],
	])("%s is given up", async (_where, first) => {
		const raw = await new FormBench().raw();
		raw.socket.write(first);
		expect(await raw.ended()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
	});

	test("whose headers come byte by byte is given up", async () => {
		expect(await slow(new FormBench(), `GET / ${HEAD}Cookie: `, "x")).toContain("HTTP/1.1 408 ");
	});

	test.each([
		["a body", `PUT /update ${HEAD}Content-Length: 30000\r\n\r\n`, "\xe9"],
		[
			"a form",
			`POST /update ${HEAD}Content-Length: 30000\r\nContent-Type: ${FORM["content-type"]}\r\n\r\n`,
			"x",
		],
		["a body that is refused", `PUT /update?kind=x ${HEAD}Content-Length: 30000\r\n\r\n`, "x"],
		["chunks", `PUT /update ${HEAD}Transfer-Encoding: chunked\r\n\r\n`, "1\r\nx\r\n"],
		["the line of a chunk", `PUT /update ${HEAD}Transfer-Encoding: chunked\r\n\r\n0;`, ""],
	])("of %s is given up", async (_what, first, next) => {
		const bench = new FormBench();
		expect(await slow(bench, first, next)).toContain("HTTP/1.1 408 ");
		expect(bench.updater.busy).toBe(false);
		expect(bench.form.exchanges.size).toBe(0);
	});

	test("whose answer does not go on is given up", async () => {
		const stuck = { byteLength: 100, slice: () => new ArrayBuffer(0) };
		const bench = new FormBench({ page: stuck });
		const raw = await bench.raw();
		raw.socket.write(`GET /update ${HEAD}\r\n`);
		await raw.says("\r\n\r\n");
		await raw.ended();
		expect(bench.form.exchanges.size).toBe(0);
	});

	test("that keeps up its pace is not given up", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await bench.raw();
		raw.socket.write(`PUT /update ${HEAD}Content-Length: ${NEW.length}\r\n\r\n`);
		for (let at = 0; at < NEW.length; at += 4096) {
			raw.socket.write(NEW.subarray(at, at + 4096));
			await sleep(2 * TICK);
		}
		expect(await raw.says(SUCCESS)).toContain("HTTP/1.1 200 OK");
	});
});

describe("too many connections", () => {
	test("of clients that say nothing let the newcomer through", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const idle = await Promise.all(Array.from({ length: 12 }, () => bench.raw()));
		expect((await bench.ask("PUT", "/update", {}, NEW)).status).toBe(200);
		await expect.poll(() => idle.filter((raw) => raw.closed).length).toBeGreaterThanOrEqual(10);
	});

	test("never displace a running update", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const raw = await bench.updating();
		for (let i = 0; i < 4; i++) {
			await Promise.all(Array.from({ length: 8 }, () => bench.raw()));
			const other = await bench.raw();
			other.socket.write(`POST /update ${HEAD}Content-Length: 5000\r\n\r\n`);
			expect((await bench.ask("GET", "/status")).status).toBe(200);
		}
		raw.socket.write(NEW.subarray(5000));
		expect(await raw.says(SUCCESS)).toContain("HTTP/1.1 200 OK");
	});

	test("that all are to be kept leave no room for another one, which is closed", async () => {
		const bench = new FormBench();
		const server = new HTTPServer({
			io: BoundedListener,
			port: 0,
			onConnect(connection) {
				connection.accept({ onRequest: () => currentSocket()?.pin() });
			},
		});
		onTestFinished(() => server.close());
		const all = await Promise.all(Array.from({ length: 8 }, () => bench.raw({ port: server.port })));
		for (const { socket } of all) {
			socket.write(`PUT / ${HEAD}Content-Length: 5\r\n\r\n`);
			await sleep(10);
		}
		expect(all.filter((raw) => !raw.closed).length).toBeLessThanOrEqual(3);
		expect(all.filter((raw) => !raw.closed).length).toBeGreaterThanOrEqual(1);
	});

	test("of many who want to update leave one updating, and are all answered or closed", async () => {
		const bench = new FormBench({ rebootOnSuccess: false });
		const body = formBody([["firmware", NEW]]);
		const all = await Promise.all(Array.from({ length: 10 }, () => bench.raw()));
		for (const { socket } of all) {
			socket.write(
				`POST /update ${HEAD}Content-Type: ${FORM["content-type"]}\r\nContent-Length: ${body.length}\r\n\r\n`,
			);
			socket.write(body);
		}
		await Promise.all(all.map((raw) => raw.ended()));
		expect(all.some(({ text }) => text.includes(SUCCESS))).toBe(true);
		expect(bench.told.filter((line) => line === "end firmware").length).toBeGreaterThan(0);
		expect(bench.form.exchanges.size).toBe(0);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});
});

describe("a client that sends without an end", () => {
	test.each([
		["chunk line", `POST /update ${HEAD}Transfer-Encoding: chunked\r\n\r\n`, "1;xxxx"],
		["chunk line of line feeds", `POST /update ${HEAD}Transfer-Encoding: chunked\r\n\r\n`, "1\n"],
		["trailer", `POST /update ${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n`, "x: yy"],
	])("in a %s is given up", async (_what, first, next) => {
		const bench = new FormBench();
		const raw = await bench.raw();
		raw.socket.setNoDelay(true);
		raw.socket.write(first);
		let sent = 0;
		while (!raw.closed && sent < 100_000) {
			raw.socket.write(next.repeat(8));
			sent += next.length * 8;
			await sleep(1);
		}
		expect(sent).toBeLessThan(100_000);
		expect(bench.form.exchanges.size).toBe(0);
	});

	/** So many bytes as a body of chunks. */
	function chunks(start: string, count: number): Buffer {
		const body = Buffer.alloc(count, "x");
		body.write(start);
		return Buffer.concat([Buffer.from(`${count.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]);
	}

	test.each([
		["before its first part", ""],
		["in a field that does not count", `--${BOUNDARY}\r\n\r\n`],
		["behind its last delimiter", `--${BOUNDARY}--`],
	])("in chunks, of a form, %s, is refused as soon as it is larger than any", async (_where, start) => {
		const bench = new FormBench();
		const most = Math.max(bench.updater.freeSpace("firmware"), bench.updater.freeSpace("filesystem")) + 8192;
		// Up to there it is told what else is wrong with it.
		for (const [count, error] of [
			[most, start.endsWith("--") ? "13" : "108"],
			[most + 1, "4"],
		] as const) {
			const raw = await bench.raw();
			raw.socket.write(
				`POST /update ${HEAD}Transfer-Encoding: chunked\r\nContent-Type: ${FORM["content-type"]}\r\n\r\n`,
			);
			raw.socket.write(chunks(start, count));
			expect(await raw.says("Update error: ")).toContain(`ERROR[${error}]`);
		}
	});

	test("a body that is refused is cut off behind 2 MiB", async () => {
		const bench = new FormBench();
		for (const [count, answer] of [
			[0x200000, /^HTTP\/1\.1 404 /],
			[0x200001, /^$/],
		] as const) {
			const raw = await bench.raw();
			raw.socket.write(
				`PUT /nothing ${HEAD}Content-Length: 999999999\r\n\r\n`.replace("999999999", `${count}`),
			);
			raw.socket.write(Buffer.alloc(count));
			expect(await raw.ended()).toMatch(answer);
			expect(bench.form.exchanges.size).toBe(0);
		}
	});
});
