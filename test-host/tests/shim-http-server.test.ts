/** The stand-in for the SDK's HTTP server: the same script on both engines. What it does wrong is the SDK's. */
import { describe, expect, test } from "vitest";
import { type EngineName, engines } from "./engines";
import { request, serve } from "./http-bench";
import { quiet } from "./shim-bench";

/** Handlers that trace everything, and answer with what was posted. */
const TRACE = `
	onRequest({ method, path, headers }) {
		trace(method, " ", path, "\\n");
		headers.forEach((value, name) => trace(name, "=", value, "\\n"));
	},
	onReadable(count) { trace("readable ", count, " "); const body = this.read(); if (body) trace(String.fromArrayBuffer(body)); trace("\\n"); },
	onError(message) { trace("error ", message, "\\n"); },
	onDone() { trace("done\\n"); },`;
/** Answers, and waits for the peer to end: what a close would cut off arrives. */
const ANSWER = `onResponse(response) { trace("response ", response.status, " ", response.headers.size, "\\n");
	response.headers.set("Content-Length", 2);
	this.respond(response);
	this.sent = false;
},
onWritable(count) { if (!this.sent) this.write(bytes("ok")); this.sent = true; },`;

/** A script whose response has this body, sent as its lengths say. */
const responding = (headers: string, onWritable: string, status = 200) => `${TRACE}
	onResponse() { this.respond({ status: ${status}, headers: new Map(${headers}) }); },
	onWritable(count) { trace("writable ", count, "\\n"); ${onWritable} },`;

const thrown = (statement: string) =>
	`try { ${statement}; trace("nothing "); } catch (e) { trace(e.constructor.name, " ", e.message, " "); }`;

describe.each(engines)("the HTTP server on %s", (engine: EngineName) => {
	describe("takes a request", () => {
		test("with its method, its path, and headers by names in lower case", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			const client = request(server, "GET /a?b=c HTTP/1.1\r\nHost: board \r\nX-Two:a: b\r\n\r\n");
			await client.receives("ok");
			expect(server.told()).toBe("GET /a?b=c\nhost=board\nx-two=a: b\nresponse 200 0\n");
		});

		test("in whatever pieces it comes", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			const client = request(server, "P");
			for (const piece of ["OST /u HT", "TP/1.1\r", "\nContent-Le", "ngth: 5\r\n", "\r", "\nab", "cde"]) {
				await quiet();
				client.socket.write(piece);
			}
			await client.receives("ok");
			expect(server.told()).toBe(
				"POST /u\ncontent-length=5\nreadable 2 ab\nreadable 3 cde\nresponse 200 0\n",
			);
		});

		test("of equal headers the last one, and one without a colon under no name", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			const client = request(server, "GET / HTTP/1.1\r\nA: 1\r\nnothing\r\na: 2\r\n\r\n");
			await client.receives("ok");
			expect(server.told()).toBe("GET /\na=2\n=nothing\nresponse 200 0\n");
		});

		test.each(["GET / HTTP/1.0\r\n", "GET /\r\n", "\r\n", "HELLO\r\n"])(
			"that is HTTP/1.1: not %j, which ends the connection",
			async (line) => {
				const server = await serve(engine, TRACE);
				const client = request(server, `${line}\r\n`);
				expect(await client.ended()).toBe("reset");
				await server.tells("error badly formed\n");
				expect(client.received()).toBe("");
			},
		);

		test("waiting for ever for the end of a line that has no carriage return", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			request(server, "GET / HTTP/1.1\n\n");
			await quiet();
			expect(server.told()).toBe("");
		});

		test("and tells when the peer goes away in the middle of it", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			request(server, "GET / HT").socket.end();
			await server.tells("error undefined\n");
		});
	});

	describe("reads a body", () => {
		test("as much as asked for, as there is, and no more than content-length", async () => {
			const server = await serve(
				engine,
				`onReadable(count) {
					trace(count, " ", String.fromArrayBuffer(this.read(2)), " ", String.fromArrayBuffer(this.read(100)), " ", this.read(), "\\n");
				}, onResponse() { trace("all\\n"); }`,
			);
			request(server, "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nabcdefgh");
			await server.tells("all\n");
			expect(server.told()).toBe("5 ab cde undefined\nall\n");
		});

		test("what is left unread is told again with new bytes only", async () => {
			const server = await serve(engine, `onReadable(count) { trace(count, " "); this.read(1); }`);
			const client = request(server, "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabcd");
			await server.tells("4 ");
			await quiet();
			expect(server.told()).toBe("4 ");
			client.socket.write("e");
			await server.tells("4 4 ");
		});

		test("the response's turn comes after the last byte was read, between turns", async () => {
			const server = await serve(
				engine,
				`onReadable() { this.read(); trace("read\\n"); }, onResponse() { trace("response\\n"); }`,
			);
			request(server, "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc");
			await server.tells("read\nresponse\n");
		});

		test("a length of 0, or none that is a number, is no body", async () => {
			for (const length of ["0", "x"]) {
				const server = await serve(engine, TRACE + ANSWER);
				await request(server, `POST / HTTP/1.1\r\ncontent-length: ${length}\r\n\r\n`).receives("ok");
			}
		});

		test("in chunks, each by itself, whatever the length says", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			const client = request(
				server,
				"POST / HTTP/1.1\r\ncontent-length: 99\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x\r\n0123456789\r\n0\r\n\r\n",
			);
			await client.receives("ok");
			expect(server.told()).toContain("readable 3 abc\nreadable 10 0123456789\nresponse 200 0\n");
		});

		test("a chunk's length by itself is told as 0 bytes", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			const client = request(server, "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n");
			await server.tells("chunked");
			client.socket.write("3\r\n");
			await server.tells("readable 0 \n");
			client.socket.write("abc\r\n0\r\n\r\n");
			await client.receives("ok");
		});

		test("a trailer behind the chunks is badly formed", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			request(server, "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nTrailer: 1\r\n\r\n");
			await server.tells("error badly formed\n");
		});

		test("bytes behind it are a bad state, when they come", async () => {
			const server = await serve(engine, `${TRACE} onResponse() { trace("all\\n"); }`);
			const client = request(server, "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc");
			await server.tells("all");
			client.socket.write("more");
			await server.tells("error bad state\n");
			expect(await client.ended()).toBe("reset");
		});
	});

	describe("responds", () => {
		test("with status, reason and headers as they are", async () => {
			const headers = `[["Server", "mine"], ["X-Number", 5]]`;
			const server = await serve(engine, responding(headers, "", 404));
			const client = request(server, "GET / HTTP/1.1\r\n\r\n");
			await client.receives("\r\n\r\n");
			expect(client.received()).toBe("HTTP/1.1 404 Not Found\r\nServer: mine\r\nX-Number: 5\r\n\r\n");
		});

		test("with the reason OK where it knows no better", async () => {
			const server = await serve(engine, responding("", "", 429));
			await request(server, "GET / HTTP/1.1\r\n\r\n").receives("HTTP/1.1 429 OK\r\n");
		});

		test("by itself where there is no handler: 200, and nothing ends it", async () => {
			const server = await serve(engine, "");
			const client = request(server, "GET / HTTP/1.1\r\n\r\n");
			await client.receives("\r\n\r\n");
			await quiet();
			expect(client.received()).toBe("HTTP/1.1 200 OK\r\n\r\n");
		});

		test("after content-length bytes it is done and closes, which cuts off what was just written", async () => {
			const server = await serve(engine, responding(`[["content-length", 2]]`, `this.write(bytes("ok"));`));
			const client = request(server, "GET / HTTP/1.1\r\n\r\n");
			expect(await client.ended()).toBe("reset");
			expect(server.told()).toContain("writable 2\ndone\n");
			expect(client.received()).not.toContain("ok");
		});

		test("content-length counts in lower case only: by another name the peer may have it all", async () => {
			const server = await serve(engine, TRACE + ANSWER);
			const client = request(server, "GET / HTTP/1.1\r\n\r\n");
			await client.receives("\r\n\r\nok");
			client.socket.end();
			expect(await client.ended()).toBe("end");
			await server.tells("error undefined\n");
		});

		test("refuses more than is writable or than content-length, and what is no response yet", async () => {
			const script = `onRequest() { ${thrown("this.write(bytes('a'))")} },
				${responding(
					`[["content-length", 3]]`,
					`if (this.tried) return; this.tried = true;
					${thrown("this.write(bytes('abcd'))")}${thrown("this.write()")} trace(this.write(bytes("ab")) > 2800, "\\n");`,
				).replace("onRequest", "unused")}`;
			const server = await serve(engine, script);
			request(server, "GET / HTTP/1.1\r\n\r\n");
			await server.tells("true\n");
			expect(server.told()).toContain("Error bad state writable 3\nError would block Error bad data true\n");
		});

		test("in chunks, each framed, and its end without the first two bytes, as the SDK sends it", async () => {
			const server = await serve(
				engine,
				responding(
					`[["transfer-encoding", "chunked"]]`,
					`if (count < 2900) return;
					if (this.ended) return;
					if (this.sent) { this.ended = true; trace(this.write(), "\\n"); }
					else { this.sent = true; trace(this.write(bytes("0123456789abcdef0")), "\\n"); }`,
				),
			);
			const client = request(server, "GET / HTTP/1.1\r\n\r\n");
			await server.tells("done\n");
			await client.ended();
			expect(client.received()).toContain("\r\n\r\n11\r\n0123456789abcdef0\r\n");
			expect(client.received()).not.toContain("0\r\n\r\n");
		});
	});

	describe("lets the application", () => {
		test("change the handlers in onRequest, which then get the request", async () => {
			const server = await serve(
				engine,
				`onRequest() { this.route = other; trace(this.route === other, "\\n"); }, onResponse() { trace("not me"); }`,
				`const other = { ${TRACE}${ANSWER} };`,
			);
			await request(server, "GET /there HTTP/1.1\r\n\r\n").receives("ok");
			expect(server.told()).toBe("GET /there\ntrue\nresponse 200 0\n");
		});

		test("close in any handler: nothing is called any more", async () => {
			const server = await serve(
				engine,
				`${TRACE} onResponse() { this.close(); this.close(); trace("closed\\n"); }`,
			);
			const client = request(server, "GET / HTTP/1.1\r\n\r\n");
			expect(await client.ended()).toBe("reset");
			await server.tells("closed");
			await quiet();
			expect(server.told()).toBe("GET /\nclosed\n");
		});

		test("take the connection as a TCP", async () => {
			const server = await serve(
				engine,
				`onRequest() { const tcp = this.detach(); tcp.write(bytes("mine now")); ${thrown("this.detach()").replace(/, " ", e.message/, "")} }`,
			);
			await request(server, "GET / HTTP/1.1\r\n\r\n").receives("mine now");
			expect(server.told()).toBe("Error ");
		});

		test("throw in onConnect: the next connection is served", async () => {
			const server = await serve(
				engine,
				`get onRequest() { if (!this.tried) { this.tried = true; trace("throws "); throw new Error(); } }, ${ANSWER}`,
			);
			request(server, "GET / HTTP/1.1\r\n\r\n");
			await server.tells("throws");
			await request(server, "GET / HTTP/1.1\r\n\r\n").receives("ok");
		});

		test("know the port, and close the server, once or twice", async () => {
			const server = await serve(
				engine,
				"",
				`trace(server.port, " "); server.close(); server.close(); ${thrown("server.port").replace(/, " ", e.message/, "")}`,
			);
			await server.tells("TypeError");
			expect(server.told()).toBe(`${server.port} TypeError `);
		});

		// In this process it would be an uncaught exception.
		if (engine === "node") return;
		test("close the server before a connection, which then can't be closed any more, as in the SDK", async () => {
			const server = await serve(
				engine,
				`onRequest() { server.close(); ${thrown("this.close()").replace(/, " ", e.message/, "")} }, ${ANSWER}`,
			);
			await request(server, "GET / HTTP/1.1\r\n\r\n").receives("ok");
			expect(server.told()).toContain("TypeError ");
		});
	});
});
