/** A board's HTTP server, as far as the page at /update sees it: the page, its status, and scripted answers. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** As the board serves it. */
const POLICY =
	"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export interface FakeStatus {
	name: string;
	version: string;
	chipId: string;
	mac: string;
	flashSize: number;
	runningSize: number;
	runningMD5: string | null;
	freeSpace: { firmware: number; filesystem: number };
	gzip: boolean;
	freeHeap: number;
	resetReason: string;
	uptime: number;
	update: null | {
		kind: string;
		result: string;
		error: null | { code: number; text: string };
		bytes: number;
		ms: number;
		from: string;
	};
}

export interface Upload {
	/** Path and query. */
	url: string;
	md5: string;
	body: Buffer;
}

type Answer = { status: number; text: string } | "hangs up" | "never";

export class FakeHTTPBoard {
	/** null: it has none. */
	status: FakeStatus | null = {
		name: "lamp",
		version: "1.0.0",
		chipId: "1a2b3c",
		mac: "18:FE:34:1A:2B:3C",
		flashSize: 4_194_304,
		runningSize: 412_345,
		runningMD5: "0123456789abcdef0123456789abcdef",
		freeSpace: { firmware: 1_040_384, filesystem: 2_072_576 },
		gzip: true,
		freeHeap: 40_000,
		resetReason: "Power On",
		uptime: 120,
		update: null,
	};
	/** Takes no request any more, as a board that has lost its way. */
	deaf = false;
	/** To an upload that has come whole. */
	answer: Answer = { status: 200, text: "Update Success! Rebooting..." };
	/** In place of the reception of an upload: reads as it likes. */
	receive: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
	/** After a good answer. */
	onRestart: ((upload: Upload) => void) | undefined;
	readonly uploads: Upload[] = [];
	/** `METHOD /path` of each request. */
	readonly requests: string[] = [];
	/** ms. `status.uptime` is that of this moment, and runs on. */
	#started = performance.now();
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	private constructor(page: Uint8Array) {
		this.#server = createServer((request, response) => this.#serve(page, request, response));
		this.#server.on("connection", (socket) => {
			this.#sockets.add(socket);
			socket.on("close", () => this.#sockets.delete(socket));
		});
	}

	/** `page`: gzip. */
	static async start(page: Uint8Array): Promise<FakeHTTPBoard> {
		const board = new FakeHTTPBoard(page);
		board.#server.listen(0, "127.0.0.1");
		await once(board.#server, "listening");
		return board;
	}

	/** Of the page. */
	get url(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/update`;
	}

	/** May be called again. */
	close(): void {
		this.#server.close();
		for (const socket of this.#sockets) socket.destroy();
	}

	/** Starts anew, `changes` in its status. */
	restart(changes: Partial<FakeStatus> = {}): void {
		this.#started = performance.now();
		if (this.status) Object.assign(this.status, { uptime: 0, update: null }, changes);
	}

	#serve(page: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
		const { method, url = "" } = request;
		this.requests.push(`${method} ${url}`);
		// As the board: a connection for each request.
		response.setHeader("Connection", "close");
		if (this.deaf) request.socket.destroy();
		else if (method === "GET" && url.startsWith("/update"))
			response
				.writeHead(200, {
					"Content-Type": "text/html; charset=utf-8",
					"Content-Encoding": "gzip",
					"Content-Security-Policy": POLICY,
				})
				.end(page);
		else if (method === "GET" && url === "/status" && this.status) {
			const uptime = this.status.uptime + Math.floor((performance.now() - this.#started) / 1000);
			response
				.writeHead(200, { "Content-Type": "application/json" })
				.end(JSON.stringify({ ...this.status, uptime }));
		} else if (method === "PUT" || method === "POST") {
			if (this.receive) this.receive(request, response);
			// A browser may break its upload off.
			else this.#take(request, response).catch(() => undefined);
		} else response.writeHead(404).end("Not Found");
	}

	async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const pieces: Buffer[] = [];
		for await (const piece of request) pieces.push(piece);
		const upload = {
			url: request.url ?? "",
			md5: String(request.headers["x-md5"]),
			body: Buffer.concat(pieces),
		};
		this.uploads.push(upload);
		if (this.answer === "hangs up") request.socket.destroy();
		else if (this.answer !== "never") {
			const { status, text } = this.answer;
			response.writeHead(status, { "Content-Type": "text/plain" }).end(text);
			if (status === 200) this.onRestart?.(upload);
		}
	}
}
