/** lwIP's side of a TCP connection, on node:net: what a TCP holds, and hands over when another one adopts it. */
import type { Socket } from "node:net";
import { Segments } from "./segments";

export const SEGMENT = 1460;
/** The receive window and the send buffer of lwIP on the ESP8266. */
export const WINDOW = 4 * SEGMENT;
export const SEND_BUFFER = 2 * SEGMENT;

/** "output": something was written, to be sent when the event loop turns. */
export type Event = "readable" | "writable" | "error" | "output";

export class Connection {
	readonly socket: Socket;
	/** Called with what happened; by whom holds the connection. */
	tell: ((event: Event) => void) | undefined;
	/** Whether it may be written to. */
	ready: boolean;
	/** Refused, or reset by the peer. */
	lost = false;
	/** Inside the window. */
	readonly #segments = new Segments();
	/** Behind the window: what a real peer would not have been allowed to send yet. */
	#backlog: Uint8Array[] = [];
	/** Written since the event loop turned. */
	#written: Uint8Array[] = [];
	/** Bytes written and not yet taken by the network. */
	#unsent = 0;
	/** The peer has closed its side, behind the backlog. */
	#finished = false;

	/** Of a socket that is connected, or on its way. */
	constructor(socket: Socket) {
		this.socket = socket;
		this.ready = !socket.connecting;
		socket.once("connect", () => {
			this.ready = true;
			this.tell?.("writable");
		});
		socket.on("data", (bytes: Uint8Array) => {
			this.#backlog.push(bytes);
			this.#refill();
		});
		socket.once("end", () => {
			this.#finished = true;
			if (this.#backlog.length === 0) this.tell?.("error");
		});
		socket.on("error", () => {
			if (this.#finished) return;
			this.lost = true;
			this.#backlog = [];
			this.tell?.("error");
		});
		socket.resume();
	}

	/** Bytes that may be read. */
	get available(): number {
		return this.#segments.available;
	}

	/** Bytes that may be written. */
	get writable(): number {
		return SEND_BUFFER - this.#unsent;
	}

	/** Takes bytes to send, no more than is writable. */
	write(bytes: Uint8Array): void {
		if (bytes.length === 0) return;
		this.#unsent += bytes.length;
		this.#written.push(bytes);
		this.tell?.("output");
	}

	/** Sends what was written. */
	send(): void {
		for (const bytes of this.#written.splice(0)) {
			this.socket.write(bytes, (error) => {
				this.#unsent -= bytes.length;
				if (!error && !this.#finished) this.tell?.("writable");
			});
		}
	}

	/** Fills `target`, which is no larger than what is available. */
	read(target: Uint8Array): void {
		this.#segments.read(target);
		this.#refill();
	}

	/**
	 * Ends the connection; nobody is told of anything any more. The SDK closes, then aborts (tcp_close_safe): the
	 * peer gets a reset, and never what was not sent before. A peer that had ended its side, and has all, sees an
	 * orderly end: to it the reset comes too late.
	 */
	close(): void {
		this.tell = undefined;
		if (this.socket.connecting) this.socket.destroy();
		else if (this.available > 0 || this.#unsent > 0 || !this.#finished) this.socket.resetAndDestroy();
		else this.socket.destroySoon();
	}

	/** Lets into the window what fits, and tells of it. */
	#refill(): void {
		const before = this.available;
		const waiting = this.#backlog.length > 0;
		for (let next = this.#backlog[0]; next; next = this.#backlog[0]) {
			const room = WINDOW - this.#segments.held;
			if (room === 0) break;
			const segment = next.subarray(0, Math.min(room, SEGMENT));
			this.#segments.push(segment);
			if (segment.length < next.length) this.#backlog[0] = next.subarray(segment.length);
			else this.#backlog.shift();
		}
		if (this.#backlog.length > 0) this.socket.pause();
		else this.socket.resume();
		if (this.available > before) this.tell?.("readable");
		if (this.#finished && waiting && this.#backlog.length === 0) this.tell?.("error");
	}
}
