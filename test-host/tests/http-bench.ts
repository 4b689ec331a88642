/** An HTTP server of the SDK's module on either engine, its script the same text, and peers that talk to it. */
import { createConnection } from "node:net";
import { compileFunction } from "node:vm";
import { onTestFinished } from "vitest";
import { installGlobals } from "../shims/globals";
import HTTPServer from "../shims/http-server";
import Listener from "../shims/listener";
import Timer from "../shims/timer";
import type { EngineName } from "./engines";
import { type Peer, peerOf } from "./http-peer";
import { chipForTest, until } from "./shim-bench";
import { IMPORTS, main, start } from "./xs-bench";

export interface Server {
	port: number;
	/** What the script traced so far. */
	told(): string;
	/** Waits until it has traced this. */
	tells(text: string): Promise<void>;
}

/**
 * A script that accepts each connection with these handlers, the text of members; it may use Timer, `server`, and
 * `bytes(text)`. `more` runs once the server stands.
 */
export async function serve(engine: EngineName, handlers: string, more = ""): Promise<Server> {
	const body = `
		const bytes = (text) => ArrayBuffer.fromString(text);
		const handlers = { ${handlers} };
		const server = new HTTPServer({ io: Listener, port: 0, onConnect(connection) { connection.accept(handlers); } });
		${more}`;
	return engine === "xs" ? onXS(body) : onNode(body);
}

async function onXS(body: string): Promise<Server> {
	const host = start([main(body, `${IMPORTS} import HTTPServer from "embedded:network/http/server";`)]);
	return { port: await host.listening(), told: host.uart, tells: host.says };
}

function onNode(body: string): Server {
	let told = "";
	let port = 0;
	const listeners: Listener[] = [];
	class ListenerOfTest extends Listener {
		constructor(options: ConstructorParameters<typeof Listener>[0]) {
			super(options);
			listeners.push(this);
		}
	}
	chipForTest({
		uart: (text) => {
			told += text;
		},
		listening: (_protocol, number) => {
			port = number;
		},
	});
	installGlobals();
	onTestFinished(() => {
		for (const listener of listeners) listener.close();
	});
	// Its own, because a connection of the test before may still have something to tell.
	const trace = (...texts: unknown[]) => {
		told += texts.map((text) => `${text}`).join("");
	};
	const names = ["HTTPServer", "Listener", "Timer", "trace"];
	compileFunction(body, names)(HTTPServer, ListenerOfTest, Timer, trace);
	return { port, told: () => told, tells: (text) => until(() => told.includes(text)) };
}

/** Connects, and sends. */
export function request(server: Server, text: string): Peer {
	const peer = peerOf(
		createConnection({ host: "127.0.0.1", port: server.port, allowHalfOpen: true, noDelay: true }),
	);
	onTestFinished(() => void peer.socket.destroy());
	peer.says(text);
	return peer;
}
