/** The stand-in for the SDK's TLS: on Node only, where there is a library for it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TlsOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { installGlobals } from "../shims/globals";
import HTTPClient from "../shims/http-client";
import Resolver from "../shims/resolver";
import TCP from "../shims/tcp";
import TLSSocket from "../shims/tls";
import UDP from "../shims/udp";
import { hasXS } from "./engines";
import { chipForTest, quiet, until } from "./shim-bench";
import { main, start } from "./xs-bench";

interface Pair {
	key: string;
	/** PEM. */
	certificate: string;
}

let folder: string;
let root: Pair;
let stranger: Pair;
let server: Pair;
let expired: Pair;
let nameless: Pair;

const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });

function selfSigned(name: string): Pair {
	const days = ["-days", "30", "-subj", `/CN=${name}`];
	openssl(
		"req",
		"-x509",
		"-newkey",
		"rsa:2048",
		"-nodes",
		"-keyout",
		`${name}.key`,
		"-out",
		`${name}.pem`,
		...days,
	);
	return pair(name);
}

function signed(name: string, extension: string, days: number): Pair {
	writeFileSync(join(folder, `${name}.ext`), extension);
	openssl(
		"req",
		"-newkey",
		"rsa:2048",
		"-nodes",
		"-keyout",
		`${name}.key`,
		"-out",
		`${name}.csr`,
		"-subj",
		"/CN=board.test",
	);
	const by = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", `${days}`];
	openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, ...by, "-extfile", `${name}.ext`);
	return pair(name);
}

function pair(name: string): Pair {
	const read = (extension: string) => readFileSync(join(folder, `${name}.${extension}`), "utf8");
	return { key: read("key"), certificate: read("pem") };
}

function der({ certificate }: Pair): ArrayBuffer {
	const base64 = certificate.replace(/-----[^-]+-----/g, "");
	const bytes = Buffer.from(base64, "base64");
	return new Uint8Array(bytes).buffer;
}

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "ota8266-tls-"));
	root = selfSigned("root");
	stranger = selfSigned("stranger");
	server = signed("server", "subjectAltName=DNS:board.test,DNS:*.wild.test,IP:127.0.0.1", 30);
	expired = signed("expired", "subjectAltName=DNS:board.test", -1);
	nameless = signed("nameless", "basicConstraints=CA:FALSE", 30);
});

afterAll(() => rmSync(folder, { recursive: true }));

type ServerOptions = TlsOptions & { answer?: string; question?: string; alone?: boolean };

interface Peer {
	port: number;
	/** All that came, decrypted. */
	received(): string;
	sockets: Socket[];
}

/** A server with a certificate and the root's behind it, which gives `answer` once all of `question` came. */
async function serve(own: Pair, options: ServerOptions = {}): Promise<Peer> {
	const { answer, question = "?", alone, ...more } = options;
	const sockets: Socket[] = [];
	let received = "";
	const cert = own.certificate + (alone ? "" : root.certificate);
	const tls = createServer({ key: own.key, cert, ...more }, (socket) => {
		sockets.push(socket);
		socket.on("error", () => {});
		socket.setEncoding("latin1").on("data", (data: string) => {
			received += data;
			if (answer !== undefined && received.endsWith(question)) socket.write(answer);
		});
	});
	tls.on("tlsClientError", () => {});
	await new Promise<void>((resolve) => tls.listen(0, "127.0.0.1", resolve));
	onTestFinished(() => {
		for (const socket of sockets) socket.destroy();
		tls.close();
	});
	const address = tls.address();
	return {
		port: typeof address === "object" && address ? address.port : 0,
		received: () => received,
		sockets,
	};
}

type Options = ConstructorParameters<typeof TLSSocket>[0];

/** A connection whose TCP tells what its callbacks throw. */
function connect(port: number, secure: Options["secure"] = {}, options: Partial<Options> = {}) {
	const told: string[] = [];
	class Guarded extends TCP {
		constructor(given: ConstructorParameters<typeof TCP>[0]) {
			super({
				...given,
				onReadable(this: TCP, bytes: number) {
					try {
						given.onReadable?.call(this, bytes);
					} catch (error) {
						told.push(`threw ${error}`);
					}
				},
			});
		}
	}
	chipForTest();
	installGlobals();
	const socket = new TLSSocket({
		TCP: { io: Guarded as Options["TCP"]["io"] },
		address: "127.0.0.1",
		port,
		host: "board.test",
		secure: { certificate: der(root), ...secure },
		onReadable: (bytes: number) => told.push(`readable ${bytes}`),
		onWritable: (bytes: number) => told.push(`writable ${bytes}`),
		onError: () => told.push("error"),
		...options,
	} as Options);
	onTestFinished(() => socket.close());
	return { socket, told, tells: (text: string) => until(() => told.some((one) => one.includes(text))) };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (it: unknown) => new TextDecoder().decode(it as ArrayBuffer);

describe("a TLS socket takes a server", () => {
	test.each([
		["whose certificate leads to the root that was given", {}, {}],
		["under the name in `secure`, not the host's", { serverName: "BOARD.test" }, { host: "else.test" }],
		["by a wildcard, which stands for one part", { serverName: "a.wild.test" }, {}],
		["by its address", { serverName: "127.0.0.1" }, {}],
		["whatever it is, where nothing is to be verified", { serverName: "else.test", verify: false }, {}],
	])("%s", async (_what, secure, options) => {
		const { port } = await serve(server);
		const { tells, told } = connect(port, secure, options);
		await tells("writable");
		expect(told).not.toContain("error");
	});

	test("of TLS 1.2 with the SDK's suites, and tells it the name", async () => {
		let name: string | false | undefined;
		const peer = await serve(server, {
			SNICallback: (given, done) => {
				name = given;
				done(null);
			},
		});
		await connect(peer.port).tells("writable");
		await until(() => peer.sockets.length > 0);
		const [socket] = peer.sockets as unknown as { getProtocol(): string; getCipher(): { name: string } }[];
		expect(socket?.getProtocol()).toBe("TLSv1.2");
		expect(socket?.getCipher().name).toBe("ECDHE-RSA-AES128-GCM-SHA256");
		expect(name).toBe("board.test");
	});
});

describe("a TLS socket refuses a server, by an exception from the TCP's onReadable,", () => {
	const refused = async (peer: Peer, secure: Options["secure"] = {}, text = "certificate: auth err") => {
		const { tells, told } = connect(peer.port, secure);
		await tells(`threw Error: TLS: ${text}`);
		await quiet();
		expect(told.join()).not.toContain("writable");
		expect(peer.received()).toBe("");
	};

	test("whose certificate another root signed, or where none was given", async () => {
		const peer = await serve(server);
		await refused(peer, { certificate: der(stranger) });
		await refused(peer, { certificate: undefined } as unknown as Options["secure"]);
	});

	test("of another name", async () => {
		const peer = await serve(server);
		for (const serverName of ["else.test", "wild.test", "a.b.wild.test", "127.0.0.2"])
			await refused(peer, { serverName });
	});

	test("whose name is in the subject only", async () => {
		await refused(await serve(nameless));
	});

	test("whose certificate is not valid at this time", async () => {
		await refused(await serve(expired));
	});

	test("that sends its own certificate only, as a self-signed one does, though it is the root that was given", async () => {
		await refused(await serve(server, { alone: true }));
		await refused(await serve(root, { alone: true }), { serverName: "root" });
	});

	test("that knows TLS 1.3 only, or none of the suites", async () => {
		await refused(await serve(server, { minVersion: "TLSv1.3" }), {}, "");
		await refused(
			await serve(server, { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-CHACHA20-POLY1305" }),
			{},
			"",
		);
	});
});

test("a TLS socket with a root that is not valid at this time can't be made", () => {
	expect(() => connect(1, { certificate: der(expired) })).toThrow("date validation failed");
});

describe("a TLS socket", () => {
	const ready = async (options: ServerOptions = {}, given: Partial<Options> = {}) => {
		const peer = await serve(server, options);
		const connection = connect(peer.port, {}, given);
		await connection.tells("writable");
		return { peer, ...connection };
	};

	test("sends what is written, and tells how much more may be", async () => {
		const { peer, socket, told } = await ready();
		const [writable = 0] = told.map((one) => Number(one.split(" ")[1]));
		expect(writable).toBeLessThanOrEqual(2920 - 96);
		expect(() => socket.write(new Uint8Array(3000))).toThrow("would block");
		const left = socket.write(bytes("hello"));
		expect(left).toBeGreaterThan(1000);
		expect(left).toBeLessThan(2920);
		socket.write(new DataView(bytes(" world").buffer));
		await until(() => peer.received() === "hello world");
	});

	test("does not write before the handshake is done", async () => {
		const { port } = await serve(server);
		expect(() => connect(port).socket.write(bytes("a"))).toThrow("not ready");
	});

	test("tells of a record, and of the next one when that one is read", async () => {
		const { socket, tells, told, peer } = await ready({ answer: "abcdef" });
		socket.write(bytes("?"));
		await tells("readable 6");
		peer.sockets[0]?.write("ghi");
		await quiet();
		expect(told.at(-1)).toBe("readable 6");
		expect(textOf(socket.read(2))).toBe("ab");
		expect(() => socket.read(5)).toThrow("invalid");
		const view = new Uint8Array(3);
		expect([socket.read(view), textOf(view)]).toEqual([3, "cde"]);
		expect(textOf(socket.read())).toBe("f");
		expect(socket.read()).toBeUndefined();
		await tells("readable 3");
		socket.format = "number";
		expect([socket.read(), socket.read(), socket.read(), socket.read()]).toEqual([103, 104, 105, undefined]);
	});

	test("does not fill an ArrayBuffer", async () => {
		const { socket, tells } = await ready({ answer: "abcdef" });
		socket.write(bytes("?"));
		await tells("readable 6");
		expect(() => socket.read(new ArrayBuffer(3))).toThrow(RangeError);
	});

	test("has the TCP's formats", async () => {
		const { socket } = await ready();
		expect(socket.format).toBe("buffer");
		expect(() => {
			socket.format = "text";
		}).toThrow(RangeError);
	});

	test("gets records larger than the window", async () => {
		const { socket, tells } = await ready({ answer: "x".repeat(16_384) });
		socket.write(bytes("?"));
		await tells("readable 16384");
		expect(textOf(socket.read())).toBe("x".repeat(16_384));
	});

	test("tells of the end after what came before", async () => {
		const { peer, socket, tells, told } = await ready();
		await until(() => peer.sockets.length > 0);
		peer.sockets[0]?.end("bye");
		await tells("readable 3");
		await quiet();
		expect(told).not.toContain("error");
		socket.read();
		await tells("error");
	});

	test("tells where nobody listens", async () => {
		await connect(1).tells("error");
	});

	test("calls nobody any more once it is closed", async () => {
		const { peer, socket, told } = await ready();
		await until(() => peer.sockets.length > 0);
		const before = told.length;
		socket.close();
		socket.close();
		peer.sockets[0]?.write("abc");
		await quiet();
		expect(told).toHaveLength(before);
		expect(() => socket.write(bytes("a"))).toThrow(TypeError);
	});
});

test("the HTTP client gets an answer over it", async () => {
	const peer = await serve(server, {
		question: "\r\n\r\n",
		answer: `HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n${"x".repeat(20_000)}`,
	});
	chipForTest();
	installGlobals();
	let length = 0;
	let done: Error | null | undefined;
	type ClientOptions = ConstructorParameters<typeof HTTPClient>[0];
	const client = new HTTPClient({
		host: "localhost",
		port: peer.port,
		socket: { io: TLSSocket, TCP: { io: TCP }, secure: { certificate: der(root), serverName: "board.test" } },
		dns: { io: Resolver, servers: [], socket: { io: UDP } },
	} as unknown as ClientOptions);
	onTestFinished(() => client.close());
	client.request({
		path: "/firmware",
		onReadable(count) {
			length += (this.read(count) as ArrayBuffer).byteLength;
		},
		onDone(error) {
			done = error;
		},
	});
	await until(() => done !== undefined);
	expect([done, length]).toEqual([null, 20_000]);
	expect(peer.received()).toBe("GET /firmware HTTP/1.1\r\nhost: localhost\r\n\r\n");
});

test.runIf(hasXS || process.env.CI)("the XS engine has no TLS, and says so", async () => {
	const body = "try { new TLSSocket({}); } catch (e) { trace(e.message); }";
	const host = start([main(body, 'import TLSSocket from "embedded:io/socket/tcp/tls";')]);
	await host.says("TLS is not in this engine");
});
