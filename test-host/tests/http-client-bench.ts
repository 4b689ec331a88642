/** An HTTP client of the SDK's module on either engine, its script the same text, and a server that is told what to say. */
import { createServer } from "node:net";
import { compileFunction } from "node:vm";
import { onTestFinished } from "vitest";
import { installGlobals } from "../shims/globals";
import HTTPClient from "../shims/http-client";
import Resolver from "../shims/resolver";
import TCP from "../shims/tcp";
import Timer from "../shims/timer";
import UDP from "../shims/udp";
import type { EngineName } from "./engines";
import { type Peer, peerOf } from "./http-peer";
import { chipForTest, until } from "./shim-bench";
import { IMPORTS, main, start } from "./xs-bench";

const CLIENT_IMPORTS = `${IMPORTS}
	import HTTPClient from "embedded:network/http/client";
	import Resolver from "embedded:network/dns/resolver/udp";`;

/** What a script has: a client whose socket tells what its callbacks throw, and handlers that tell all. */
const PROLOGUE = `
	const bytes = (text) => ArrayBuffer.fromString(text);
	const guarded = (name, callback) => (count) => {
		try { callback(count); } catch (e) { trace(name, " threw ", e.constructor.name, "\\n"); }
	};
	class Guarded extends TCP {
		constructor(options) {
			super({
				...options,
				onReadable: guarded("onReadable", options.onReadable),
				onWritable: guarded("onWritable", options.onWritable),
				onError: guarded("onError", options.onError),
			});
		}
	}
	const onError = (e) => trace("client: ", e, "\\n");
	const dns = { io: Resolver, servers: ["127.0.0.1"], socket: { io: UDP } };
	const open = (more) => new HTTPClient({ host: "127.0.0.1", port, socket: { io: Guarded }, dns, onError, ...more });
	const tell = {
		onHeaders(status, headers, reason) {
			trace(status, " ", JSON.stringify(reason));
			headers.forEach((value, name) => trace(" ", name, "=", value));
			trace("\\n");
		},
		onReadable(count) {
			const body = this.read(count);
			trace(count, " ", body ? String.fromArrayBuffer(body) : body, "\\n");
		},
		onDone(error) { trace("done ", error, "\\n"); },
	};
`;

export interface Board {
	/** What the script traced so far. */
	told(): string;
	/** Waits until it has traced this. */
	tells(text: string): Promise<void>;
}

export interface Server {
	port: number;
	/** Waits for the next connection. */
	accepts(): Promise<Peer>;
	/** How many came. */
	connections(): number;
}

/** A server on this machine, until the test ends. */
export async function listen(): Promise<Server> {
	const peers: Peer[] = [];
	let accepted = 0;
	const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => peers.push(peerOf(socket)));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	onTestFinished(() => {
		for (const { socket } of peers) socket.destroy();
		server.close();
	});
	const address = server.address();
	return {
		port: typeof address === "object" && address ? address.port : 0,
		connections: () => peers.length,
		async accepts() {
			const index = accepted++;
			await until(() => peers.length > index);
			return peers[index] as Peer;
		},
	};
}

/** Runs a script that may use `open(options)`, `tell`, `bytes(text)`, `port`, Timer and the modules of the client. */
export function run(engine: EngineName, port: number, script: string): Board {
	const body = `const port = ${port}; ${PROLOGUE} ${script}`;
	return engine === "xs" ? onXS(body) : onNode(body);
}

function onXS(body: string): Board {
	const host = start([main(body, CLIENT_IMPORTS)]);
	return { told: host.uart, tells: host.says };
}

function onNode(body: string): Board {
	let told = "";
	const sockets: TCP[] = [];
	class TCPOfTest extends TCP {
		constructor(options: ConstructorParameters<typeof TCP>[0]) {
			super(options);
			sockets.push(this);
		}
	}
	chipForTest();
	installGlobals();
	onTestFinished(() => {
		for (const socket of sockets) socket.close();
	});
	const trace = (...texts: unknown[]) => {
		told += texts.map((text) => `${text}`).join("");
	};
	const names = ["HTTPClient", "Resolver", "TCP", "UDP", "Timer", "trace"];
	compileFunction(body, names)(HTTPClient, Resolver, TCPOfTest, UDP, Timer, trace);
	return { told: () => told, tells: (text) => until(() => told.includes(text)) };
}
