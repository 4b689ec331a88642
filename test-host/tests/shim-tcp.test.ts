import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import Listener from "../shims/listener";
import TCP from "../shims/tcp";
import { chipForTest, foreignReceivers, membersOf, quiet, until } from "./shim-bench";

const ADDRESS = "127.0.0.1";
const WINDOW = 4 * 1460;
const SEND_BUFFER = 2 * 1460;

type Options = ConstructorParameters<typeof TCP>[0];

interface Pair {
	tcp: TCP;
	peer: Socket;
	/** Everything called back, in order. */
	calls: [name: string, ...parameters: unknown[]][];
	/** The counts of onReadable. */
	readable: number[];
	/** All that the peer got. */
	received(): Buffer;
}

/** A server that lives as long as the test, its port, and the first connection. */
async function accept(): Promise<{ server: Server; port: number; peer: Promise<Socket> }> {
	const server = createServer({ allowHalfOpen: true }).listen(0, ADDRESS);
	await once(server, "listening");
	onTestFinished(() => void server.close());
	const peer = new Promise<Socket>((resolve) => {
		server.once("connection", (socket) => {
			socket.on("error", () => {});
			onTestFinished(() => void socket.destroy());
			resolve(socket);
		});
	});
	const address = server.address();
	return { server, port: address && typeof address === "object" ? address.port : 0, peer };
}

function remember(calls: Pair["calls"], tell: Options = {}): Options {
	return {
		onReadable(bytes) {
			calls.push(["onReadable", bytes]);
			tell.onReadable?.call(this, bytes);
		},
		onWritable(bytes) {
			calls.push(["onWritable", bytes]);
			tell.onWritable?.call(this, bytes);
		},
		onError(...parameters: []) {
			calls.push(["onError", ...parameters]);
			tell.onError?.call(this);
		},
	};
}

function closedAfterwards(tcp: TCP): TCP {
	onTestFinished(() => tcp.close());
	return tcp;
}

/** A connection that stands, its first onWritable delivered. */
async function connect(options: Options = {}): Promise<Pair> {
	const { port, peer } = await accept();
	const calls: Pair["calls"] = [];
	const tcp = closedAfterwards(new TCP({ address: ADDRESS, port, ...options, ...remember(calls, options) }));
	const socket = await peer;
	const chunks: Buffer[] = [];
	socket.on("data", (chunk) => chunks.push(chunk));
	await until(() => calls.length > 0);
	return {
		tcp,
		peer: socket,
		calls,
		get readable() {
			return calls.filter(([name]) => name === "onReadable").map(([, bytes]) => Number(bytes));
		},
		received: () => Buffer.concat(chunks),
	};
}

/** Sends, and returns when the device has been told of `bytes` that wait. */
async function send(pair: Pair, data: string | Uint8Array, bytes = data.length): Promise<void> {
	pair.peer.write(data);
	await until(() => pair.readable.at(-1) === bytes);
}

/** The peer closes its side, and the device has taken notice, read or unread. */
async function end({ tcp, peer }: Pair): Promise<void> {
	peer.end();
	await until(() => {
		try {
			tcp.write(new Uint8Array(SEND_BUFFER + 1));
		} catch (error) {
			return String(error).includes("not ready");
		}
		return false;
	});
}

const text = (bytes: unknown) => (bytes instanceof ArrayBuffer ? Buffer.from(bytes).toString() : bytes);
const names = ({ calls }: Pair) => calls.map(([name]) => name);

describe("connecting", () => {
	test("the first callback tells that the connection stands and how much may be written", async () => {
		const { calls } = await connect();
		expect(calls).toEqual([["onWritable", SEND_BUFFER]]);
	});

	test("no callback comes from inside the constructor", async () => {
		const { port } = await accept();
		let constructed = false;
		const early: string[] = [];
		const calls: Pair["calls"] = [];
		const tell = () => void (constructed || early.push("call"));
		closedAfterwards(
			new TCP({ address: ADDRESS, port, ...remember(calls, { onWritable: tell, onError: tell }) }),
		);
		constructed = true;
		await until(() => calls.length > 0);
		expect(early).toEqual([]);
	});

	test("a refused connection is an error, told later and without parameters", async () => {
		const { port, server } = await accept();
		server.close();
		const calls: Pair["calls"] = [];
		closedAfterwards(new TCP({ address: ADDRESS, port, ...remember(calls) }));
		expect(calls).toEqual([]);
		await until(() => calls.length > 0);
		await quiet();
		expect(calls).toEqual([["onError"]]);
	});

	test("the peer's address and port are known once the connection stands", async () => {
		const { port } = await accept();
		const calls: Pair["calls"] = [];
		const tcp = closedAfterwards(new TCP({ address: ADDRESS, port, ...remember(calls) }));
		expect([tcp.remoteAddress, tcp.remotePort]).toEqual([undefined, undefined]);
		await until(() => calls.length > 0);
		expect([tcp.remoteAddress, tcp.remotePort]).toEqual([ADDRESS, port]);
	});

	test("a connection closed on its way never comes to be", async () => {
		const { port, peer } = await accept();
		let connected = false;
		peer.then(() => {
			connected = true;
		});
		const calls: Pair["calls"] = [];
		new TCP({ address: ADDRESS, port, ...remember(calls) }).close();
		await quiet();
		expect([connected, calls]).toEqual([false, []]);
	});
});

describe("options", () => {
	test("without options it is a TypeError", () => {
		expect(() => Reflect.construct(TCP, [])).toThrow(TypeError);
	});

	test.each([undefined, "", "localhost", "::1"])(
		"the address %j is an Error: lwIP wants a numeric one",
		(address) => {
			expect(() => Reflect.construct(TCP, [{ address, port: 80 }])).toThrow("invalid address");
		},
	);

	test.each([-1, 65536])("port %i is a RangeError", (port) => {
		expect(() => new TCP({ address: ADDRESS, port })).toThrow(RangeError);
	});

	test("no port is an Error", () => {
		expect(() => new TCP({ address: ADDRESS })).toThrow(Error);
	});

	test("a callback that is no function is an Error, null is none", async () => {
		const { port } = await accept();
		const options = { address: ADDRESS, port };
		expect(() => Reflect.construct(TCP, [{ ...options, onReadable: 5 }])).toThrow("not a function");
		closedAfterwards(Reflect.construct(TCP, [{ ...options, onReadable: null }]));
	});

	test("the target is a property of the instance, and callbacks have the instance as this", async () => {
		const target = {};
		const seen: unknown[] = [];
		await connect({
			target,
			onWritable() {
				seen.push(this.target);
			},
		});
		expect(seen[0]).toBe(target);
	});

	test("the format is buffer where none is given, and may be changed", async () => {
		const { tcp } = await connect();
		expect(tcp.format).toBe("buffer");
		tcp.format = "number";
		expect(tcp.format).toBe("number");
	});

	test("an unknown format is a RangeError and leaves the old one, a symbol a TypeError", async () => {
		const { tcp } = await connect({ format: "number" });
		expect(() => {
			tcp.format = "string";
		}).toThrow(RangeError);
		expect(() => Reflect.set(tcp, "format", Symbol())).toThrow(TypeError);
		expect(() => new TCP({ address: ADDRESS, port: 1, format: "string" })).toThrow(RangeError);
		expect(tcp.format).toBe("number");
	});
});

describe("reading", () => {
	test("before anything came it gives undefined, before the connection too", async () => {
		const { port } = await accept();
		const tcp = closedAfterwards(new TCP({ address: ADDRESS, port }));
		expect(tcp.read()).toBeUndefined();
		expect((await connect()).tcp.read()).toBeUndefined();
	});

	test("onReadable tells of all that waits", async () => {
		const pair = await connect();
		await send(pair, "12345");
		await send(pair, "678", 8);
		expect(pair.readable).toEqual([5, 8]);
	});

	test("without a length it gives all that waits", async () => {
		const pair = await connect();
		await send(pair, "12345");
		expect(text(pair.tcp.read())).toBe("12345");
		expect(pair.tcp.read()).toBeUndefined();
	});

	test("with a length it gives exactly as much, and leaves the rest", async () => {
		const pair = await connect();
		await send(pair, "12345");
		expect(text(pair.tcp.read(2))).toBe("12");
		expect(text(pair.tcp.read())).toBe("345");
	});

	test.each([0, -1, 6, undefined, new Uint8Array(6), new Uint8Array(0)])(
		"asked for %j of five bytes it throws, and loses nothing",
		async (wanted) => {
			const pair = await connect();
			await send(pair, "12345");
			expect(() => pair.tcp.read(wanted)).toThrow("invalid");
			expect(text(pair.tcp.read())).toBe("12345");
		},
	);

	test("a buffer is filled and the count given", async () => {
		const pair = await connect();
		await send(pair, "12345");
		const buffer = new ArrayBuffer(5);
		expect(pair.tcp.read(buffer)).toBe(5);
		expect(text(buffer)).toBe("12345");
	});

	test("a view is filled in its own place", async () => {
		const pair = await connect();
		await send(pair, "1234");
		const bytes = new Uint8Array(6).fill(0x2e);
		expect(pair.tcp.read(bytes.subarray(1, 3))).toBe(2);
		expect(pair.tcp.read(new DataView(bytes.buffer, 4, 2))).toBe(2);
		expect(text(bytes.buffer)).toBe(".12.34");
	});

	test("a view of elements larger than a byte is a TypeError", async () => {
		const pair = await connect();
		await send(pair, "1234");
		expect(() => pair.tcp.read(new Uint16Array(1))).toThrow(TypeError);
	});

	test("in format number it gives one byte at a time", async () => {
		const pair = await connect({ format: "number" });
		await send(pair, "AB");
		expect([pair.tcp.read(), pair.tcp.read(), pair.tcp.read()]).toEqual([65, 66, undefined]);
	});

	test("what a callback leaves unread is not told again, until new bytes come", async () => {
		const pair = await connect({
			onReadable() {
				this.read(1);
			},
		});
		await send(pair, "12345");
		await quiet();
		expect(pair.readable).toEqual([5]);
		await send(pair, "67", 6);
		expect(pair.readable).toEqual([5, 6]);
	});

	test("pieces that come together are not told of twice", async () => {
		const pair = await connect();
		pair.peer.setNoDelay(true);
		for (const piece of ["1", "2", "3", "4"]) pair.peer.write(piece);
		await until(() => pair.readable.at(-1) === 4);
		await quiet();
		expect(new Set(pair.readable).size).toBe(pair.readable.length);
	});
});

describe("the window", () => {
	/** Well beyond what the kernel buffers for a reader that does not read. */
	const MEGABYTES = new Uint8Array(8 << 20);

	test("a peer that sends megabytes to one who does not read is held back at 5,840 bytes", async () => {
		const pair = await connect();
		await send(pair, MEGABYTES, WINDOW);
		await quiet();
		expect(Math.max(...pair.readable)).toBe(WINDOW);
		expect(pair.peer.writableLength).toBeGreaterThan(0);
	});

	test("a segment keeps its place in the window until its last byte is read", async () => {
		const pair = await connect();
		await send(pair, new Uint8Array(4 * WINDOW), WINDOW);
		const calls = pair.readable.length;
		pair.tcp.read(1459);
		await quiet();
		expect(pair.readable).toHaveLength(calls);
		pair.tcp.read(1);
		await until(() => pair.readable.length > calls);
		expect(pair.readable.at(-1)).toBe(WINDOW);
	});

	test("whatever the sizes of reads, everything arrives, in order", async () => {
		const sent = new Uint8Array(1 << 20);
		for (let i = 0; i < sent.length; i++) sent[i] = (i * 31 + (i >> 8)) & 0xff;
		const sizes = fc.array(fc.integer({ min: 1, max: 3 * 1460 }), { minLength: 1, maxLength: 20 });
		await fc.assert(
			fc.asyncProperty(sizes, async (sizes) => {
				const chunks: Uint8Array[] = [];
				let available = 0;
				let largest = 0;
				const { tcp, peer } = await connect({
					onReadable(bytes) {
						available = bytes;
						largest = Math.max(largest, bytes);
					},
				});
				peer.write(sent);
				for (let done = 0, i = 0; done < sent.length; i++) {
					if (available === 0) await until(() => available > 0);
					const size = Math.min(sizes[i % sizes.length] ?? 1460, available);
					available -= size;
					done += size;
					chunks.push(new Uint8Array(tcp.read(size) as ArrayBuffer));
				}
				tcp.close();
				expect(largest).toBeLessThanOrEqual(WINDOW);
				expect(Buffer.concat(chunks).equals(sent)).toBe(true);
			}),
			{ numRuns: 4 },
		);
	});
});

describe("writing", () => {
	test("what is written reaches the peer, and the call tells what is still writable", async () => {
		const { tcp, received } = await connect();
		expect(tcp.write(Buffer.from("abc"))).toBe(SEND_BUFFER - 3);
		await until(() => received().length === 3);
		expect(received().toString()).toBe("abc");
	});

	test("before the connection it throws", async () => {
		const { port } = await accept();
		const tcp = closedAfterwards(new TCP({ address: ADDRESS, port }));
		expect(() => tcp.write(new Uint8Array(1))).toThrow("not ready");
	});

	test("exactly the writable count may be written", async () => {
		const { tcp, received } = await connect();
		expect(tcp.write(new Uint8Array(SEND_BUFFER))).toBe(0);
		await until(() => received().length === SEND_BUFFER);
	});

	test("a byte more than the writable count throws, and nothing is sent", async () => {
		const { tcp, received } = await connect();
		expect(() => tcp.write(new Uint8Array(SEND_BUFFER + 1))).toThrow("would block");
		await quiet();
		expect(received().length).toBe(0);
	});

	test("onWritable tells that there is room again", async () => {
		const { tcp, calls } = await connect();
		calls.length = 0;
		tcp.write(new Uint8Array(SEND_BUFFER));
		expect(() => tcp.write(new Uint8Array(1))).toThrow("would block");
		expect(calls).toEqual([]);
		await until(() => calls.length > 0);
		expect(calls).toEqual([["onWritable", SEND_BUFFER]]);
	});

	test("writes of one turn are told of once", async () => {
		const { tcp, calls } = await connect();
		calls.length = 0;
		for (let i = 0; i < 5; i++) tcp.write(new Uint8Array(100));
		await quiet();
		expect(calls.at(-1)).toEqual(["onWritable", SEND_BUFFER]);
		expect(calls.length).toBeLessThan(5);
	});

	test("a view sends its own bytes, as they were when it was written", async () => {
		const { tcp, received } = await connect();
		const bytes = new Uint8Array(Buffer.from("012345"));
		tcp.write(bytes.subarray(1, 3));
		tcp.write(new DataView(bytes.buffer, 4, 1));
		bytes.fill(0);
		await until(() => received().length === 3);
		expect(received().toString()).toBe("124");
	});

	test("in format number it sends one byte", async () => {
		const { tcp, received } = await connect({ format: "number" });
		tcp.write(65);
		await until(() => received().length === 1);
		expect(received().toString()).toBe("A");
	});

	test("a number in format buffer, a buffer in format number, text and wide views are TypeErrors", async () => {
		const { tcp } = await connect();
		for (const wrong of [65, "A", undefined, {}, new Uint16Array(1)]) {
			expect(() => tcp.write(wrong)).toThrow(TypeError);
		}
		tcp.format = "number";
		expect(() => tcp.write(new Uint8Array(1))).toThrow(TypeError);
	});
});

describe("the end of the connection", () => {
	test("an orderly close of the peer is an error, told once and without parameters", async () => {
		const pair = await connect();
		pair.peer.end();
		await until(() => names(pair).includes("onError"));
		await quiet();
		expect(pair.calls.slice(1)).toEqual([["onError"]]);
	});

	test("it is told after everything received was offered and read", async () => {
		const pair = await connect();
		await send(pair, "12345");
		await end(pair);
		await quiet();
		expect(names(pair)).toEqual(["onWritable", "onReadable"]);
		pair.tcp.read(4);
		await quiet();
		expect(names(pair)).not.toContain("onError");
		pair.tcp.read(1);
		expect(names(pair)).not.toContain("onError");
		await until(() => names(pair).includes("onError"));
	});

	test("data and close at once: onReadable comes first", async () => {
		const pair = await connect({
			onReadable() {
				this.read();
			},
		});
		pair.peer.end("bye");
		await until(() => names(pair).includes("onError"));
		expect(names(pair).slice(1, 3)).toEqual(["onReadable", "onError"]);
	});

	test("the close is not seen before what waits behind a full window", async () => {
		const pair = await connect();
		pair.peer.end(new Uint8Array(2 * WINDOW));
		await until(() => pair.readable.at(-1) === WINDOW);
		await quiet();
		expect(pair.tcp.write(new Uint8Array(1))).toBe(SEND_BUFFER - 1);
		pair.tcp.read(WINDOW);
		await until(() => pair.readable.length > 1 && pair.readable.at(-1) === WINDOW);
		pair.tcp.read(WINDOW);
		await until(() => names(pair).includes("onError"));
	});

	test("after it nothing may be written, even while received bytes are unread", async () => {
		const pair = await connect();
		await send(pair, "12345");
		await end(pair);
		expect(() => pair.tcp.write(new Uint8Array(1))).toThrow("not ready");
		expect(text(pair.tcp.read())).toBe("12345");
	});

	test("a reset by the peer is told after what was received has been read", async () => {
		const pair = await connect();
		await send(pair, "12345");
		pair.peer.resetAndDestroy();
		await quiet();
		expect(names(pair)).toEqual(["onWritable", "onReadable"]);
		expect(text(pair.tcp.read())).toBe("12345");
		await until(() => names(pair).includes("onError"));
	});
});

describe("closing", () => {
	/** How the peer's side ends. */
	const ending = ({ peer }: Pair) =>
		new Promise<string>((resolve) => {
			peer.once("end", () => resolve("end"));
			peer.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
		});

	test("it resets the connection, and what was written since the event loop turned is lost", async () => {
		const pair = await connect();
		const how = ending(pair);
		pair.tcp.write(Buffer.from("last words"));
		pair.tcp.close();
		expect(await how).toBe("ECONNRESET");
		expect(pair.received().toString()).toBe("");
	});

	test("what was written before the event loop turned may arrive, the reset behind it", async () => {
		const pair = await connect();
		const how = ending(pair);
		pair.tcp.write(Buffer.from("first words"));
		await until(() => pair.received().length > 0);
		pair.tcp.write(Buffer.from("last words"));
		pair.tcp.close();
		expect(await how).toBe("ECONNRESET");
		expect(pair.received().toString()).toBe("first words");
	});

	test("a peer that has ended its side, and has all that was written, sees an orderly end", async () => {
		const pair = await connect();
		const how = ending(pair);
		pair.tcp.write(Buffer.from("all"));
		await until(() => pair.received().length > 0);
		await end(pair);
		pair.tcp.close();
		expect(await how).toBe("end");
	});

	test("closing on unread bytes resets the connection, whatever the peer has ended", async () => {
		const pair = await connect();
		const how = ending(pair);
		await send(pair, "unread");
		await end(pair);
		pair.tcp.close();
		expect(await how).toBe("ECONNRESET");
	});

	test("no callback comes after it, whatever had happened before", async () => {
		const pair = await connect();
		pair.calls.length = 0;
		pair.tcp.write(new Uint8Array(100));
		pair.peer.end("late");
		pair.tcp.close();
		await quiet();
		expect(pair.calls).toEqual([]);
	});

	test("closing in a callback keeps back what would have been called next", async () => {
		const pair = await connect({
			onReadable() {
				this.read();
				this.close();
			},
		});
		pair.calls.length = 0;
		pair.peer.end("bye");
		await quiet();
		expect(names(pair)).toEqual(["onReadable"]);
	});

	test("it may be closed any number of times", async () => {
		const { tcp } = await connect();
		tcp.close();
		tcp.close();
	});

	test("every other method and accessor throws SyntaxError afterwards", async () => {
		const { tcp } = await connect();
		tcp.close();
		for (const [name, call] of membersOf(TCP.prototype)) {
			if (name !== "close") expect(() => call(tcp), name).toThrow(SyntaxError);
		}
		expect(() => {
			tcp.format = "buffer";
		}).toThrow(SyntaxError);
	});

	test("methods and accessors on a foreign receiver throw SyntaxError", () => {
		for (const receiver of [...foreignReceivers, TCP.prototype]) {
			for (const [name, call] of membersOf(TCP.prototype)) {
				expect(() => call(receiver), name).toThrow(SyntaxError);
			}
		}
	});
});

describe("adoption", () => {
	test("the new one goes on with the connection, with what waits and its own callbacks", async () => {
		const pair = await connect();
		await send(pair, "12345");
		const calls: Pair["calls"] = [];
		const tcp = closedAfterwards(new TCP({ from: pair.tcp, ...remember(calls) }));
		expect(calls).toEqual([]);
		await until(() => calls.length > 0);
		expect(calls).toEqual([
			["onReadable", 5],
			["onWritable", SEND_BUFFER],
		]);
		expect(text(tcp.read())).toBe("12345");
		tcp.write(Buffer.from("answer"));
		await until(() => pair.received().length > 0);
		expect(pair.received().toString()).toBe("answer");
	});

	test("it starts with format buffer", async () => {
		const pair = await connect({ format: "number" });
		expect(closedAfterwards(new TCP({ from: pair.tcp })).format).toBe("buffer");
	});

	test("the old one is closed by it and called back no more", async () => {
		const pair = await connect();
		closedAfterwards(new TCP({ from: pair.tcp }));
		pair.calls.length = 0;
		pair.peer.write("12345");
		await quiet();
		expect(() => pair.tcp.read()).toThrow(SyntaxError);
		expect(pair.calls).toEqual([]);
		pair.tcp.close();
	});

	test("adopting twice is a SyntaxError, and the one who has it keeps it", async () => {
		const pair = await connect();
		const tcp = closedAfterwards(new TCP({ from: pair.tcp }));
		expect(() => new TCP({ from: pair.tcp })).toThrow(SyntaxError);
		expect(tcp.write(new Uint8Array(1))).toBe(SEND_BUFFER - 1);
	});

	test("adopting something else is a SyntaxError", () => {
		for (const from of foreignReceivers) {
			expect(() => Reflect.construct(TCP, [{ from }])).toThrow(SyntaxError);
		}
	});

	test("a connection on its way can be adopted, and tells the new one when it stands", async () => {
		const { port, peer } = await accept();
		const old = new TCP({ address: ADDRESS, port });
		const calls: Pair["calls"] = [];
		const tcp = closedAfterwards(new TCP({ from: old, ...remember(calls) }));
		await peer;
		await until(() => tcp.remotePort === port && calls.length > 0);
		await turn();
		expect(tcp.write(new Uint8Array(1))).toBe(SEND_BUFFER - 1);
	});

	test("what the old one has not delivered yet is the new one's to tell", async () => {
		const calls: Pair["calls"] = [];
		let adopted: TCP | undefined;
		const pair = await connect({
			onReadable() {
				adopted = closedAfterwards(new TCP({ from: this, ...remember(calls) }));
			},
		});
		pair.peer.write("12345");
		await until(() => adopted !== undefined);
		pair.peer.end();
		adopted?.read();
		await until(() => calls.some(([name]) => name === "onError"));
		expect(names(pair)).not.toContain("onError");
	});

	test("what the old one has written still counts against the new one's room", async () => {
		const pair = await connect();
		pair.tcp.write(new Uint8Array(1000));
		const calls: Pair["calls"] = [];
		const tcp = closedAfterwards(new TCP({ from: pair.tcp, ...remember(calls) }));
		expect(() => tcp.write(new Uint8Array(SEND_BUFFER - 999))).toThrow("would block");
		await until(() => calls.some(([, count]) => count === SEND_BUFFER));
	});

	test("a connection that a Listener read is adopted with all its bytes", async () => {
		chipForTest();
		const listener = new Listener({});
		onTestFinished(() => listener.close());
		const peer = createConnection({ host: ADDRESS, port: listener.port });
		onTestFinished(() => void peer.destroy());
		peer.on("error", () => {});
		peer.write("12345");
		let read: TCP | undefined;
		await until(() => {
			read ??= listener.read();
			return read !== undefined;
		});
		const calls: Pair["calls"] = [];
		const tcp = closedAfterwards(new TCP({ ...(read && { from: read }), ...remember(calls) }));
		await until(() => calls.some(([name]) => name === "onReadable"));
		expect(text(tcp.read())).toBe("12345");
		expect(tcp.remoteAddress).toBe(ADDRESS);
	});
});
