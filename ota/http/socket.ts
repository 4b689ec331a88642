/**
 * A connection of a client, between the SDK's TCP and the SDK's HTTP server, which has no limits of its own.
 * States, in order:
 *   head       the request's head is read here; the server does not know of the connection yet
 *   waiting    the head is complete, and the server is to take the connection over
 *   body       what comes is the server's to read; for good, after an upgrade to another protocol
 *   answering  the server has written; what still comes is read and dropped
 *   lingering  the answer is written; until the client has closed, since a close on the ESP8266 is a reset that
 *              takes with it what has not arrived
 *   closed
 */
import type TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import { adopt, type Holder } from "./adopt";
import { Chunk, Chunks } from "./chunks";
import { Head, RequestHead } from "./head";
import { BAD_REQUEST } from "./head-reader";
import { ANSWER_TICKS, BODY_STEP, BODY_TICKS, DROP_MAX, HEAD_TICKS, LINGER_TICKS, UNBOUNDED } from "./limits";
import type { BoundedListener } from "./listener";
import { refusal } from "./refusal";
import type { Handlers } from "./served-socket";

const REQUEST_TIMEOUT = 408;

let current: BoundedSocket | undefined;

/** The connection that the server is working on: for a handler, from within `onRequest`. */
export function currentSocket(): BoundedSocket | undefined {
	return current;
}

export class BoundedSocket implements Holder {
	/** The client's address. */
	readonly peer: string;
	readonly tcp: TCP;
	state: "head" | "waiting" | "body" | "answering" | "lingering" | "closed" = "head";
	/** Never closed for the sake of another one. */
	pinned = false;
	/** Where the next piece of a body goes, in place of a new buffer. */
	into: Uint8Array | undefined;
	/** Until the server has read it. */
	head: RequestHead | undefined;
	/** Bytes that wait in the socket. */
	available = 0;
	/** The line of a chunk's length, or what ends the last one: until the server has read it. */
	frame = "";
	/** Bytes of the body, or of its chunk, that are still to come. */
	private remaining = 0;
	/** Reads what lies between the chunks. */
	private chunks: Chunks | undefined;
	upgraded = false;
	private readonly listener: BoundedListener;
	private handlers: Handlers | undefined;
	/** Bytes that may be written: the server is told when it has taken over. */
	private writable = 0;
	/** The client waits for `100 Continue`, and a handler decides. */
	private deferred = false;
	private lost = false;
	/** Until the state's time is over. */
	private ticks = HEAD_TICKS;
	/** Bytes of the body since then. */
	private progress = 0;

	/** Throws where the connection is lost already. */
	constructor(from: TCP, listener: BoundedListener) {
		this.listener = listener;
		this.peer = from.remoteAddress ?? "";
		this.head = new RequestHead(listener.headers);
		this.tcp = adopt(from, this);
	}

	/** How readily it is closed for the sake of a new one; 0 is never. */
	get dispensable(): number {
		if (this.state === "lingering") return 3;
		if (this.pinned) return 0;
		return this.state === "head" ? 2 : 1;
	}

	/** Keeps it, and gives its update the memory of those that are too many beside it. */
	pin(): void {
		this.pinned = true;
		this.listener.makeRoom(0);
	}

	/** The server takes it over; what has come is told it in a turn of its own. */
	serve(handlers: Handlers): void {
		this.handlers = handlers;
		Timer.set(() => this.begin());
	}

	/** Keeps back `100 Continue` until `proceed`; false where the client does not wait for it. */
	defer(): boolean {
		this.deferred = this.head?.expectsContinue ?? false;
		return this.deferred;
	}

	/** Lets a client that waits send its body. */
	proceed(): void {
		this.deferred = false;
		this.send("HTTP/1.1 100 Continue\r\n\r\n");
	}

	/** The server answers. */
	answering(): void {
		if (this.state === "body" && !this.upgraded) this.state = "answering";
		this.ticks = ANSWER_TICKS;
	}

	/** `count` bytes of the body are read. */
	take(count: number): void {
		this.available -= count;
		this.remaining -= count;
		this.progress += count;
		if (this.chunks && this.remaining === 0 && this.available > 0) Timer.set(() => this.tellBody());
		if (this.progress < BODY_STEP) return;
		this.progress = 0;
		this.ticks = BODY_TICKS;
	}

	/** Ends it as soon as the server, which is using it, has returned. */
	expire(): void {
		if (this.ticks > 0) Timer.set(() => this.tick());
		this.ticks = 0;
	}

	/**
	 * Whether the connection stands. On the ESP8266 the SDK's read crashes the chip when the peer has reset the
	 * connection, which only a write tells before it: one of nothing is harmless.
	 */
	stands(): boolean {
		try {
			return this.tcp.write(this.listener.nothing) !== undefined;
		} catch {
			return false;
		}
	}

	/** The server has done with it. */
	close(): void {
		this.handlers = undefined;
		if (this.state === "answering" && !this.lost) this.linger();
		else if (this.state !== "lingering") this.destroy();
	}

	/** Ends it without telling the server. */
	abandon(): void {
		this.handlers = undefined;
		this.destroy();
	}

	/** The listener's clock. */
	tick(): void {
		if (this.upgraded) return;
		this.ticks -= 1;
		if (this.ticks > 0) return;
		if (this.state === "lingering") this.destroy();
		else if (this.state === "answering" || !this.stands()) this.ended();
		else this.refuse(REQUEST_TIMEOUT);
	}

	arrived(count: number): void {
		this.available = count;
		if (!this.stands()) this.ended();
		else if (this.state === "head") this.readHead();
		else if (this.state === "body") this.tellBody();
		else if (this.state !== "waiting") this.drop();
	}

	taken(count: number): void {
		if (this.state === "answering") this.ticks = ANSWER_TICKS;
		this.writable = count;
		this.handlers?.onWritable(count);
	}

	/** Given up, too. */
	ended(): void {
		this.lost = true;
		this.fail();
		this.destroy();
	}

	private readHead(): void {
		const { head, tcp } = this;
		if (!head) return;
		tcp.format = "number";
		let result: number = Head.MORE;
		for (; this.available > 0 && result === Head.MORE; this.available--) {
			result = head.write(tcp.read() as number);
		}
		tcp.format = "buffer";
		if (result === Head.MORE) return;
		if (result === Head.END) {
			this.state = "waiting";
			this.listener.offer(this);
		} else this.refuse(result);
	}

	/** The server gets the head, then what has come of the body. */
	private begin(): void {
		const { head } = this;
		if (!head || this.state !== "waiting") return;
		this.state = "body";
		this.ticks = BODY_TICKS;
		this.upgraded = head.upgrades;
		this.remaining = this.upgraded ? UNBOUNDED : (head.bodyLength ?? 0);
		if (head.bodyLength === undefined) this.chunks = new Chunks();
		this.handlers?.onWritable(this.writable);
		this.tellHead(head.length);
		this.head = undefined;
		if (this.isBody && head.expectsContinue && !this.deferred) this.proceed();
		if (this.isBody) this.tellBody();
	}

	/** Its state changes from within calls of the server. */
	private get isBody(): boolean {
		return this.state === "body";
	}

	/**
	 * Tells of no more than the body: what comes behind it would end the connection. Of chunks it tells whole lines,
	 * since the server may loop for ever over part of one.
	 */
	private tellBody(): void {
		if (!this.isBody) return;
		if (this.chunks && this.remaining === 0 && !this.readFraming(this.chunks)) return;
		const count = this.frame.length + Math.min(this.available, this.remaining);
		if (count > 0) this.handlers?.onReadable(count);
		else this.drop();
	}

	/** Whether a chunk, or the end of the last one, has come. */
	private readFraming(chunks: Chunks): boolean {
		// In a turn of its own the connection may have gone since the bytes came.
		if (!this.stands()) {
			this.ended();
			return false;
		}
		let result: number = Chunk.MORE;
		this.tcp.format = "number";
		for (; this.available > 0 && result === Chunk.MORE; this.available--) {
			result = chunks.write(this.tcp.read() as number);
		}
		this.tcp.format = "buffer";
		if (result === Chunk.FAULT) this.refuse(BAD_REQUEST);
		if (result === Chunk.MORE || result === Chunk.FAULT) return false;
		if (result === Chunk.END) this.chunks = undefined;
		else this.remaining = result;
		this.frame = result === Chunk.END ? "0\r\n\r\n" : `${result.toString(16)}\r\n`;
		return true;
	}

	private tellHead(count: number): void {
		current = this;
		this.handlers?.onReadable(count);
		current = undefined;
	}

	private drop(): void {
		if (!this.stands()) this.available = 0;
		for (; this.available > 0; this.available -= Math.min(this.available, DROP_MAX)) {
			this.tcp.read(Math.min(this.available, DROP_MAX));
		}
	}

	/** Answers in the place of the server, to which the connection has failed. */
	private refuse(status: number): void {
		this.send(refusal(status));
		this.linger();
		this.fail();
	}

	private fail(): void {
		const { handlers } = this;
		this.handlers = undefined;
		handlers?.onError();
	}

	private send(text: string): void {
		try {
			this.tcp.write(ArrayBuffer.fromString(text));
		} catch {
			// The client has gone.
		}
	}

	private linger(): void {
		this.state = "lingering";
		this.ticks = LINGER_TICKS;
		this.drop();
	}

	private destroy(): void {
		if (this.state === "closed") return;
		this.state = "closed";
		this.head = this.into = undefined;
		this.tcp.close();
		this.listener.remove(this);
	}
}
