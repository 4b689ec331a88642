/** The stand-in for the SDK's HTTP client: the same script on both engines. What it does wrong is the SDK's. */
import { describe, expect, test } from "vitest";
import { type EngineName, engines } from "./engines";
import { type Board, listen, run } from "./http-client-bench";
import type { Peer } from "./http-peer";
import { quiet } from "./shim-bench";

const HEAD_END = "\r\n\r\n";

describe.each(engines)("the HTTP client on %s", (engine: EngineName) => {
	/** Runs a script, and has the first connection. */
	const connect = async (script: string): Promise<{ board: Board; peer: Peer }> => {
		const server = await listen();
		const board = run(engine, server.port, script);
		return { board, peer: await server.accepts() };
	};
	/** One request that tells all, and the answer to it. */
	const answered = async (answer: string, options = "...tell", more = "") => {
		const { board, peer } = await connect(`const client = open(); client.request({ ${options} }); ${more}`);
		await peer.receives(HEAD_END);
		peer.says(answer);
		return { board, peer };
	};

	describe("asks", () => {
		test("with GET and / where nothing else is said, and a host without its port", async () => {
			const { peer } = await connect("open().request({});");
			await peer.receives(HEAD_END);
			expect(peer.received()).toBe(`GET / HTTP/1.1\r\nhost: 127.0.0.1${HEAD_END}`);
		});

		test("with method, path and headers as they are", async () => {
			const headers = `new Map([["X-One", "1"], ["Accept", "*/*"], ["X-Number", 5]])`;
			const { peer } = await connect(
				`open().request({ method: "PROPFIND", path: "/a?b=c", headers: ${headers} });`,
			);
			await peer.receives(HEAD_END);
			expect(peer.received()).toBe(
				`PROPFIND /a?b=c HTTP/1.1\r\nhost: 127.0.0.1\r\nX-One: 1\r\nAccept: */*\r\nX-Number: 5${HEAD_END}`,
			);
		});

		test("the server's name as it was given, when it has found its address", async () => {
			const { peer } = await connect(`open({ host: "localhost" }).request({});`);
			await peer.receives("host: localhost\r\n");
		});

		test("with a body of content-length, no more than is writable or than is left", async () => {
			const { board, peer } = await connect(`open().request({
				...tell, method: "PUT", headers: new Map([["Content-Length", 6]]),
				onWritable(count) {
					trace("writable ", count, "\\n");
					for (const text of ["1234567", "abcd", "ef", "g"]) {
						try { trace(text, ": ", this.write(bytes(text)), "\\n"); } catch (e) { trace(e.message, "\\n"); }
					}
				},
			});`);
			await peer.receives("abcdef");
			await board.tells("bad state");
			expect(board.told()).toBe("writable 6\nwould block\nabcd: 2\nef: 0\nbad state\n");
			peer.says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
			await board.tells("done null\n");
		});

		test("with a body in chunks, each framed, but its end without the first two bytes, as the SDK sends it", async () => {
			const { peer } = await connect(`open().request({
				headers: new Map([["transfer-encoding", "chunked"]]),
				onWritable(count) { if (this.sent) return; this.sent = true; this.write(bytes("0123456789abcdef")); this.write(); },
			});`);
			await peer.receives("cdef");
			await quiet();
			expect(peer.received()).toMatch(/\r\n\r\n10\r\n0123456789abcdef\r\n\n\r\n$/);
		});

		test("one after the other on the same connection", async () => {
			const server = await listen();
			const script = `const client = open(); for (const path of ["/1", "/2"]) client.request({ ...tell, path });`;
			const board = run(engine, server.port, script);
			const peer = await server.accepts();
			for (const path of ["/1", "/2"]) {
				await peer.receives(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1${HEAD_END}`);
				peer.says(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n${path}`);
				await board.tells(`2 ${path}\ndone null\n`);
			}
			expect(server.connections()).toBe(1);
		});

		test("what is requested once it rests goes out at once", async () => {
			const { peer, board } = await answered(
				"HTTP/1.1 204 No Content\r\n\r\n",
				`onDone() { trace("done\\n"); Timer.set(() => client.request({ path: "/next" }), 5); }`,
			);
			await board.tells("done");
			await peer.receives("GET /next HTTP/1.1\r\n");
		});
	});

	describe("reads the head", () => {
		test("with status, reason and headers by names in lower case, of equal ones the last", async () => {
			const { board } = await answered(
				"HTTP/1.1 404 Not Found\r\nX-One: a:b \r\nX-Two:2\r\nx-one: last\r\nContent-Length: 0\r\n\r\n",
			);
			await board.tells("done");
			expect(board.told()).toBe('404 "Not Found\\r\\n" x-one=last x-two=2 content-length=0\ndone null\n');
		});

		test("in whatever pieces it comes", async () => {
			const { board, peer } = await answered("HT");
			for (const piece of ["TP/1.1 2", "00 OK\r", "\nContent-Le", "ngth:", " 5\r\n", "\r", "\nab", "cde"]) {
				await quiet();
				peer.says(piece);
			}
			await board.tells("done");
			// A busy machine may bring two of them together.
			const body = board.told().replace(/\d ([a-e]+)\n/g, "$1");
			expect(body).toBe('200 "OK\\r\\n" content-length=5\nabcdedone null\n');
		});

		test("of any version", async () => {
			const { board } = await answered("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n");
			await board.tells("done null");
		});

		test("as long as it is", async () => {
			const { board } = await answered(
				`HTTP/1.1 200 OK\r\nlong: ${"x".repeat(5000)}\r\ncontent-length: 0\r\n\r\n`,
				`onHeaders(status, headers) { trace(headers.get("long").length, "\\n"); }`,
			);
			await board.tells("5000\n");
		});

		test("only with the headers of the mask, but their lengths count", async () => {
			const { board } = await answered(
				"HTTP/1.1 200 OK\r\nX-One: 1\r\nETag: e\r\nContent-Length: 3\r\n\r\nabc",
				`...tell, headersMask: ["etag"]`,
			);
			await board.tells("done");
			expect(board.told()).toBe('200 "OK\\r\\n" etag=e\n3 abc\ndone null\n');
		});

		test("with a mask it throws where the bytes end within a value that is not wanted, and goes on", async () => {
			const { board, peer } = await answered("HTTP/1.1 200 OK\r\nX-One: 1", "...tell, headersMask: []");
			await board.tells("onReadable threw TypeError\n");
			peer.says("2\r\nContent-Length: 0\r\n\r\n");
			await board.tells("done null\n");
		});

		test("a line without a colon is another value of the header before it", async () => {
			const { board } = await answered("HTTP/1.1 200 OK\r\nETag: e\r\n folded\r\ncontent-length: 0\r\n\r\n");
			await board.tells("done");
			expect(board.told()).toContain(" etag=folded content-length=0\n");
		});

		test("a value of nothing at all ends it: the rest is taken for the body", async () => {
			const { board } = await answered("HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n");
			await board.tells("Content-Length: 0");
			expect(board.told()).not.toContain("done");
		});

		test("a status without a reason and its space is an error, then a TypeError for what is behind it", async () => {
			const { board, peer } = await answered("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n");
			await board.tells("threw");
			expect(board.told()).toBe("done Error\nclient: Error: bad response\nonReadable threw TypeError\n");
			expect(await peer.ended()).toBe("reset");
		});
	});

	describe("reads a body", () => {
		test("as much as asked for, as there is, and no more than content-length", async () => {
			const { board } = await answered(
				"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabcdefghi",
				`onReadable(count) {
					const two = new Uint8Array(2), many = new Uint8Array(20);
					trace(count, " ", String.fromArrayBuffer(this.read(3)), " ", this.read(two), two, " ");
					trace(this.read(many), many.subarray(0, 5), " ", this.read(), "\\n");
				}, onDone: tell.onDone`,
			);
			await board.tells("done");
			expect(board.told()).toBe("9 abc 2100,101 4102,103,104,105,0 undefined\ndone null\n");
		});

		test("what is left unread is told again with new bytes only", async () => {
			const { board, peer } = await answered(
				"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabcd",
				`onReadable(count) { trace(count, " "); this.read(1); }`,
			);
			await board.tells("4 ");
			await quiet();
			expect(board.told()).toBe("4 ");
			peer.says("e");
			await board.tells("4 4 ");
		});

		test("204 and 205 have none, 304 and the answer to HEAD are not known to", async () => {
			for (const status of [204, 205]) {
				const { board } = await answered(`HTTP/1.1 ${status} No\r\ncontent-length: 5\r\n\r\n`);
				await board.tells("done null");
			}
			const unchanged = await answered("HTTP/1.1 304 Not Modified\r\netag: e\r\n\r\n");
			const head = await answered("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", `...tell, method: "HEAD"`);
			await quiet();
			for (const { board, peer } of [unchanged, head]) {
				expect(board.told()).not.toContain("done");
				peer.socket.end();
				await board.tells("done Error\nclient: undefined\n");
			}
		});

		test("without a length until the connection ends, which is told as an error", async () => {
			const { board, peer } = await answered("HTTP/1.1 200 OK\r\n\r\nabc");
			await board.tells("3 abc\n");
			peer.socket.end("def");
			await board.tells("client");
			expect(board.told()).toBe('200 "OK\\r\\n"\n3 abc\n3 def\ndone Error\nclient: undefined\n');
		});

		test("in chunks, each by itself, whatever the length says", async () => {
			const { board } = await answered(
				"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x\r\n0123456789\r\n0\r\n\r\n",
			);
			await board.tells("done");
			expect(board.told()).toContain("\n3 abc\n10 0123456789\ndone null\n");
		});

		test("reading on behind a chunk throws where more waits, and gives nothing where not", async () => {
			const read = `onReadable() {
				this.read();
				try { trace(this.read(), "\\n"); } catch (e) { trace(e.constructor.name, "\\n"); }
			}, onDone: tell.onDone`;
			const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
			const waiting = await answered(`${chunked}3\r\nabc\r\n0\r\n\r\n`, read);
			await waiting.board.tells("Error\ndone null\n");
			const nothing = await answered(`${chunked}3\r\nabc`, read);
			await nothing.board.tells("undefined\n");
			nothing.peer.says("\r\n0\r\n\r\n");
			await nothing.board.tells("done null\n");
		});

		test("a trailer behind the chunks throws from the socket's callback", async () => {
			const { board } = await answered(
				"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nTrailer: 1\r\n\r\n",
			);
			await board.tells("onReadable threw Error\n");
		});

		test("bytes behind it throw from the socket's callback, when they come", async () => {
			const { board, peer } = await answered("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
			await board.tells("done null\n");
			peer.says("more");
			await board.tells("onReadable threw Error\n");
		});

		test("an answer before the request's body was sent throws too", async () => {
			const { board } = await answered(
				"HTTP/1.1 413 Too Large\r\n\r\n",
				`method: "POST", headers: new Map([["content-length", 10]])`,
			);
			await board.tells("onReadable threw Error\n");
		});
	});

	describe("ends", () => {
		test("when the server does: the request under way, those behind it, then the client", async () => {
			const { board, peer } = await answered(
				"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
				"...tell",
				`client.request({ onDone(error) { trace("second ", error, "\\n"); } });`,
			);
			await board.tells("3 abc\n");
			peer.socket.end();
			await board.tells("client");
			expect(board.told()).toContain("done Error\nsecond Error\nclient: undefined\n");
		});

		test("a body that is complete is done before that, though the server ends at once", async () => {
			const { board, peer } = await answered("");
			peer.socket.end("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
			await board.tells("client");
			expect(board.told()).toContain("3 abc\ndone null\nclient: undefined\n");
		});

		test("when it rests and the server ends: what is requested later is never answered", async () => {
			const { board, peer } = await answered(
				"HTTP/1.1 204 No Content\r\n\r\n",
				"...tell",
				// Long after the server has ended, on a loaded machine too.
				`Timer.set(() => { client.request(tell); trace("asked\\n"); }, 1000);`,
			);
			await board.tells("done null\n");
			peer.socket.end();
			await board.tells("client: undefined\n");
			await board.tells("asked\n");
			await quiet();
			expect(board.told().match(/done/g)).toHaveLength(1);
		});

		test("where there is no server, and where the name is unknown", async () => {
			const refused = run(engine, 1, "open().request(tell);");
			await refused.tells("done Error\nclient: undefined\n");
			const unknown = run(engine, 1, `open({ host: "nowhere.invalid" }).request(tell);`);
			await unknown.tells("done Error\nclient: nowhere.invalid\n");
		});

		test("where a socket can't be made: the client gets what was thrown", async () => {
			const board = run(engine, 99_999, "open().request(tell);");
			await board.tells("done Error\nclient: RangeError: ");
		});

		test("by close, in any handler: nobody is called any more, the server gets a reset", async () => {
			for (const handler of ["onHeaders", "onReadable", "onDone"]) {
				const { board, peer } = await answered(
					"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
					`...tell, ${handler}() { client.close(); client.close(); trace("closed\\n"); }`,
				);
				await board.tells("closed\n");
				expect(await peer.ended()).toBe("reset");
				await quiet();
				expect(board.told()).toMatch(/closed\n$/);
			}
		});

		test("a request of a closed client can't be read", async () => {
			const { board } = await answered(
				"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
				"onReadable() { client.close(); this.read(); }",
			);
			await board.tells("onReadable threw TypeError\n");
		});

		test("closed before the host is resolved it connects nevertheless, and tells of the end", async () => {
			const { board, peer } = await connect("const client = open(); client.request(tell); client.close();");
			await quiet();
			expect(peer.received()).toBe("");
			expect(board.told()).toBe("");
			peer.socket.end();
			await board.tells("client: undefined\n");
		});
	});

	test("refuses to be made without a host", async () => {
		const board = run(engine, 1, `try { open({ host: "" }); } catch (e) { trace(e.message); }`);
		await board.tells("host required");
	});
});
