/** The server: what it answers, and how long and how much it takes from whom. */
import { realpath, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Catalogue } from "./catalogue";
import { Connections } from "./connections";
import { DevicesFile } from "./devices-file";
import { Exchange } from "./exchange";
import { METRICS_TYPE, Metrics } from "./metrics";
import { PAGE_HEADERS, page } from "./page";
import { SeenDevices } from "./seen-devices";
import { UpdateAnswer } from "./update-answer";
import { UPLOAD_PATH, Upload } from "./upload";

/** Milliseconds between two looks at the folder. */
const LOOK_INTERVAL = 1000;
/** Where a look takes long, so many times as long is between two: it costs a tenth of the time at most. */
const LOOK_PAUSE = 9;
/** Bytes of a request's header; a device sends some 600. */
const HEADER_LENGTH_MAX = 8192;
/** Milliseconds for the header of a request, which is one packet of a device. */
const HEADER_TIMEOUT = 10_000;
/** Milliseconds for a whole request: 16 MiB from a slow line. */
const REQUEST_TIMEOUT = 300_000;
/** Milliseconds without any progress; a device that erases its flash, or has lost its Wi-Fi, is back before. */
export const IDLE_TIMEOUT = 60_000;

export interface ServeOptions {
	/** The folder of images. */
	folder: string;
	/** TCP port; 0 is any. */
	port: number;
	/** Address to listen on; undefined: all. */
	host?: string | undefined;
	knownOnly?: boolean | undefined;
	uploadToken?: string | undefined;
	/** One line of the log, JSON without its end. */
	onLog: (line: string) => void;
	/** Something that a person should know. */
	onNotice: (text: string) => void;
	/** Lines of the log that were lost so far. */
	linesLost?: (() => number) | undefined;
	/** Milliseconds, where not the usual ones: for tests that have no time. */
	timing?: { look?: number; settle?: number; header?: number; idle?: number } | undefined;
}

export class UpdateServer {
	readonly catalogue: Catalogue;
	readonly metrics = new Metrics();
	readonly #options: ServeOptions;
	readonly #devices: DevicesFile;
	readonly #seen = new SeenDevices();
	readonly #update: UpdateAnswer;
	readonly #upload: Upload;
	readonly #server: Server;
	readonly #connections: Connections;
	#look: NodeJS.Timeout | undefined;

	private constructor(options: ServeOptions, root: string) {
		const { onNotice, knownOnly = false, uploadToken: token, timing } = options;
		this.#options = options;
		this.catalogue = new Catalogue({ root, settle: timing?.settle, onNotice });
		this.#devices = new DevicesFile(root, onNotice);
		this.#upload = new Upload({ root, token, catalogue: this.catalogue });
		this.#update = new UpdateAnswer({
			policy: () => ({ offer: this.catalogue.offer, devices: this.#devices.devices, knownOnly }),
			seen: this.#seen,
			metrics: this.metrics,
		});
		const { header = HEADER_TIMEOUT, idle = IDLE_TIMEOUT } = timing ?? {};
		this.#server = createServer({
			maxHeaderSize: HEADER_LENGTH_MAX,
			headersTimeout: header,
			requestTimeout: REQUEST_TIMEOUT,
			connectionsCheckingInterval: Math.min(1000, header),
			noDelay: true,
		});
		this.#server.timeout = idle;
		this.#connections = new Connections(this.#server, (record) => this.#record(record));
		const answer = (request: IncomingMessage, response: ServerResponse): void => {
			void this.#answer(new Exchange(request, response));
		};
		// The same for a client that waits for a "go on" before it sends an image.
		this.#server.on("request", answer).on("checkContinue", answer);
	}

	/** Looks at the folder and listens. Throws an Error that says what to do where either cannot be. */
	static async start(options: ServeOptions): Promise<UpdateServer> {
		const server = new UpdateServer(options, await rootOf(options.folder));
		await server.#devices.load();
		await server.catalogue.refresh();
		await server.#listen();
		server.#lookAgain();
		return server;
	}

	/** TCP port. */
	get port(): number {
		return (this.#server.address() as AddressInfo).port;
	}

	/** Accepts nothing more, and resolves when what runs has ended. */
	async stop(): Promise<void> {
		clearTimeout(this.#look);
		const closed = new Promise((resolve) => this.#server.once("close", resolve));
		this.#server.close();
		this.#connections.finish();
		await closed;
	}

	/** Cuts what runs. */
	end(): void {
		this.#server.closeAllConnections();
	}

	#listen(): Promise<void> {
		const { port, host } = this.#options;
		return new Promise((resolve, reject) => {
			this.#server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, port)));
			this.#server.listen({ port, host, backlog: 1024 }, resolve);
		});
	}

	#lookAgain(lastTook = 0): void {
		const { look = LOOK_INTERVAL } = this.#options.timing ?? {};
		const next = async (): Promise<void> => {
			const start = performance.now();
			await this.#devices.refresh();
			await this.catalogue.refresh();
			if (this.#server.listening) this.#lookAgain(performance.now() - start);
		};
		this.#look = setTimeout(next, Math.max(look, LOOK_PAUSE * lastTook));
	}

	async #answer(exchange: Exchange): Promise<void> {
		const { response } = exchange;
		response.once("close", () => this.#record(exchange.record()));
		try {
			await this.#route(exchange);
		} catch (error) {
			exchange.reason = error instanceof Error ? error.message : String(error);
			if (response.headersSent) response.destroy();
			else exchange.answer(500);
		}
	}

	async #route(exchange: Exchange): Promise<void> {
		const { path, request } = exchange;
		if (path.startsWith(UPLOAD_PATH)) {
			if (request.method !== "PUT") return exchange.refuse(405, "PUT only", { Allow: "PUT" });
			return this.#upload.answer(exchange);
		}
		if (path !== "/update" && path !== "/" && path !== "/metrics")
			return exchange.refuse(404, "no such page");
		if (request.method !== "GET" && !exchange.isHead) {
			return exchange.refuse(405, "GET or HEAD only", { Allow: "GET, HEAD" });
		}
		if (path === "/update") return this.#update.answer(exchange);
		const { offer } = this.catalogue;
		if (path === "/") return exchange.answer(200, PAGE_HEADERS, page(offer, this.#seen));
		const images = offer.entries.filter(({ image }) => image).length;
		const linesLost = this.#options.linesLost?.() ?? 0;
		const text = this.metrics.text({ seen: this.#seen, images, linesLost });
		exchange.answer(200, { "Content-Type": METRICS_TYPE }, text);
	}

	#record(record: Record<string, unknown>): void {
		this.metrics.count(Number(record.status), Number(record.bytes));
		this.#options.onLog(JSON.stringify(record));
	}
}

async function rootOf(folder: string): Promise<string> {
	try {
		if ((await stat(folder)).isDirectory()) return await realpath(folder);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code !== "ENOENT") throw new Error(`${folder}: ${code}`);
		throw new Error(`${folder}: no such folder; make ${folder}/stable and put images there`);
	}
	throw new Error(`${folder}: that is no folder`);
}

function listenError({ code, message }: NodeJS.ErrnoException, port: number): Error {
	if (code === "EADDRINUSE") {
		return new Error(`TCP port ${port} is taken: end what uses it, or give another one with --port`);
	}
	return new Error(`cannot listen on TCP port ${port}: ${message}`);
}
