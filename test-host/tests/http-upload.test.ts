import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { type HTTPUploadOptions, type HTTPUploadResult, httpUpload } from "../../tools/http-upload";
import { FakeWebUpdate, type FakeWebUpdateOptions, fileOf } from "./fake-web-update";

const image = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) ^ (i >> 8));
/** Long enough for `Expect: 100-continue`. */
const large = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 11) ^ (i >> 8));
/** More than the buffers of two sockets take. */
const HUGE = 24 * 1024 * 1024;
/** For what comes, even on a busy machine. */
const TIMEOUT = 5000;
/** For what never comes. */
const SHORT = 500;
const md5 = createHash("md5").update(image).digest("hex");

let board: FakeWebUpdate | undefined;

afterEach(() => {
	board?.close();
	board = undefined;
});

async function send(
	behaviour: FakeWebUpdateOptions,
	options: Partial<HTTPUploadOptions> = {},
): Promise<HTTPUploadResult> {
	board = await FakeWebUpdate.start(behaviour);
	return sendTo(board.url, options);
}

function sendTo(url: URL, options: Partial<HTTPUploadOptions> = {}): Promise<HTTPUploadResult> {
	return httpUpload({ url, image, timeout: TIMEOUT, resultTimeout: TIMEOUT, ...options });
}

function lines(): string[] {
	return board?.lines ?? [];
}

/** A server that says this to the first bytes of each connection. */
async function rawServer(answer: (socket: Socket) => void): Promise<URL> {
	const server: Server = createServer((socket) => {
		socket.on("error", () => undefined);
		socket.once("data", () => answer(socket));
		onTestFinished(() => {
			socket.destroy();
		});
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	onTestFinished(() => {
		server.close();
	});
	const bound = server.address();
	return new URL(`http://127.0.0.1:${bound !== null && typeof bound === "object" ? bound.port : 0}/update`);
}

describe("an upload to a board of ours", () => {
	test("asks for the page, then puts the image with its length and MD5", async () => {
		const result = await send({ ours: true });
		expect(result).toMatchObject({ bytes: image.length, md5, ours: true });
		expect(lines()).toEqual(["GET /update", "PUT /update?kind=firmware"]);
		expect(board?.upload?.headers).toMatchObject({ "content-length": String(image.length), "x-md5": md5 });
		expect(board?.upload?.body.equals(image)).toBe(true);
	});

	test("names a filesystem, behind a query that the URL has", async () => {
		board = await FakeWebUpdate.start({ ours: true });
		await sendTo(new URL("/update?slot=1", board.url), { kind: "filesystem" });
		expect(lines().at(-1)).toBe("PUT /update?slot=1&kind=filesystem");
	});

	test.each([1, 4095, 4096, 4097, 65_536, 65_537])("of %i bytes brings all of them", async (length) => {
		await send({ ours: true }, { image: large.subarray(0, length) });
		expect(board?.upload?.body.equals(large.subarray(0, length))).toBe(true);
	});

	test("waits for the board's leave where it is longer than 64 KB", async () => {
		await send({ ours: true }, { image: large.subarray(0, 65_537) });
		expect(board?.upload?.headers.expect).toBe("100-continue");
		await send({ ours: true }, { image: large.subarray(0, 65_536) });
		expect(board?.upload?.headers.expect).toBeUndefined();
	});

	test("goes on after a second where no leave is given", async () => {
		const result = await send({ ours: true, withoutContinue: true }, { image: large });
		expect(board?.upload?.body.equals(large)).toBe(true);
		expect(result.ms).toBeGreaterThanOrEqual(990);
	});

	test("reports progress from nothing to all", async () => {
		const calls: [number, number][] = [];
		await send({ ours: true }, { onProgress: (...call) => calls.push(call) });
		const done = calls.map(([bytes]) => bytes);
		expect(calls[0]).toEqual([0, image.length]);
		expect(calls.at(-1)).toEqual([image.length, image.length]);
		expect(done).toEqual([...done].sort((a, b) => a - b));
	});
});

describe("an upload to an Arduino device", () => {
	test.each(["firmware", "filesystem"] as const)("posts the form's field %s", async (kind) => {
		const result = await send({}, { kind, fileName: 'my "new"\r\nlamp.bin' });
		expect(result).toMatchObject({ bytes: image.length, ours: false, restart: undefined });
		expect(lines()).toEqual(["GET /update", "POST /update"]);
		const { headers, body = Buffer.alloc(0) } = board?.upload ?? {};
		const file = fileOf(headers?.["content-type"] ?? "", body);
		expect(file).toMatchObject({ field: kind, name: "my _new___lamp.bin" });
		expect(file?.bytes.equals(image)).toBe(true);
		expect(headers?.["content-length"]).toBe(String(body.length));
	});

	test("never waits for its leave, which it does not give", async () => {
		await send({}, { image: large });
		expect(board?.upload?.headers.expect).toBeUndefined();
	});

	test("reports progress in bytes of the image", async () => {
		const calls: [number, number][] = [];
		await send({}, { onProgress: (...call) => calls.push(call) });
		expect(calls[0]).toEqual([0, image.length]);
		expect(calls.at(-1)).toEqual([image.length, image.length]);
	});

	test("tells the error that it answers with status 200", async () => {
		const result = (response: ServerResponse): void => {
			response.end("Update error: ERROR[4]: Not Enough Space\n");
		};
		await expect(send({ result })).rejects.toMatchObject({
			code: ErrorCode.DEVICE,
			message: "The board refused the update: ERROR[4]: Not Enough Space",
		});
	});

	test("sends no filesystem to a form without one: it would be taken for a firmware", async () => {
		const page = (response: ServerResponse): void => {
			response.end("<input type='file' name='update'>");
		};
		await expect(send({ page }, { kind: "filesystem" })).rejects.toMatchObject({ code: ErrorCode.DEVICE });
		expect(lines()).toEqual(["GET /update"]);
	});
});

describe("a login", () => {
	test.each([
		["SHA-256 to ours", { ours: true, login: ["sha-256", "md5"] }, /^Digest .*algorithm=SHA-256/],
		["MD5 to an Arduino device", { login: ["md5"] }, /^Digest (?!.*algorithm)/],
		["Basic to an Arduino device", { login: ["basic"] }, /^Basic /],
	] as const)("is carried out before the image is on its way: %s", async (_, behaviour, header) => {
		await send(behaviour, { password: "secret" });
		expect(lines().map((line) => line.split(" ")[0])).toEqual([
			"GET",
			"GET",
			expect.stringMatching(/PUT|POST/),
		]);
		expect(board?.upload?.headers.authorization).toMatch(header);
	});

	test("uses the page's nonce for the image, with the next count", async () => {
		await send({ ours: true, login: ["sha-256"] }, { password: "secret" });
		expect(board?.upload?.headers.authorization).toMatch(/nonce="nonce-1".*nc=00000002/);
	});

	test.each([true, false])(
		"sends the image once more where the nonce became stale (told: %s)",
		async (tellsStale) => {
			const behaviour = { ours: true, login: ["sha-256"], nonceUses: 1, tellsStale } as const;
			await send(behaviour, { password: "secret" });
			const put = "PUT /update?kind=firmware";
			expect(lines()).toEqual(["GET /update", "GET /update", put, put]);
			expect(board?.upload?.body.equals(image)).toBe(true);
		},
	);

	test("sends no byte of a large image with a nonce that has become stale", async () => {
		const behaviour = { ours: true, login: ["sha-256"], nonceUses: 1, tellsStale: true } as const;
		const sent: number[] = [];
		await send(behaviour, { password: "secret", image: large, onProgress: (done) => sent.push(done) });
		expect(sent).toEqual([...sent].sort((a, b) => a - b));
	});

	test("is given up where each nonce is stale at once", async () => {
		const behaviour = { ours: true, login: ["sha-256"], nonceUses: 0, tellsStale: true } as const;
		const upload = send(behaviour, { password: "secret" });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.WEB_AUTHENTICATION });
		expect(lines()).toEqual(Array(3).fill("GET /update"));
	});

	test("is made up for where only the upload wants it", async () => {
		await send({ ours: true, login: ["sha-256"], openPage: true }, { password: "secret" });
		expect(board?.upload?.body.equals(image)).toBe(true);
	});

	test.each(["basic", "md5", "sha-256"] as const)(
		"with a wrong password ends the upload: %s",
		async (kind) => {
			const upload = send({ ours: true, login: [kind] }, { password: "guess" });
			await expect(upload).rejects.toMatchObject({
				code: ErrorCode.WEB_AUTHENTICATION,
				message: expect.stringContaining("user admin"),
			});
			expect(lines()).toEqual(["GET /update", "GET /update"]);
		},
	);

	test("asks for the password once, however often the board does, and not where none is wanted", async () => {
		let asked = 0;
		const password = async (): Promise<string> => {
			asked += 1;
			return "secret";
		};
		await send({ ours: true, login: ["md5"], nonceUses: 1 }, { password });
		expect(asked).toBe(1);
		board?.close();
		await send({ ours: true }, { password });
		expect(asked).toBe(1);
	});

	test("without a password ends the upload", async () => {
		await expect(send({ login: ["basic"] })).rejects.toMatchObject({ code: ErrorCode.PASSWORD_NEEDED });
	});

	test("tells that a password goes in clear", async () => {
		let told = 0;
		const onCleartext = (): void => {
			told += 1;
		};
		await send({ login: ["basic"] }, { password: "secret", onCleartext });
		expect(told).toBe(1);
	});
});

describe("a board that refuses", () => {
	function answers(status: number, text: string, headers: Record<string, string> = {}) {
		return (response: ServerResponse): void => {
			response.writeHead(status, headers).end(text);
		};
	}

	test.each([
		[400, "ERROR[108]: Upload not understood: two files", ErrorCode.DEVICE, /two files$/],
		[403, "ERROR[123]: Another origin", ErrorCode.DEVICE, /Another origin$/],
		[408, "ERROR[6]: Stream Read Timeout", ErrorCode.DEVICE, /Stream Read Timeout$/],
		[409, "ERROR[15]: Update already running", ErrorCode.BUSY, /already running, try again later$/],
		[411, "", ErrorCode.DEVICE, /411 Length Required$/],
		[413, "ERROR[4]: Not Enough Space", ErrorCode.DEVICE, /: ERROR\[4\]: Not Enough Space$/],
		[422, "ERROR[7]: MD5 verification failed", ErrorCode.DEVICE, /ERROR\[7\]/],
		[500, "<h1>Internal</h1>", ErrorCode.DEVICE, /: Internal$/],
		[200, "<html>Hello", ErrorCode.BAD_ANSWER, /Hello$/],
		[204, "", ErrorCode.BAD_ANSWER, /204 No Content$/],
		[422, "\x1b[2Jgone", ErrorCode.DEVICE, /\?\[2Jgone$/],
	])("is quoted: %i %j", async (status, text, code, message) => {
		const upload = send({ ours: true, result: answers(status, text) });
		await expect(upload).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
	});

	test.each([
		[429, "30", /^The board is busy: 429 Too Many Requests, try again in 30 s$/],
		[503, "7", /try again in 7 s$/],
		[503, new Date(Date.now() + 60_000).toUTCString(), /try again in (5\d|60) s$/],
		[503, "soon", /try again later$/],
	])("because it is busy says when to come back: %i, Retry-After %s", async (status, time, message) => {
		for (const behaviour of ["page", "result"] as const) {
			const upload = send({ ours: true, [behaviour]: answers(status, "", { "Retry-After": time }) });
			await expect(upload).rejects.toMatchObject({
				code: ErrorCode.BUSY,
				message: expect.stringMatching(message),
			});
			board?.close();
		}
	});

	test.each([404, 405, 501])("to show a page (%i) has no web update there", async (status) => {
		const upload = send({ page: answers(status, "") });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.NO_WEB_UPDATE });
		await expect(upload).rejects.toThrow(`No web update at ${board?.url.href} (${status})`);
		expect(lines()).toEqual(["GET /update"]);
	});

	test.each([301, 302, 303, 307, 308])("and sends elsewhere (%i) is not obeyed", async (status) => {
		const page = answers(status, "", { Location: "http://elsewhere/" });
		await expect(send({ page })).rejects.toMatchObject({
			code: ErrorCode.REDIRECTED,
			message: expect.stringContaining("http://elsewhere/"),
		});
		expect(lines()).toEqual(["GET /update"]);
	});

	test("a large image does so before a byte of it is sent", async () => {
		const sent: number[] = [];
		const receive = (_request: IncomingMessage, response: ServerResponse): void => {
			response.writeHead(413).end("ERROR[4]: Not Enough Space");
		};
		const upload = send({ ours: true, receive }, { image: large, onProgress: (done) => sent.push(done) });
		await expect(upload).rejects.toThrow("Not Enough Space");
		expect(sent).toEqual([0]);
	});

	test("in the middle, and resets the connection, is heard", async () => {
		// Now the answer is read first, now a write fails first.
		for (let i = 0; i < 10; i++) {
			const receive = (request: IncomingMessage, response: ServerResponse): void => {
				response.writeContinue();
				let count = 0;
				request.on("data", ({ length }) => {
					count += length;
					if (count < 50_000 || response.headersSent) return;
					response.writeHead(422).end("ERROR[1]: Flash Write Failed");
					request.socket.resetAndDestroy();
				});
			};
			const upload = send({ ours: true, receive }, { image: new Uint8Array(HUGE) });
			await expect(upload).rejects.toMatchObject({
				code: ErrorCode.DEVICE,
				message: expect.stringContaining("ERROR[1]: Flash Write Failed"),
			});
			board?.close();
		}
	});

	test("and takes no more bytes is heard", async () => {
		const receive = (request: IncomingMessage, response: ServerResponse): void => {
			request.pause();
			response.writeContinue();
			setTimeout(() => response.writeHead(422).end("ERROR[1]: Flash Write Failed"), 50);
		};
		const upload = send({ ours: true, receive }, { image: new Uint8Array(HUGE) });
		await expect(upload).rejects.toThrow("ERROR[1]: Flash Write Failed");
	});

	test("and closes in the middle of its words is quoted as far as they came", async () => {
		const url = await rawServer((socket) => {
			socket.end("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nERROR[15]: Update alr");
		});
		await expect(sendTo(url)).rejects.toThrow("The board is busy: ERROR[15]: Update alr, try again later");
	});

	test("with a success before all bytes were sent is not believed", async () => {
		const receive = (request: IncomingMessage, response: ServerResponse): void => {
			request.pause();
			response.writeContinue();
			response.end("Update Success! Rebooting...");
		};
		const upload = send({ ours: true, receive }, { image: new Uint8Array(HUGE) });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.BAD_ANSWER });
	});
});

describe("a board that cannot be reached", () => {
	test("has a port that nobody listens on", async () => {
		board = await FakeWebUpdate.start();
		const { url } = board;
		board.close();
		await expect(sendTo(url)).rejects.toMatchObject({
			code: ErrorCode.NO_ANSWER,
			message: expect.stringContaining(`127.0.0.1 port ${url.port}`),
		});
	});

	test("has a name without an address", async () => {
		const url = new URL(`http://${"x".repeat(60)}.invalid/update`);
		await expect(sendTo(url)).rejects.toMatchObject({ code: ErrorCode.HOST });
	});

	test("does not answer", async () => {
		const url = await rawServer(() => undefined);
		await expect(sendTo(url, { timeout: SHORT })).rejects.toMatchObject({ code: ErrorCode.NO_ANSWER });
	});

	test("speaks something else", async () => {
		const url = await rawServer((socket) => socket.end("SSH-2.0-dropbear\r\n"));
		await expect(sendTo(url)).rejects.toMatchObject({ code: ErrorCode.BAD_ANSWER });
	});

	test("has no TLS on that port", async () => {
		board = await FakeWebUpdate.start();
		const url = new URL(board.url.href.replace("http:", "https:"));
		await expect(sendTo(url)).rejects.toMatchObject({ code: ErrorCode.BAD_ANSWER });
	});

	test("sends more of a page than anyone reads", async () => {
		const page = (response: ServerResponse): void => {
			const more = (): void => {
				while (response.writable && response.write("x".repeat(10_000)));
			};
			response.on("drain", more);
			more();
		};
		await send({ page });
		expect(lines()).toEqual(["GET /update", "POST /update"]);
	});
});

describe("a transfer that fails", () => {
	test("because the board resets the connection tells how far it came", async () => {
		const receive = (request: IncomingMessage, response: ServerResponse): void => {
			response.writeContinue();
			request.once("data", () => request.socket.resetAndDestroy());
		};
		const upload = send({ ours: true, receive }, { image: new Uint8Array(HUGE) });
		await expect(upload).rejects.toMatchObject({
			code: ErrorCode.CONNECTION_LOST,
			message: expect.stringMatching(new RegExp(`after \\d+ of ${HUGE} bytes`)),
		});
	});

	test("because the board takes no more bytes is given up", async () => {
		const receive = (request: IncomingMessage, response: ServerResponse): void => {
			request.pause();
			response.writeContinue();
		};
		const upload = send({ ours: true, receive }, { image: new Uint8Array(HUGE), timeout: SHORT });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
	});

	test("because no result comes is given up", async () => {
		const upload = send({ ours: true, result: () => undefined }, { resultTimeout: SHORT });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.NO_RESULT });
	});

	test("because the board closes without a result is no success", async () => {
		const result = (response: ServerResponse): void => {
			response.socket?.destroy();
		};
		await expect(send({ ours: true, result })).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
	});
});

describe("an upload", () => {
	test("without bytes sends nothing", async () => {
		await expect(send({}, { image: new Uint8Array(0) })).rejects.toMatchObject({ code: ErrorCode.NO_DATA });
		expect(lines()).toEqual([]);
	});

	test("that was stopped before it began sends nothing", async () => {
		const upload = send({}, { signal: AbortSignal.abort() });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.STOPPED });
		expect(lines()).toEqual([]);
	});

	test("can be stopped while it waits for the page", async () => {
		const upload = send({ page: () => undefined }, { signal: AbortSignal.timeout(20) });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.STOPPED });
	});

	test("can be stopped while bytes are sent", async () => {
		const stop = new AbortController();
		const onProgress = (done: number): void => {
			if (done > 0) stop.abort();
		};
		const upload = send({ ours: true }, { signal: stop.signal, onProgress });
		await expect(upload).rejects.toMatchObject({
			code: ErrorCode.STOPPED,
			message: expect.stringMatching(/^Stopped after [1-9]\d* bytes$/),
		});
	});

	test("can be stopped while it waits for the result", async () => {
		const stop = new AbortController();
		const upload = send({ ours: true, result: () => stop.abort() }, { signal: stop.signal });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.STOPPED });
	});
});
