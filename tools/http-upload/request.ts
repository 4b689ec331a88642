/**
 * One HTTP request and its answer, on a connection of its own: the Arduino core serves one at a time.
 * States, in order:
 *   connecting
 *   holding     the head of an upload is out with `Expect: 100-continue`: the board may refuse before a byte of
 *               the body is sent
 *   sending     pieces of the body, as fast as the connection takes them
 *   waiting     for the answer
 *   reading     the answer's text; it may come in any state after connecting, and ends the sending
 *   ended
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { ErrorCode, UpdateError } from "../../ota/errors";
import type { Address } from "../espota/address";
import { printable } from "../espota/text";
import { hearLastWords } from "./last-words";

/** Bytes given to the socket at once: a sector of the device's flash. */
const PIECE = 4096;
/** RFC 9110, section 10.1.1: not every server answers `Expect`. */
const CONTINUE_TIMEOUT = 1000;
/** More of an answer is not read. The Arduino core's page has 900 bytes. */
const ANSWER_LENGTH_MAX = 64 * 1024;

export interface Body {
	bytes: Uint8Array;
	/** Waits for the board's `100 Continue` before the body is sent. */
	expectContinue: boolean;
	/** Milliseconds from the last byte to the answer. */
	resultTimeout: number;
	/** The socket has taken so many bytes. */
	onSent?: ((bytes: number) => void) | undefined;
}

export interface RequestOptions {
	url: URL;
	/** Of the URL's host. */
	address: Address;
	method: "GET" | "POST" | "PUT";
	/** Path and query. */
	target: string;
	headers: Readonly<Record<string, string>>;
	body?: Body | undefined;
	/** Milliseconds without progress. */
	timeout: number;
	signal: AbortSignal;
}

export interface Answer {
	status: number;
	/** Behind the status in the first line. */
	reason: string;
	/** By lower-case name; of a header that came twice the values with a comma between, or the first. */
	headers: IncomingMessage["headers"];
	/** Each WWW-Authenticate header. */
	challenges: readonly string[];
	/** As far as it came. */
	text: string;
	/** It began before the whole body was sent. */
	early: boolean;
}

/**
 * Resolves with whatever the board answers. Throws UpdateError NO_ANSWER, CERTIFICATE, CONNECTION_LOST,
 * NO_RESULT, BAD_ANSWER or STOPPED.
 */
export function request(options: RequestOptions): Promise<Answer> {
	return new Promise((resolve, reject) => {
		new Exchange(options, resolve, reject).start();
	});
}

/** The name or address in a URL, an IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
	return hostname.replace(/^\[|\]$/g, "");
}

/** The TCP port of a URL. */
export function portOf({ port, protocol }: URL): number {
	return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

type State = "connecting" | "holding" | "sending" | "waiting" | "reading" | "ended";

class Exchange {
	readonly #options: RequestOptions;
	readonly #resolve: (answer: Answer) => void;
	readonly #reject: (error: UpdateError) => void;
	#state: State = "connecting";
	#request: ClientRequest | undefined;
	#sent = 0;
	/** Bytes of the body that the network stack has. */
	#accepted = 0;
	#response: IncomingMessage | undefined;
	#text = "";
	#limit: NodeJS.Timeout | undefined;

	constructor(
		options: RequestOptions,
		resolve: (answer: Answer) => void,
		reject: (error: UpdateError) => void,
	) {
		this.#options = options;
		this.#resolve = resolve;
		this.#reject = reject;
	}

	start(): void {
		const { url, address, method, target, body, timeout, signal } = this.#options;
		if (signal.aborted) {
			this.#aborted();
			return;
		}
		signal.addEventListener("abort", this.#aborted);
		const headers: Record<string, string | number> = { ...this.#options.headers };
		if (body) headers["Content-Length"] = body.bytes.length;
		if (body?.expectContinue) headers.Expect = "100-continue";
		// Looked up once for the whole upload: a .local name may take seconds each time.
		const lookup: LookupFunction = (_name, { all }, done) =>
			all ? done(null, [address]) : done(null, address.address, address.family);
		const secure = url.protocol === "https:";
		const options = { method, path: target, host: hostOf(url), port: portOf(url), headers, lookup };
		const request = secure
			? httpsRequest({ ...options, agent: false, rejectUnauthorized: true })
			: httpRequest({ ...options, agent: false });
		this.#request = request;
		request.on("socket", (socket) => {
			socket.once(secure ? "secureConnect" : "connect", () => {
				hearLastWords(socket);
				this.#connected();
			});
		});
		request.on("continue", () => {
			if (this.#state === "holding") this.#begin();
		});
		request.on("response", (response) => this.#answered(response));
		request.on("error", (error) => this.#failed(error));
		request.on("close", () => this.#failed(new Error("closed")));
		this.#wait(timeout);
		if (body) request.flushHeaders();
		else request.end();
	}

	#connected(): void {
		const { body, timeout } = this.#options;
		if (this.#state !== "connecting") return;
		if (!body) {
			this.#state = "waiting";
			this.#wait(timeout);
		} else if (body.expectContinue) {
			this.#state = "holding";
			this.#wait(CONTINUE_TIMEOUT);
		} else this.#begin();
	}

	#begin(): void {
		this.#state = "sending";
		this.#wait(this.#options.timeout);
		this.#send();
	}

	/** One piece is under way at a time: its callback comes when the network stack has all of it. */
	#send(): void {
		const { body, timeout } = this.#options;
		if (this.#state !== "sending" || !body) return;
		const total = body.bytes.length;
		const piece = body.bytes.subarray(this.#sent, this.#sent + PIECE);
		this.#sent += piece.length;
		this.#request?.write(piece, (error) => {
			if (error || this.#state !== "sending") return;
			this.#accepted += piece.length;
			body.onSent?.(this.#accepted);
			if (this.#accepted < total) {
				this.#wait(timeout);
				// A turn of the event loop between, in which an answer is read and Ctrl-C is heard.
				setImmediate(() => this.#send());
				return;
			}
			this.#state = "waiting";
			this.#wait(body.resultTimeout);
			this.#request?.end();
		});
	}

	#answered(response: IncomingMessage): void {
		if (this.#state === "ended") return;
		this.#state = "reading";
		this.#response = response;
		this.#wait(this.#options.timeout);
		const conclude = (): void => this.#conclude(response);
		response.setEncoding("utf8");
		response.on("data", (text: string) => {
			this.#text += text;
			this.#wait(this.#options.timeout);
			if (this.#text.length >= ANSWER_LENGTH_MAX) conclude();
		});
		response.on("end", conclude);
		response.on("error", conclude);
		response.on("close", conclude);
	}

	#conclude({ statusCode = 0, statusMessage = "", headers, headersDistinct }: IncomingMessage): void {
		const challenges = headersDistinct["www-authenticate"] ?? [];
		const text = this.#text.slice(0, ANSWER_LENGTH_MAX);
		// The socket may have passed on the last piece without having called back yet.
		const early = this.#sent < (this.#options.body?.bytes.length ?? 0);
		const answer = { status: statusCode, reason: statusMessage, headers, challenges, text, early };
		this.#end(() => this.#resolve(answer));
	}

	/** Of an answer that has begun, what came counts. */
	#failed(error: NodeJS.ErrnoException): void {
		if (this.#state !== "reading") this.#fail(this.#fault(error));
	}

	#fault(error: NodeJS.ErrnoException): UpdateError {
		const { url } = this.#options;
		const code = error.code ?? "";
		if (this.#state === "connecting") {
			const socket: Socket | null | undefined = this.#request?.socket;
			// Where Node trusts the certificate, this is null.
			const distrust = socket instanceof TLSSocket ? socket.authorizationError : undefined;
			if (distrust) return new UpdateError(ErrorCode.CERTIFICATE, url.host, printable(String(distrust)));
			if (/^(EPROTO|ERR_SSL)/.test(code)) {
				return new UpdateError(ErrorCode.BAD_ANSWER, `no TLS from ${url.host}, which may want http://`);
			}
		}
		if (code.startsWith("HPE_")) {
			return new UpdateError(ErrorCode.BAD_ANSWER, `no HTTP from ${url.host} (${printable(error.message)})`);
		}
		return this.#lost();
	}

	#lost(): UpdateError {
		const { url, address, body } = this.#options;
		if (this.#state === "connecting" || !body) {
			return new UpdateError(ErrorCode.NO_ANSWER, address.address, portOf(url));
		}
		return new UpdateError(ErrorCode.CONNECTION_LOST, this.#accepted, body.bytes.length);
	}

	#limitReached(): void {
		const { body } = this.#options;
		if (this.#response) this.#conclude(this.#response);
		else if (this.#state === "holding") this.#begin();
		else if (this.#state === "waiting" && body) {
			this.#fail(new UpdateError(ErrorCode.NO_RESULT, body.resultTimeout / 1000));
		} else this.#fail(this.#lost());
	}

	readonly #aborted = (): void => {
		this.#fail(new UpdateError(ErrorCode.STOPPED, this.#accepted));
	};

	/** Starts the state's clock anew. */
	#wait(milliseconds: number): void {
		clearTimeout(this.#limit);
		this.#limit = setTimeout(() => this.#limitReached(), milliseconds);
	}

	#fail(error: UpdateError): void {
		this.#end(() => this.#reject(error));
	}

	/** The first end counts. */
	#end(settle: () => void): void {
		if (this.#state === "ended") return;
		this.#state = "ended";
		clearTimeout(this.#limit);
		this.#options.signal.removeEventListener("abort", this.#aborted);
		this.#request?.destroy();
		settle();
	}
}
