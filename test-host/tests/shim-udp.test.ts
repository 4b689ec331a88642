import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import UDP from "../shims/udp";
import { chipForTest, foreignReceivers, membersOf, quiet, until } from "./shim-bench";

const ADDRESS = "127.0.0.1";

type Options = ConstructorParameters<typeof UDP>[0];

interface Bound {
	udp: UDP;
	port: number;
	/** The counts of onReadable. */
	readable: number[];
}

function open(options: Options = {}): Bound {
	let port = 0;
	const readable: number[] = [];
	chipForTest({
		listening: (protocol, bound) => {
			if (protocol === "udp") port = bound;
		},
	});
	const udp = new UDP({
		...options,
		onReadable(packets) {
			readable.push(packets);
			options.onReadable?.call(this, packets);
		},
	});
	onTestFinished(() => udp.close());
	return { udp, port, readable };
}

async function peerSocket(): Promise<Socket> {
	const peer = createSocket("udp4");
	peer.bind(0, ADDRESS);
	await once(peer, "listening");
	onTestFinished(() => void peer.close());
	return peer;
}

const text = (bytes: ArrayBuffer | undefined) => bytes && Buffer.from(bytes).toString();

describe("opening", () => {
	test("without options it is a TypeError", () => {
		expect(() => Reflect.construct(UDP, [])).toThrow(TypeError);
	});

	test("port 0 gets any, and the world is told which", () => {
		expect(open({ port: 0 }).port).toBeGreaterThan(0);
	});

	test("a taken port is an Error of the constructor", () => {
		const { port } = open();
		expect(() => new UDP({ port })).toThrow("EADDRINUSE");
	});

	test.each([-1, 65536])("port %i is a RangeError", (port) => {
		chipForTest();
		expect(() => new UDP({ port })).toThrow(RangeError);
	});

	test("a format other than buffer is a RangeError, in options too", () => {
		const { udp } = open();
		expect(() => {
			udp.format = "number";
		}).toThrow(RangeError);
		expect(() => new UDP({ format: "number" })).toThrow(RangeError);
		expect(udp.format).toBe("buffer");
	});

	test("the target is a property of the instance", () => {
		const target = {};
		expect(open({ target }).udp.target).toBe(target);
	});
});

describe("receiving", () => {
	test("a datagram is an ArrayBuffer with the sender's address and port", async () => {
		const { udp, port, readable } = open();
		const peer = await peerSocket();
		peer.send("hello", port, ADDRESS);
		await until(() => readable.length > 0);
		const packet = udp.read();
		expect(packet).toBeInstanceOf(ArrayBuffer);
		expect(text(packet)).toBe("hello");
		expect(packet?.address).toBe(ADDRESS);
		expect(packet?.port).toBe(peer.address().port);
	});

	test("where none waits, reading gives undefined", () => {
		expect(open().udp.read()).toBeUndefined();
	});

	test("onReadable has the instance as this, and tells how many wait", async () => {
		const seen: unknown[] = [];
		const { udp, port, readable } = open({
			onReadable() {
				seen.push(this);
			},
		});
		const peer = await peerSocket();
		for (const message of ["1", "2", "3"]) peer.send(message, port, ADDRESS);
		await until(() => readable.at(-1) === 3);
		expect([text(udp.read()), text(udp.read()), text(udp.read()), udp.read()]).toEqual([
			"1",
			"2",
			"3",
			undefined,
		]);
		expect(seen[0]).toBe(udp);
	});

	test("datagrams that come together are told of once", async () => {
		const { port, readable } = open();
		const peer = await peerSocket();
		for (let i = 0; i < 5; i++) peer.send("x", port, ADDRESS);
		await until(() => readable.at(-1) === 5);
		await quiet();
		expect(new Set(readable).size).toBe(readable.length);
	});

	test("a datagram left unread is not told again, but counted with the next one", async () => {
		const { port, readable } = open();
		const peer = await peerSocket();
		peer.send("first", port, ADDRESS);
		await until(() => readable.length > 0);
		await quiet();
		peer.send("second", port, ADDRESS);
		await until(() => readable.length > 1);
		expect(readable).toEqual([1, 2]);
	});

	test("an empty datagram is one", async () => {
		const { udp, port, readable } = open();
		(await peerSocket()).send("", port, ADDRESS);
		await until(() => readable.length > 0);
		expect(udp.read()?.byteLength).toBe(0);
	});
});

describe("sending", () => {
	test("buffers and views are sent as they were when they were written", async () => {
		const { udp, port } = open();
		const peer = await peerSocket();
		const came: string[] = [];
		peer.on("message", (message, from) => came.push(`${message} from ${from.port}`));
		const bytes = new Uint8Array(Buffer.from("0123"));
		const to = peer.address().port;
		udp.write(bytes.buffer, ADDRESS, to);
		udp.write(bytes.subarray(1, 3), ADDRESS, to);
		udp.write(new DataView(bytes.buffer, 3), ADDRESS, to);
		bytes.fill(0);
		await until(() => came.length === 3);
		expect(came).toEqual([`0123 from ${port}`, `12 from ${port}`, `3 from ${port}`]);
	});

	test.each(["localhost", "", "::1", undefined])("to the address %j it is a RangeError", (address) => {
		const { udp } = open();
		expect(() => Reflect.apply(udp.write, udp, [new Uint8Array(1), address, 5])).toThrow(RangeError);
	});

	test("what is no buffer of bytes is a TypeError", () => {
		const { udp } = open();
		for (const wrong of ["text", 5, undefined, {}, new Uint16Array(1)]) {
			expect(() => udp.write(wrong, ADDRESS, 5)).toThrow(TypeError);
		}
	});
});

describe("closing", () => {
	test("no callback comes after it for what was on its way", async () => {
		const { udp, port, readable } = open();
		const peer = await peerSocket();
		await new Promise<void>((sent) => peer.send("late", port, ADDRESS, () => sent()));
		udp.close();
		await quiet();
		expect(readable).toEqual([]);
	});

	test("closing in a callback is allowed, and any number of times", async () => {
		const { udp, port, readable } = open({
			onReadable() {
				this.close();
			},
		});
		(await peerSocket()).send("x", port, ADDRESS);
		await until(() => readable.length > 0);
		udp.close();
	});

	test("read and write throw SyntaxError afterwards", () => {
		const { udp } = open();
		udp.close();
		expect(() => udp.read()).toThrow(SyntaxError);
		expect(() => udp.write(new Uint8Array(1), ADDRESS, 5)).toThrow(SyntaxError);
	});

	test("methods on a foreign receiver throw SyntaxError", () => {
		for (const receiver of foreignReceivers) {
			for (const [name, call] of membersOf(UDP.prototype)) {
				// The SDK's accessor is a constant, written in JavaScript.
				if (name !== "format") expect(() => call(receiver), name).toThrow(SyntaxError);
			}
		}
	});
});
