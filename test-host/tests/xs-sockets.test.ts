/** The sockets of the XS engine's host behave as the SDK's lwIP port does: what the tests of Node's shims prove there. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { skipsXS, xsNote } from "./native-bench";
import { quiet, until } from "./shim-bench";
import { type Host, IMPORTS, main, output, start } from "./xs-bench";

const WINDOW = 4 * 1460;
const SEND_BUFFER = 2 * 1460;

const run = (body: string): Host => start([main(body, IMPORTS)]);
const thrown = (statement: string) =>
	`try { ${statement}; trace("nothing "); } catch (e) { trace(e.constructor.name, " "); }`;

interface Peer {
	host: Host;
	socket: Socket;
	/** All that came. */
	received(): string;
	ended(): boolean;
	reset(): boolean;
}

/** Runs a body that connects to `port`, and gives the other end. */
async function connected(body: (port: number) => string): Promise<Peer> {
	const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
	await once(server, "listening");
	onTestFinished(() => void server.close());
	const address = server.address();
	const host = run(body(address && typeof address === "object" ? address.port : 0));
	const [socket] = (await once(server, "connection")) as [Socket];
	return { host, socket, ...watch(socket) };
}

function watch(socket: Socket): Pick<Peer, "received" | "ended" | "reset"> {
	let text = "";
	let end = false;
	let reset = false;
	socket.setEncoding("latin1");
	socket.on("data", (data: string) => {
		text += data;
	});
	socket.on("end", () => {
		end = true;
	});
	socket.on("error", () => {
		reset = true;
	});
	onTestFinished(() => void socket.destroy());
	return { received: () => text, ended: () => end, reset: () => reset };
}

/** A TCP whose callbacks are traced, and what else onReadable does. */
const tcp = (port: number, onReadable = "") => `
	const tcp = new TCP({
		address: "127.0.0.1", port: ${port}, target: "mine",
		onReadable(count) { trace("readable ", count, "\\n"); ${onReadable} },
		onWritable(count) { trace("writable ", count, "\\n"); },
		onError() { trace("error\\n"); },
	});`;

describe.skipIf(skipsXS)(`TCP in the XS host${xsNote}`, () => {
	test("tells that it stands, and of new bytes, with the count of all that waits", async () => {
		const { host, socket } = await connected((port) => tcp(port));
		await host.says(`writable ${SEND_BUFFER}\n`);
		socket.write("abc");
		await host.says("readable 3\n");
		socket.write("de");
		await host.says("readable 5\n");
		await quiet();
		expect(host.uart()).toBe(`writable ${SEND_BUFFER}\nreadable 3\nreadable 5\n`);
	});

	test("reads all, so many, or as many as a buffer has, and nothing where there is nothing", async () => {
		const { host, socket } = await connected((port) =>
			tcp(
				port,
				`
				trace(String.fromArrayBuffer(this.read(2)), " ");
				const view = new Uint8Array(8);
				trace(this.read(view.subarray(1, 4)), " ", view, " ");
				${thrown("this.read(100)")}${thrown("this.read(0)")}${thrown("this.read(-1)")}${thrown("this.read({})")}
				trace(String.fromArrayBuffer(this.read()), " ", this.read(), " end");`,
			),
		);
		socket.write("abcdefgh");
		await host.says("end");
		expect(host.uart()).toContain("ab 3 0,99,100,101,0,0,0,0 Error Error Error TypeError fgh undefined end");
	});

	test("takes no more than its window, until what is in it is read", async () => {
		const { host, socket } = await connected(
			(port) => `
			let all = 0;
			${tcp(port, "if (count > 5000) Timer.set(() => { while (this.read(1460)) { all += 1460; if (all % 5840 === 0) break; } trace('read ', all, '\\n'); }, 20);")}`,
		);
		socket.write(Buffer.alloc(3 * WINDOW));
		await host.says(`read ${3 * WINDOW}`);
		const counts = [...host.uart().matchAll(/readable (\d+)/g)].map(([, count]) => Number(count));
		expect(Math.max(...counts)).toBe(WINDOW);
	});

	test("in format number gives and takes one byte", async () => {
		const peer = await connected(
			(port) => `
			const tcp = new TCP({ address: "127.0.0.1", port: ${port}, format: "number",
				onWritable() { if (this.sent) return; this.sent = true; this.write(65); ${thrown("this.write(ArrayBuffer.fromString('b'))")} },
				onReadable(count) { trace(this.format, count, " ", this.read(), " ", this.read(), " ", this.read(), " end"); },
			});`,
		);
		await until(() => peer.received() === "A");
		peer.socket.write(Buffer.of(7, 8));
		await peer.host.says("end");
		expect(peer.host.uart()).toContain("number2 7 8 undefined end");
	});

	test("sends, says what may still be sent, and refuses more than that whole", async () => {
		const peer = await connected(
			(port) => `
			const tcp = new TCP({ address: "127.0.0.1", port: ${port},
				onWritable(count) {
					if (this.done) return;
					this.done = true;
					trace(this.write(new Uint8Array(1000).fill(65)), " ");
					${thrown("this.write(new Uint8Array(1921))")}${thrown("this.write(5)")}
					trace(this.write(new Uint8Array(1920).fill(66)), " end");
				},
			});`,
		);
		await peer.host.says("end");
		expect(peer.host.uart()).toBe("1920 Error TypeError 0 end");
		await until(() => peer.received().length === SEND_BUFFER);
		expect(peer.received()).toBe("A".repeat(1000) + "B".repeat(1920));
	});

	test("is writable again when what it wrote was taken", async () => {
		const { host } = await connected(
			(port) => `
			let calls = 0;
			new TCP({ address: "127.0.0.1", port: ${port}, onWritable(count) {
				trace(count, " ");
				if (++calls < 4) this.write(new Uint8Array(count));
			} });`,
		);
		await host.says(`${SEND_BUFFER} `.repeat(4));
	});

	test("may not be written to before it stands", async () => {
		const peer = await connected(
			(port) => `${tcp(port)}${thrown("tcp.write(new Uint8Array(1))")}trace(tcp.read(), tcp.remoteAddress);`,
		);
		await peer.host.says("Error undefinedundefined");
	});

	test("tells the end after everything was read", async () => {
		const { host, socket } = await connected((port) =>
			tcp(port, "Timer.set(() => { trace('late\\n'); this.read(); trace('after\\n'); }, 30);"),
		);
		socket.end("abc");
		await host.says("error");
		expect(host.uart()).toBe(`writable ${SEND_BUFFER}\nreadable 3\nlate\nafter\nerror\n`);
	});

	test("tells that nobody listens", async () => {
		const server = createServer().listen(0, "127.0.0.1");
		await once(server, "listening");
		const address = server.address();
		const port = address && typeof address === "object" ? address.port : 0;
		server.close();
		await once(server, "close");
		const host = run(tcp(port));
		await host.says("error");
		expect(host.uart()).toBe("error\n");
	});

	test("tells a reset", async () => {
		const { host, socket } = await connected((port) => tcp(port));
		await host.says("writable");
		socket.resetAndDestroy();
		await host.says("error");
	});

	test("closed resets, and what was written since the event loop turned is lost", async () => {
		const peer = await connected(
			(port) => `new TCP({ address: "127.0.0.1", port: ${port},
			onWritable() { if (!this.sent) this.write(new Uint8Array(1000).fill(65)); this.sent = true; },
			onReadable() { this.read(); this.write(new Uint8Array(1000).fill(66)); this.close(); this.close(); } });`,
		);
		await until(() => peer.received().length > 0);
		peer.socket.write("close");
		await until(() => peer.reset());
		expect(peer.received()).toBe("A".repeat(1000));
		expect(peer.ended()).toBe(false);
	});

	test("closed after the peer has ended its side, and has all, ends orderly", async () => {
		const peer = await connected(
			(port) => `new TCP({ address: "127.0.0.1", port: ${port},
			onWritable() { if (!this.sent) this.write(new Uint8Array(1000)); this.sent = true; },
			onError() { this.close(); } });`,
		);
		await until(() => peer.received().length === 1000);
		peer.socket.end();
		await until(() => peer.ended());
		await quiet();
		expect(peer.reset()).toBe(false);
	});

	test("closed on unread bytes resets", async () => {
		const peer = await connected((port) => tcp(port, "this.close();"));
		peer.socket.write("abc");
		await until(() => peer.reset() || peer.socket.destroyed);
		expect(peer.reset()).toBe(true);
		await quiet();
		expect(peer.host.uart()).toBe(`writable ${SEND_BUFFER}\nreadable 3\n`);
	});

	test("closed by a callback is not called any more", async () => {
		const { host, socket } = await connected(
			(port) => `
			const tcp = new TCP({ address: "127.0.0.1", port: ${port},
				onReadable() { trace("readable "); this.read(); this.close(); }, onError() { trace("error "); } });`,
		);
		socket.end("abc");
		await host.says("readable");
		await quiet();
		expect(host.uart()).toBe("readable ");
	});

	test("has its target, and knows the peer", async () => {
		const peer = await connected(
			(port) => `${tcp(port)}
			Timer.set(() => trace(tcp.target, tcp.remoteAddress, " ", tcp.remotePort, " end"), 20);`,
		);
		await peer.host.says("end");
		expect(peer.host.uart()).toContain(`mine127.0.0.1 ${peer.socket.localPort} end`);
	});

	test("is adopted with all that it holds, once", async () => {
		const peer = await connected(
			(port) => `${tcp(port)}
			Timer.set(() => {
				const next = new TCP({ from: tcp, target: "next",
					onReadable(count) { trace(this.target, " ", count, " ", String.fromArrayBuffer(this.read()), " ", this.format, " "); },
					onWritable() { trace("next writable\\n"); } });
				${thrown("new TCP({ from: tcp })")}${thrown("tcp.read()")}${thrown("new TCP({ from: {} })")}
			}, 40);`,
		);
		peer.socket.write("abc");
		await peer.host.says("next writable");
		expect(peer.host.uart()).toContain("SyntaxError SyntaxError SyntaxError next 3 abc buffer next writable");
		peer.socket.write("more");
		await peer.host.says("next 4 more");
	});

	test("refuses wrong options", async () => {
		const body = [
			"new TCP({ address: 'tomato', port: 1 })",
			"new TCP({ address: '127.0.0.1' })",
			"new TCP({ address: '127.0.0.1', port: 65536 })",
			"new TCP({ address: '127.0.0.1', port: -1 })",
			"new TCP({ address: '127.0.0.1', port: 1, format: 'tomato' })",
			"new TCP({ address: '127.0.0.1', port: 1, onReadable: 5 })",
			"new TCP(undefined)",
		];
		expect(await output(body.map(thrown).join(""))).toBe(
			"Error Error RangeError RangeError RangeError Error TypeError ",
		);
	});

	test("closed, or another object, refuses everything but close", async () => {
		const members = ["read()", "write(new Uint8Array(1))", "remoteAddress", "remotePort", "format"];
		const body = `const it = new TCP({ address: "127.0.0.1", port: 9 }); it.close(); it.close();
			${members.map((member) => thrown(`it.${member}`)).join("")}
			${thrown("it.format = 'buffer'")}${thrown("TCP.prototype.read.call({})")}${thrown("TCP.prototype.close.call([])")}
			${thrown("TCP.prototype.close.call(new Digest('MD5'))")}`;
		expect(await output(body)).toBe("SyntaxError ".repeat(9));
	});
});

describe.skipIf(skipsXS)(`Listener in the XS host${xsNote}`, () => {
	const echo = `
		const listener = new Listener({ port: 0, target: "mine", onReadable(count) {
			trace(this.target, " ", count, " ", this.port, " ", this.format, "\\n");
			for (let from = this.read(); from; from = this.read()) new TCP({ from, onReadable() { this.write(this.read()); } });
		} });`;
	const connectTo = async (host: Host) => {
		const socket = createConnection(await host.listening(), "127.0.0.1");
		const peer = watch(socket);
		await once(socket, "connect");
		return { socket, ...peer };
	};

	test("gives connections to adopt, with what came before", async () => {
		const host = run(echo);
		const first = await connectTo(host);
		const second = await connectTo(host);
		first.socket.write("one");
		second.socket.write("two");
		await until(() => first.received() === "one" && second.received() === "two");
		expect(host.uart()).toContain(`mine 1 ${await host.listening()} socket/tcp\n`);
	});

	test("has nothing to read where nobody came", async () => {
		expect(await output("const l = new Listener({}); trace(l.read(), l.port > 0);")).toBe("undefinedtrue");
	});

	test("closed takes no more, and what nobody took is closed", async () => {
		const host = run(`const l = new Listener({ onReadable() { trace("came "); this.close(); } });`);
		const socket = createConnection(await host.listening(), "127.0.0.1");
		const peer = watch(socket);
		await host.says("came");
		await until(() => peer.reset());
	});

	test("refuses a port that is taken or none, wrong options, and use after close", async () => {
		const body = [
			"new Listener({ port: l.port })",
			"new Listener({ port: 70000 })",
			"new Listener({ port: undefined })",
			"new Listener({ onReadable: 5 })",
			"new Listener({ format: 'buffer' })",
			"new Listener()",
			"l.close(); l.close(); l.read()",
			"l.port",
		];
		expect(await output(`const l = new Listener({ port: 0 }); ${body.map(thrown).join("")}`)).toBe(
			"Error RangeError Error Error RangeError TypeError SyntaxError SyntaxError ",
		);
	});
});

describe.skipIf(skipsXS)(`UDP in the XS host${xsNote}`, () => {
	const open = () => {
		const socket = createSocket("udp4");
		const messages: string[] = [];
		socket.on("message", (message) => messages.push(message.toString()));
		onTestFinished(() => void socket.close());
		return { socket, messages };
	};

	test("receives and sends", async () => {
		const host = run(`new UDP({ port: 0, target: "mine", onReadable(count) {
			for (; count > 0; count--) {
				const packet = this.read();
				trace(this.target, " ", packet.byteLength, " ", packet.address, " ", packet.port, "\\n");
				this.write(new Uint8Array(packet), packet.address, packet.port);
			}
			trace(this.read(), "\\n");
		} });`);
		const { socket, messages } = open();
		const port = await host.listening();
		socket.send("hello", port, "127.0.0.1");
		socket.send("", port, "127.0.0.1");
		await until(() => messages.length === 2);
		await host.says("mine 0");
		const own = socket.address().port;
		expect(messages).toEqual(["hello", ""]);
		expect(host.uart().replaceAll("undefined\n", "")).toBe(
			`mine 5 127.0.0.1 ${own}\nmine 0 127.0.0.1 ${own}\n`,
		);
	});

	test("tells of all that came meanwhile at once", async () => {
		const host = run(
			`new UDP({ onReadable(count) { trace(count, " "); while (this.read()); } }); Timer.set(() => { const end = Date.now() + 80; while (Date.now() < end); }, 0); trace("up");`,
		);
		const { socket } = open();
		const port = await host.listening();
		for (const text of ["a", "b", "c"]) socket.send(text, port, "127.0.0.1");
		await until(
			() => [...host.uart().slice(2).matchAll(/\d+/g)].reduce((sum, [n]) => sum + Number(n), 0) === 3,
		);
	});

	test("refuses a port that is taken or none, an address that is none, and use after close", async () => {
		const { socket } = open();
		socket.bind(0);
		await once(socket, "listening");
		const body = [
			`new UDP({ port: ${socket.address().port} })`,
			"new UDP({ port: 70000 })",
			"new UDP({ onReadable: 5 })",
			"new UDP({ format: 'tomato' })",
			"u.write(new Uint8Array(1), 'tomato', 9)",
			"u.write(5, '127.0.0.1', 9)",
			"u.format = 'number'",
			"u.close(); u.close(); u.read()",
			"u.write(new Uint8Array(1), '127.0.0.1', 9)",
			"UDP.prototype.read.call({})",
		];
		expect(await output(`const u = new UDP({}); trace(u.format, " "); ${body.map(thrown).join("")}`)).toBe(
			"buffer Error RangeError Error RangeError RangeError TypeError RangeError SyntaxError SyntaxError SyntaxError ",
		);
	});
});

describe.skipIf(skipsXS)(`DNS-SD in the XS host${xsNote}`, () => {
	test("tells the parent what is advertised, once the name is claimed", async () => {
		const body = `
			const dnssd = new DNSSD({ socket: { io: UDP } });
			dnssd.claim({ host: "board", onReady() {
				trace("ready ");
				dnssd.advertise({ serviceType: "_arduino._tcp", host: "board", port: 8266, txt: new Map([["a", 'q"'], ["b", "2"]]) });
				trace("end");
			} });
			trace("claimed ");`;
		const host = start([main(body, `${IMPORTS} import DNSSD from "embedded:network/dnssd";`)]);
		await host.says("claimed ready end");
		await until(() => host.events().some(({ advertise }) => advertise));
		expect(host.events().find(({ advertise }) => advertise)?.advertise).toEqual({
			host: "board",
			name: "board",
			serviceType: "_arduino._tcp",
			port: 8266,
			txt: { a: 'q"', b: "2" },
		});
	});
});
