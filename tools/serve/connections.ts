import { type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { peerOf } from "./exchange";

/** Connections at a time; more are closed at once. A download and a request after it are one each. */
const CONNECTIONS_MAX = 4000;
/** Milliseconds for a peer to read why it was refused. */
const LINGER = 1000;

/** What Node's HTTP parser finds wrong, as a status; the rest is 400. */
const statuses: Readonly<Record<string, number>> = {
	HPE_HEADER_OVERFLOW: 431,
	HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
	ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** The connections of a server: bounded, refused with a status where they bring no request, ended when it stops. */
export class Connections {
	/** Answers that each has not had yet. */
	readonly #open = new Map<Socket, number>();
	#isFinishing = false;

	/** `onRefused` gets a line of the log for what was no request. */
	constructor(server: Server, onRefused: (record: Record<string, unknown>) => void) {
		server.maxConnections = CONNECTIONS_MAX;
		server.on("connection", (socket: Socket) => {
			this.#open.set(socket, 0);
			socket.once("close", () => this.#open.delete(socket));
		});
		const track = (request: { socket: Socket }, response: NodeJS.EventEmitter): void => {
			const { socket } = request;
			this.#open.set(socket, (this.#open.get(socket) ?? 0) + 1);
			response.once("close", () => {
				const left = (this.#open.get(socket) ?? 1) - 1;
				if (this.#open.has(socket)) this.#open.set(socket, left);
				if (this.#isFinishing && left === 0) socket.end();
			});
		};
		server.on("request", track).on("checkContinue", track);
		const refused = new WeakSet<Socket>();
		server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
			if (refused.has(socket)) return;
			refused.add(socket);
			const isGone = error.code === "ECONNRESET" || !socket.writable;
			// In the middle of an answer, another one would be taken for a part of it.
			if (isGone || (this.#open.get(socket) ?? 0) > 0) {
				socket.destroy();
				return;
			}
			const status = statuses[error.code ?? ""] ?? 400;
			const peer = peerOf(socket);
			socket.end(
				`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
			);
			setTimeout(() => socket.destroy(), LINGER).unref();
			const reason = `no request: ${error.message}`;
			onRefused({ time: new Date().toISOString(), peer, status, bytes: 0, reason });
		});
	}

	/** Ends what waits for a request or is in the middle of one, and the others after their answer. */
	finish(): void {
		this.#isFinishing = true;
		for (const [socket, answers] of this.#open) if (answers === 0) socket.destroy();
	}
}
