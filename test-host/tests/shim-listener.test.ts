import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import Listener from "../shims/listener";
import TCP from "../shims/tcp";
import { chipForTest, foreignReceivers, membersOf, quiet, until } from "./shim-bench";

const ADDRESS = "127.0.0.1";

type Options = ConstructorParameters<typeof Listener>[0];

/** A listener that lives as long as the test, and the counts of its onReadable. */
function listen(options: Options = {}): { listener: Listener; readable: number[] } {
	chipForTest();
	const readable: number[] = [];
	const listener = new Listener({
		...options,
		onReadable(connections) {
			readable.push(connections);
			options.onReadable?.call(this, connections);
		},
	});
	onTestFinished(() => listener.close());
	return { listener, readable };
}

function peerOf({ port }: Listener): Socket {
	const peer = createConnection({ host: ADDRESS, port });
	peer.on("error", () => {});
	onTestFinished(() => void peer.destroy());
	return peer;
}

describe("opening", () => {
	test("without options it is a TypeError", () => {
		expect(() => Reflect.construct(Listener, [])).toThrow(TypeError);
	});

	test("port 0 gets any, which can be read at once and is told to the world", () => {
		const told: unknown[] = [];
		chipForTest({ listening: (protocol, port) => told.push(protocol, port) });
		const listener = new Listener({ port: 0 });
		onTestFinished(() => listener.close());
		expect(listener.port).toBeGreaterThan(0);
		expect(told).toEqual(["tcp", listener.port]);
	});

	test("a taken port is an Error of the constructor", async () => {
		const other = createServer().listen(0);
		await once(other, "listening");
		onTestFinished(() => void other.close());
		const address = other.address();
		const port = address && typeof address === "object" ? address.port : 0;
		chipForTest();
		expect(() => new Listener({ port })).toThrow("socket bind");
	});

	test.each([-1, 65536])("port %i is a RangeError", (port) => {
		chipForTest();
		expect(() => new Listener({ port })).toThrow(RangeError);
	});

	test("the format is socket/tcp, any other a RangeError", () => {
		const { listener } = listen();
		expect(() => {
			listener.format = "buffer";
		}).toThrow(RangeError);
		expect(() => new Listener({ format: "buffer" })).toThrow(RangeError);
		expect(listener.format).toBe("socket/tcp");
	});

	test("the target is a property of the instance", () => {
		const target = {};
		expect(listen({ target }).listener.target).toBe(target);
	});
});

describe("connections", () => {
	test("where none waits, reading gives undefined", () => {
		expect(listen().listener.read()).toBeUndefined();
	});

	test("onReadable has the instance as this, and tells how many wait", async () => {
		const seen: unknown[] = [];
		const { listener, readable } = listen({
			onReadable() {
				seen.push(this);
			},
		});
		peerOf(listener);
		peerOf(listener);
		await until(() => readable.at(-1) === 2);
		expect(seen[0]).toBe(listener);
		expect([listener.read(), listener.read()].every((tcp) => tcp instanceof TCP)).toBe(true);
		expect(listener.read()).toBeUndefined();
	});

	test("a connection left waiting is not told again", async () => {
		const { listener, readable } = listen();
		peerOf(listener);
		await until(() => readable.length > 0);
		await quiet();
		expect(readable).toEqual([1]);
	});

	test("what was read may be written to at once, and closed without having been adopted", async () => {
		const { listener, readable } = listen();
		const peer = peerOf(listener);
		const chunks: Buffer[] = [];
		peer.on("data", (chunk) => chunks.push(chunk));
		await until(() => readable.length > 0);
		const tcp = listener.read();
		tcp?.write(Buffer.from("busy"));
		await until(() => chunks.length > 0);
		tcp?.close();
		await new Promise((closed) => peer.once("close", closed));
		expect(Buffer.concat(chunks).toString()).toBe("busy");
	});

	test("one that had its bytes and its end before it was read gives both", async () => {
		const { listener, readable } = listen();
		peerOf(listener).end("request");
		await until(() => readable.length > 0);
		await quiet();
		const from = listener.read();
		const calls: string[] = [];
		const tcp = new TCP({
			...(from && { from }),
			onReadable() {
				calls.push(Buffer.from(this.read() as ArrayBuffer).toString());
			},
			onError() {
				calls.push("end");
			},
		});
		onTestFinished(() => tcp.close());
		await until(() => calls.includes("end"));
		expect(calls.slice(0, 2)).toEqual(["request", "end"]);
	});
});

describe("closing", () => {
	test("it ends the connections that nobody read", async () => {
		const { listener, readable } = listen();
		const peer = peerOf(listener);
		peer.resume();
		await until(() => readable.length > 0);
		const failed = new Promise((resolve) => peer.once("error", resolve));
		listener.close();
		expect(await failed).toMatchObject({ code: "ECONNRESET" });
	});

	test("it leaves those that were read", async () => {
		const { listener, readable } = listen();
		const peer = peerOf(listener);
		await until(() => readable.length > 0);
		const tcp = listener.read();
		onTestFinished(() => tcp?.close());
		listener.close();
		tcp?.write(Buffer.from("still here"));
		const [chunk] = await once(peer, "data");
		expect(`${chunk}`).toBe("still here");
	});

	test("nobody can connect afterwards, and no callback comes", async () => {
		const { listener, readable } = listen();
		const peer = peerOf(listener);
		listener.close();
		await new Promise((closed) => peer.once("close", closed));
		await quiet();
		expect(readable).toEqual([]);
	});

	test("it may be closed any number of times", () => {
		const { listener } = listen();
		listener.close();
		listener.close();
	});

	test("read and port throw SyntaxError afterwards", () => {
		const { listener } = listen();
		listener.close();
		expect(() => listener.read()).toThrow(SyntaxError);
		expect(() => listener.port).toThrow(SyntaxError);
	});

	test("methods on a foreign receiver throw SyntaxError", () => {
		for (const receiver of foreignReceivers) {
			for (const [name, call] of membersOf(Listener.prototype)) {
				// The SDK's accessor is a constant, written in JavaScript.
				if (name !== "format") expect(() => call(receiver), name).toThrow(SyntaxError);
			}
		}
	});
});
