/** Answers in every form, whole and damaged, as servers send them and as strangers might. */
import { describe, expect, test } from "vitest";
import type { HTTPUpdateOptions } from "../../ota/client/http-update";
import { ClientBench, NEW, RawServer } from "./client-bench";

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const BODY = latin1(NEW);
const OK = "HTTP/1.1 200 OK\r\n";

/** What becomes of an answer; `end`: how the server then ends the connection. */
async function outcomeOf(
	answer: string,
	end: "closes" | "resets" | "waits" = "closes",
	options: Partial<HTTPUpdateOptions> = {},
): Promise<string> {
	const bench = new ClientBench(options);
	const server = await RawServer.start((socket) => {
		if (end === "closes") socket.end(answer, "latin1");
		else
			socket.write(answer, "latin1", async () => {
				if (end !== "resets") return;
				// Turns of the loop, not a time: what the board has not read of a reset connection is lost.
				for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
				socket.resetAndDestroy();
			});
	});
	const outcome = await bench.short(server.url);
	await expect.poll(() => server.open).toBe(0);
	expect(bench.client.busy).toBe(false);
	expect(bench.updater.busy).toBe(false);
	return outcome;
}

function chunked(text: string, size: number, extension = ""): string {
	let chunks = "";
	for (let at = 0; at < text.length; at += size) {
		const chunk = text.slice(at, at + size);
		chunks += `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`;
	}
	return `${chunks}0\r\n\r\n`;
}

describe("an update comes", () => {
	test.each([
		["with its length", `${OK}Content-Length: ${NEW.length}\r\n\r\n${BODY}`],
		[
			"with a length and more behind it",
			`${OK}Content-Length: ${NEW.length}\r\n\r\n${BODY}HTTP/1.1 500 no\r\n\r\n`,
		],
		["until the end of the connection", `${OK}\r\n${BODY}`],
		["from a server of HTTP/1.0", `HTTP/1.0 200 OK\r\n\r\n${BODY}`],
		["in large chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n${chunked(BODY, 20_000)}`],
		["in small chunks", `${OK}Transfer-Encoding: Chunked\r\n\r\n${chunked(BODY, 97, ";a=b")}`],
		["behind other answers", `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\n${OK}\r\n${BODY}`],
		["without a reason", `HTTP/1.1 200\r\nContent-Length: ${NEW.length}\r\n\r\n${BODY}`],
		["with bare line feeds", `HTTP/1.1 200 OK\nContent-Length: ${NEW.length}\n\n${BODY}`],
		[
			"with headers without a value",
			`${OK}ETag:\r\nX-MD5: \r\nX-Other:\r\nContent-Length: ${NEW.length}\r\n\r\n${BODY}`,
		],
	])("%s", async (_what, answer) => {
		expect(await outcomeOf(answer)).toBe("updated");
	});

	test("in chunks, and the connection stays open", async () => {
		expect(await outcomeOf(`${OK}Transfer-Encoding: chunked\r\n\r\n${chunked(BODY, 1460)}`, "waits")).toBe(
			"updated",
		);
	});

	test("byte by byte at first", async () => {
		const bench = new ClientBench();
		const server = await RawServer.start(async (socket) => {
			const answer = `${OK}Transfer-Encoding: chunked\r\n\r\n${chunked(BODY, 29)}`;
			for (const byte of answer.slice(0, 100)) {
				socket.write(byte, "latin1");
				await new Promise((resolve) => setImmediate(resolve));
			}
			socket.end(answer.slice(100), "latin1");
		});
		expect(await bench.short(server.url)).toBe("updated");
	});
});

describe("a status is understood though the connection ends right behind it", () => {
	test.each([
		["HTTP/1.0 304 Not Modified\r\n\r\n", "no updates"],
		["HTTP/1.1 304 Not Modified\r\nContent-Length: 30000\r\n\r\n", "no updates"],
		["HTTP/1.1 204 No Content\r\n\r\n", "failed -104"],
		["HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", "failed -102"],
		["HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nForb", "failed -103"],
		["HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n", "failed -108"],
		["HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\n", "failed -104 7 s"],
	])("%j", async (answer, wanted) => {
		for (const end of ["closes", "resets", "waits"] as const)
			expect(await outcomeOf(answer, end)).toBe(wanted);
	});
});

describe("no server of HTTP", () => {
	test.each([
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/2 200 OK\r\n\r\n",
		"HTTP/1.1 OK\r\n\r\n",
		"HTTP/1.1 99 OK\r\n\r\n",
		"HTTP/1.1 600 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 2e2 OK\r\n\r\n",
		"ICY 200 OK\r\n\r\n",
		"\0\0\0\0\0\0",
		`${OK}no colon\r\n\r\n`,
		`${OK}: no name\r\n\r\n`,
		`${OK}Content-Length: -1\r\n\r\n`,
		`${OK}Content-Length: 0x10\r\n\r\n`,
		`${OK}Content-Length: 12345678901\r\n\r\n`,
		`${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
		`${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
		`${OK}X: ${"x".repeat(9000)}`,
		`${OK}ETag: ${"x".repeat(2000)}`,
		"\r\n".repeat(5000),
		"HTTP/1.1 100 Continue\r\n\r\n".repeat(400),
		`${OK}X: a\rb\r\n\r\n`,
	])("%#", async (answer) => {
		expect(await outcomeOf(answer)).toBe("failed -7");
		expect(await outcomeOf(answer, "resets")).toBe("failed -7");
	});

	test("is one of an encoding that is not known", async () => {
		expect(await outcomeOf(`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`)).toBe("failed -9");
	});
});

describe("chunks", () => {
	const start = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

	test.each([
		["without a size", "\r\n"],
		["of a size that is none", "xyz\r\n"],
		["of a negative size", "-5\r\n"],
		["of too many digits", "000000001\r\n"],
		["with a long extension", `5;${"x".repeat(100)}\r\n`],
		["without an end", `5\r\n${BODY.slice(0, 5)}x`],
		["with endless trailers", `5\r\n${BODY.slice(0, 5)}\r\n0\r\n${"x: y\r\n".repeat(500)}`],
	])("%s are no HTTP", async (_what, rest) => {
		expect(await outcomeOf(start + rest)).toBe("failed -7");
	});

	test("that end before the last one are a lost connection", async () => {
		const whole = chunked(BODY, 1000);
		for (const length of [10, 5000, whole.length - 3]) {
			expect(await outcomeOf(start + whole.slice(0, length))).toBe("failed -5");
		}
	});
});

describe("a connection that ends too early", () => {
	test.each(["closes", "resets"] as const)("before the answer is none: it %s", async (end) => {
		expect(await outcomeOf("", end)).toBe("failed -1");
		expect(await outcomeOf("HTTP/1.1 2", end)).toBe("failed -1");
		expect(await outcomeOf(`${OK}Content-Le`, end)).toBe("failed -1");
	});

	test.each(["closes", "resets"] as const)(
		"in the body, without an ETag or an MD5, is lost: it %s",
		async (end) => {
			for (const length of [0, 1, 1000, 5000, NEW.length - 1]) {
				const answer = `${OK}Content-Length: ${NEW.length}\r\n\r\n${BODY.slice(0, length)}`;
				expect(await outcomeOf(answer, end)).toBe("failed -5");
			}
		},
	);

	test("in a body without a length is found by the image", async () => {
		expect(await outcomeOf(`${OK}\r\n${BODY.slice(0, -1000)}`)).toBe("failed 102");
	});

	test("by a reset is no end of a body without a length", async () => {
		const bench = new ClientBench({});
		const server = await RawServer.start((socket) => {
			socket.write(`${OK}\r\nhello`, () => setTimeout(() => socket.resetAndDestroy(), 20));
		});
		const outcome = await new Promise((resolve) => bench.client.updateFilesystem(server.url, "", resolve));
		expect(outcome).toMatchObject({ result: "failed", error: { code: -5 } });
	});

	test("by a reset, while all that is left waits, is a lost connection", async () => {
		const bench = new ClientBench({ prepare: (_kind, done) => setTimeout(done, 60) });
		const server = await RawServer.start((socket) => {
			socket.write(`${OK}Content-Length: 5\r\n\r\nhello`, () =>
				setTimeout(() => socket.resetAndDestroy(), 20),
			);
		});
		const outcome = await new Promise((resolve) => bench.client.updateFilesystem(server.url, "", resolve));
		expect(outcome).toMatchObject({ result: "failed", error: { code: -5 } });
	});

	test("by a close, while all that is left waits, loses nothing", async () => {
		const bench = new ClientBench({ prepare: (_kind, done) => setTimeout(done, 60) });
		const server = await RawServer.start((socket) => {
			socket.end(`${OK}Content-Length: 5\r\n\r\nhello`);
		});
		const outcome = await new Promise((resolve) => bench.client.updateFilesystem(server.url, "", resolve));
		expect(outcome).toEqual({ result: "updated" });
	});
});

describe("a server that is silent", () => {
	test.each(["", "HTTP/1.1 200 OK\r\nConte", `${OK}Content-Length: ${NEW.length}\r\n\r\n`])(
		"after %j is waited for no longer than the timeout",
		async (answer) => {
			expect(await outcomeOf(answer, "waits", { timeout: 200 })).toBe("failed -11");
		},
	);

	test("in the middle of the body is not either", async () => {
		const answer = `${OK}Content-Length: ${NEW.length}\r\n\r\n${BODY.slice(0, 10_000)}`;
		expect(await outcomeOf(answer, "waits", { timeout: 300 })).toBe("failed -11");
	});
});

test("an answer that comes before the question is sent is no HTTP, and ends nothing but the check", async () => {
	for (const early of [
		`${OK}Content-Length: 5\r\n\r\nhello`,
		`${OK}\r\n`,
		"HTTP/1.1 304 no\r\n\r\n",
		"220 ESMTP\r\n",
	]) {
		const bench = new ClientBench({ token: "t".repeat(100_000) });
		const server = await RawServer.start(() => {}, { early });
		expect(await bench.short(server.url)).toMatch(/^failed/);
	}
});

test("nobody there is a failed connection", async () => {
	const bench = new ClientBench();
	expect(await bench.short("http://127.0.0.1:1/")).toBe("failed -1");
	expect(await bench.short("http://no-such-name.invalid/")).toMatch(/^failed -(1|11)$/);
});

test("an update without a length is bounded by the room", async () => {
	const bench = new ClientBench();
	const room = bench.updater.freeSpace("filesystem");
	const server = await RawServer.start((socket) => {
		socket.write(`${OK}\r\n`);
		socket.end(Buffer.alloc(room + 1, 1));
	});
	const outcome = await new Promise((resolve) => bench.client.updateFilesystem(server.url, "", resolve));
	expect(outcome).toMatchObject({ result: "failed", error: { code: 4 } });
});
