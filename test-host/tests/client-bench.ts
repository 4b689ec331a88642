/** The polling client in this thread, on the Updater's bench, with the SDK's client and a server of the test's own. */
import TCP from "embedded:io/socket/tcp";
import UDP from "embedded:io/socket/udp";
import Resolver from "embedded:network/dns/resolver/udp";
import HTTPClient from "embedded:network/http/client";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createRawServer, type Socket } from "node:net";
import { onTestFinished, vi } from "vitest";
import { HTTPUpdate, type HTTPUpdateOptions, type Outcome } from "../../ota/client/http-update";
import { RunningFirmware } from "../../ota/running";
import { board, firmware, md5, UpdaterBench, type UpdaterBenchOptions } from "./updater-bench";

export { md5 };
export const NEW = firmware("2.0.0", 30_000);

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers as the test says, and keeps what it was asked. */
export class TestServer {
	readonly asked: IncomingMessage[] = [];
	readonly #server: Server;
	answer: Answer;

	private constructor(answer: Answer) {
		this.answer = answer;
		this.#server = createServer((request, response) => {
			this.asked.push(request);
			this.answer(request, response);
		});
	}

	static async start(answer: Answer): Promise<TestServer> {
		const server = new TestServer(answer);
		server.#server.listen(0, "127.0.0.1");
		await once(server.#server, "listening");
		onTestFinished(() => {
			server.#server.closeAllConnections();
			server.#server.close();
		});
		return server;
	}

	get port(): number {
		return (this.#server.address() as AddressInfo).port;
	}

	get url(): string {
		return `http://127.0.0.1:${this.port}/update`;
	}
}

/** Serves an image as Arduino's scripts do. */
export function serves(image: Uint8Array, headers: Record<string, string> = {}): Answer {
	return (_request, response) => {
		response.writeHead(200, { "content-length": image.length, "x-md5": md5(image), ...headers });
		response.end(image);
	};
}

/** What is said to a connection, whose request came whole; `count` of them came before. */
type Say = (socket: Socket, request: string, count: number) => void;

/** A server that says any bytes. */
export class RawServer {
	/** The requests, from the first line to the empty one. */
	readonly asked: string[] = [];
	readonly sockets: Socket[] = [];
	port = 0;

	static async start(say: Say, { early }: { early?: string } = {}): Promise<RawServer> {
		const raw = new RawServer();
		const server = createRawServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
			let request = "";
			raw.sockets.push(socket);
			if (early !== undefined) socket.write(early, "latin1");
			socket.on("error", () => {});
			socket.on("end", () => socket.end());
			socket.setEncoding("latin1").on("data", (data: string) => {
				request += data;
				if (!request.endsWith("\r\n\r\n")) return;
				raw.asked.push(request);
				const whole = request;
				request = "";
				say(socket, whole, raw.asked.length - 1);
			});
		});
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		raw.port = (server.address() as AddressInfo).port;
		onTestFinished(() => {
			for (const socket of raw.sockets) socket.destroy();
			server.close();
		});
		return raw;
	}

	get url(): string {
		return `http://127.0.0.1:${this.port}/update`;
	}

	/** Connections that nobody has closed. */
	get open(): number {
		return this.sockets.filter((socket) => !socket.destroyed).length;
	}
}

/** For each answer; no whole seconds, which `quickWaits` makes short. */
export const TIMEOUT = 7999;

/** Makes waits of whole seconds a hundredth of that: those before a broken download is taken up. */
export function quickWaits(): void {
	const wait = setTimeout;
	const quick = (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
		wait(callback, ms >= 1000 && ms % 1000 === 0 ? ms / 100 : ms, ...args);
	vi.stubGlobal("setTimeout", quick);
	onTestFinished(() => {
		vi.unstubAllGlobals();
	});
}

export class ClientBench extends UpdaterBench {
	readonly client: HTTPUpdate;
	/** What the application was told, in order. */
	readonly told: string[] = [];
	/** Resolves when the board restarts. */
	readonly restarted: Promise<void>;

	constructor(options: Partial<HTTPUpdateOptions> = {}, chip: UpdaterBenchOptions = {}) {
		let restarted = () => {};
		super({ ...chip, restart: () => restarted() as never });
		this.restarted = new Promise((resolve) => {
			restarted = resolve;
		});
		this.client = this.clientOf(options);
	}

	/** One on the updater that runs now. */
	clientOf(options: Partial<HTTPUpdateOptions> = {}): HTTPUpdate {
		const client = new HTTPUpdate({
			updater: this.updater,
			board,
			running: new RunningFirmware(),
			http: {
				io: HTTPClient,
				dns: { io: Resolver, servers: ["127.0.0.1"], socket: { io: UDP } },
				socket: { io: TCP },
			},
			timeout: TIMEOUT,
			onStart: (kind) => this.told.push(`start ${kind}`),
			onEnd: (kind) => this.told.push(`end ${kind}`),
			onError: (error) => this.told.push(`error: ${error}`),
			...options,
		});
		onTestFinished(() => client.close());
		return client;
	}

	/** Asks, with one client, and gives the outcome as short as it can be. */
	async short(url: string, client = this.client): Promise<string> {
		const { result, error, retryAfter } = await this.ask(url, undefined, client);
		return `${result}${error ? ` ${error.code}` : ""}${retryAfter ? ` ${retryAfter} s` : ""}`;
	}

	ask(url: string, version?: string, client = this.client): Promise<Outcome> {
		return new Promise((resolve) => client.update(url, version, resolve));
	}
}
