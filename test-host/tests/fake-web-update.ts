/**
 * A board with a web update on real sockets of this machine, for the uploader's tests: one of ours, or one that
 * does what the Arduino core's ESP8266HTTPUpdateServer does. Faults to order.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

export type LoginKind = "basic" | "md5" | "sha-256";

export interface FakeWebUpdateOptions {
	/** One of ours; else an Arduino device. */
	ours?: boolean;
	/** What it offers, each in a header of its own; nothing where not given. The user is admin. */
	login?: readonly LoginKind[];
	password?: string;
	/** A nonce is good for so many requests. */
	nonceUses?: number;
	/** A nonce that is good no more is told as such. */
	tellsStale?: boolean;
	/** Only uploads need the password. */
	openPage?: boolean;
	/** In place of the page. */
	page?: (response: ServerResponse) => void;
	/** In place of the usual result, when the whole body has come. */
	result?: (response: ServerResponse) => void;
	/** In place of the usual reception of an upload. */
	receive?: (request: IncomingMessage, response: ServerResponse) => void;
	/** Does not answer `Expect`. */
	withoutContinue?: boolean;
	/** In PEM; it speaks TLS. */
	certificate?: { key: string; cert: string };
	/** What GET /status tells, request by request; the last one stays. `silent`: no answer. */
	status?: readonly (object | "silent" | "missing")[];
}

export interface Seen {
	line: string;
	headers: IncomingMessage["headers"];
	body: Buffer;
}

const REALM = 'Board "lamp", indoors';
const PAGE = "<form method='POST'><input name='firmware'></form><form><input name='filesystem'></form>";
const SUCCESS = '<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...';

export class FakeWebUpdate {
	readonly seen: Seen[] = [];
	readonly #options: FakeWebUpdateOptions;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();
	#nonces = 0;
	#uses = new Map<string, number>();
	#statuses = 0;

	private constructor(options: FakeWebUpdateOptions) {
		this.#options = options;
		const { certificate } = options;
		this.#server = certificate ? createSecureServer(certificate) : createServer();
		this.#server.on("request", (request, response) => this.#serve(request, response));
		if (options.withoutContinue) {
			this.#server.on("checkContinue", (request, response) => this.#serve(request, response));
		} else {
			this.#server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
				this.#serve(request, response, () => response.writeContinue());
			});
		}
		this.#server.on("connection", (socket) => {
			this.#sockets.add(socket);
			socket.on("error", () => undefined);
			socket.on("close", () => this.#sockets.delete(socket));
		});
	}

	static async start(options: FakeWebUpdateOptions = {}): Promise<FakeWebUpdate> {
		const board = new FakeWebUpdate(options);
		board.#server.listen(0, "127.0.0.1");
		await once(board.#server, "listening");
		return board;
	}

	get port(): number {
		return (this.#server.address() as AddressInfo).port;
	}

	get url(): URL {
		return new URL(`${this.#options.certificate ? "https" : "http"}://127.0.0.1:${this.port}/update`);
	}

	/** `GET /update`, `PUT /update?kind=firmware` and so on, in their order. */
	get lines(): string[] {
		return this.seen.map(({ line }) => line);
	}

	/** The last upload. */
	get upload(): Seen | undefined {
		return this.seen.findLast(({ line }) => !line.startsWith("GET"));
	}

	/** May be called again. */
	close(): void {
		this.#server.close();
		for (const socket of this.#sockets) socket.destroy();
	}

	#serve(request: IncomingMessage, response: ServerResponse, proceed?: () => void): void {
		const { method = "", url = "", headers } = request;
		const { ours, openPage, page, receive } = this.#options;
		const seen: Seen = { line: `${method} ${url}`, headers, body: Buffer.alloc(0) };
		this.seen.push(seen);
		if (ours) response.setHeader("x-ota8266", "1");
		response.setHeader("Connection", "close");
		const isUpload = method !== "GET";
		const letIn = (openPage && !isUpload) || this.#isAuthorized(method, url, headers.authorization);
		if (!letIn && (ours || !isUpload)) this.#challenge(response);
		else if (url.startsWith("/status")) this.#tellStatus(response);
		else if (!url.startsWith("/update")) response.writeHead(404).end("Not found");
		else if (!isUpload) page ? page(response) : response.end(PAGE);
		else if (receive) receive(request, response);
		else {
			proceed?.();
			request.on("data", (bytes: Buffer) => {
				seen.body = Buffer.concat([seen.body, bytes]);
			});
			request.on("end", () => {
				// The Arduino core refuses when all has come.
				if (!letIn) this.#challenge(response);
				else if (this.#options.result) this.#options.result(response);
				else this.#conclude(seen, response);
			});
		}
	}

	#conclude({ line, headers, body }: Seen, response: ServerResponse): void {
		if (!this.#options.ours) {
			response.end(
				fileOf(headers["content-type"] ?? "", body) ? SUCCESS : "Update error: ERROR[13]: No data",
			);
		} else if (line.startsWith("PUT") && headers["x-md5"] === md5(body)) {
			response.end("Update Success! Rebooting...");
		} else response.writeHead(422).end("ERROR[7]: MD5 verification failed");
	}

	#tellStatus(response: ServerResponse): void {
		const { status = ["missing"] } = this.#options;
		const told = status[Math.min(this.#statuses, status.length - 1)];
		this.#statuses += 1;
		if (told === "silent") return;
		if (told === "missing") response.writeHead(404).end();
		else response.end(JSON.stringify(told));
	}

	#challenge(response: ServerResponse): void {
		this.#nonces += 1;
		const nonce = `nonce-${this.#nonces}`;
		const realm = `realm="${REALM.replaceAll('"', '\\"')}"`;
		const stale = this.#options.tellsStale && this.#nonces > 1 ? ", stale=true" : "";
		const offers = (this.#options.login ?? []).map((kind) => {
			if (kind === "basic") return `Basic ${realm}`;
			const algorithm = kind === "md5" ? "" : ", algorithm=SHA-256";
			return `Digest ${realm}, qop="auth"${algorithm}, nonce="${nonce}", opaque="o, p"${stale}`;
		});
		response.setHeader("WWW-Authenticate", offers).writeHead(401).end();
	}

	/** Written from the RFC, not from the uploader. */
	#isAuthorized(method: string, url: string, header = ""): boolean {
		const { login = [], password = "secret", nonceUses = Number.POSITIVE_INFINITY } = this.#options;
		if (login.length === 0) return true;
		if (login.includes("basic") && header === `Basic ${btoa(`admin:${password}`)}`) return true;
		const value = (name: string): string =>
			new RegExp(`[ ,]${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^,]*))`).exec(header)?.slice(1).join("") ?? "";
		const nonce = value("nonce");
		const count = (this.#uses.get(nonce) ?? 0) + 1;
		if (nonce !== `nonce-${this.#nonces}` || count > nonceUses) return false;
		const hash = value("algorithm") === "SHA-256" ? "sha256" : "md5";
		const h = (text: string): string => createHash(hash).update(text).digest("hex");
		const nc = count.toString(16).padStart(8, "0");
		const bound = `${nonce}:${nc}:${value("cnonce")}:auth`;
		const right =
			value("uri") === url &&
			value("opaque") === "o, p" &&
			value("response") === h(`${h(`admin:${REALM}:${password}`)}:${bound}:${h(`${method}:${url}`)}`);
		if (right) this.#uses.set(nonce, count);
		return right;
	}
}

/** The one file in a form, taken as the Arduino core takes it: by the place of a part's headers. */
export function fileOf(
	contentType: string,
	body: Buffer,
): { field: string; name: string; bytes: Buffer } | undefined {
	const boundary = `--${contentType.slice(contentType.indexOf("=") + 1)}`;
	const end = body.lastIndexOf(`\r\n${boundary}--\r\n`);
	const start = body.indexOf("\r\n\r\n") + 4;
	const [first, disposition = "", type] = body.subarray(0, start).toString("latin1").split("\r\n");
	const [, field, name] =
		/^Content-Disposition: form-data; name="(\w+)"; filename="(.*)"$/.exec(disposition) ?? [];
	if (first !== boundary || !type?.startsWith("Content-Type: ") || end < start) return undefined;
	if (field === undefined || name === undefined) return undefined;
	return { field, name, bytes: body.subarray(start, end) };
}

function md5(bytes: Uint8Array): string {
	return createHash("md5").update(bytes).digest("hex");
}
