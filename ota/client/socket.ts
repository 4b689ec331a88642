/**
 * What the SDK's HTTP client takes for a TCP. The client has no limits, and throws at what it does not expect: so
 * it gets each answer in the form that it understands, from here. States, in order:
 *   head     the answer's head is read here
 *   passing  it passes as a whole, in a turn of its own: the engine's stack would not do
 *   framing  what lies between the chunks of a body is read here
 *   body     bytes pass
 *   ended    nothing passes any more
 */
import type TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import { Chunk, Chunks } from "../http/chunks";
import { Head } from "../http/head-reader";
import { UNBOUNDED } from "../http/limits";
import { ResponseHead } from "./response-head";
import { nameOf } from "./url";

type Constructor = new (options: Record<string, unknown>) => TCP;

/** Who asked, and is told what the client does not know. */
export interface SocketOwner {
	/** The answer is none of HTTP, or too large. */
	malformed(): void;
	/** The whole body has come. */
	complete(): void;
}

interface ClientSocketOptions {
	/** TCP or TLS, and what that wants beside its place. */
	transport: { io: unknown; [option: string]: unknown };
	owner: SocketOwner;
	address: string;
	host: string;
	port: number;
	onReadable(count: number): void;
	onWritable(count: number): void;
	onError(): void;
}

export class ClientSocket {
	private readonly options: ClientSocketOptions;
	private tcp: TCP;
	private state: "head" | "passing" | "framing" | "body" | "ended" = "head";
	/** From the first byte until the client has read it. */
	private head: ResponseHead | undefined;
	private headRead = 0;
	/** The body ends with the connection. */
	private isOpen = false;
	/** Bytes that wait in the socket. */
	private available = 0;
	/** Bytes of the body, or of its chunk, that are still to come. */
	private remaining = UNBOUNDED;
	private byByte = false;
	private chunks: Chunks | undefined;
	private turn: Timer | undefined;
	private readonly nothing = new Uint8Array(0);
	/** The server has ended the connection, and what waits is all of it. */
	private finished = false;

	constructor(options: ClientSocketOptions) {
		const { address, host, port } = options;
		this.options = options;
		this.tcp = this.open({ address, host: nameOf(host), port });
	}

	/** The client reads lines byte by byte, bodies in buffers. */
	set format(format: "buffer" | "number") {
		this.byByte = format === "number";
	}

	read(into: Uint8Array): number | undefined {
		if (this.byByte) {
			this.headRead += 1;
			return this.head?.kept[this.headRead - 1];
		}
		const count = into.length;
		if (this.state !== "body" || count > Math.min(this.available, this.remaining)) return undefined;
		if (!this.finished && !this.stands()) {
			this.adopt();
			if (!this.finished) return undefined;
		}
		this.tcp.read(into);
		this.available -= count;
		this.remaining -= count;
		if (this.remaining === 0) this.bodyEnd();
		else if (this.finished && this.available === 0) this.later();
		return count;
	}

	write(bytes: ByteBuffer): number {
		// The SDK's typings leave out what it gives.
		return (this.tcp.write(bytes) as unknown as number | undefined) ?? 0;
	}

	close(): void {
		this.state = "ended";
		Timer.clear(this.turn);
		this.turn = undefined;
		this.tcp.close();
	}

	/** A connection to a place, or the one that another TCP had. */
	private open(place: Record<string, unknown>): TCP {
		const { transport, onWritable } = this.options;
		const { io, ...more } = transport;
		return new (io as Constructor)({
			...more,
			...place,
			nodelay: true,
			onReadable: (count: number) => this.arrived(count),
			onWritable,
			onError: () => this.lost(),
		});
	}

	private arrived(count: number): void {
		this.available = count;
		if (this.finished || this.stands()) this.advance();
		else this.adopt();
	}

	/**
	 * The connection has ended, and bytes wait. To read them is safe where the server has closed it, but crashes
	 * the ESP8266 where it was reset; of one that was reset no other TCP can be made.
	 */
	private adopt(): void {
		try {
			this.tcp = this.open({ from: this.tcp });
			this.finished = true;
		} catch {
			this.lost();
		}
	}

	/** Takes what it can of what has come, and offers the rest. */
	private advance(): void {
		if (this.state === "head") this.readHead();
		else if (this.state === "passing") this.passHead();
		if (this.state === "framing" && this.available > 0) this.readFraming();
		const count = Math.min(this.available, this.remaining);
		if (this.state === "body" && count > 0) this.options.onReadable(count);
		else if (this.finished && this.available === 0 && this.state !== "ended") this.lost();
	}

	/**
	 * Whether the connection stands. On the ESP8266 the SDK's read crashes the chip when the peer has reset the
	 * connection, which only a write tells before it: one of nothing is harmless. A TLS socket reads ahead itself.
	 */
	private stands(): boolean {
		if (this.options.transport.TCP !== undefined) return true;
		try {
			return this.tcp.write(this.nothing) !== undefined;
		} catch {
			return false;
		}
	}

	private readHead(): void {
		this.head ??= new ResponseHead();
		const { head } = this;
		let result: number = Head.MORE;
		this.tcp.format = "number";
		for (; this.available > 0 && result === Head.MORE; this.available--) {
			result = head.write(this.tcp.read() as number);
		}
		this.tcp.format = "buffer";
		if (result === Head.MORE) return;
		if (result === Head.END) {
			this.state = "passing";
			this.later();
		} else this.fail();
	}

	private passHead(): void {
		const { head } = this;
		if (!head) return;
		this.state = "body";
		this.isOpen = head.isOpen;
		if (head.isChunked) {
			this.state = "framing";
			this.chunks = new Chunks();
		} else if (!head.isOpen) this.remaining = head.bodyLength ?? 0;
		if (this.remaining === 0) this.options.owner.complete();
		this.options.onReadable(head.length);
		this.head = undefined;
	}

	private readFraming(): void {
		let result: number = Chunk.MORE;
		this.tcp.format = "number";
		for (; this.available > 0 && result === Chunk.MORE; this.available--) {
			result = this.chunks?.write(this.tcp.read() as number) ?? Chunk.FAULT;
		}
		this.tcp.format = "buffer";
		if (result === Chunk.FAULT) this.fail();
		else if (result === Chunk.END) this.end();
		else if (result !== Chunk.MORE) {
			this.state = "body";
			this.remaining = result;
		}
	}

	private bodyEnd(): void {
		if (!this.chunks) {
			this.state = "ended";
			this.options.owner.complete();
			return;
		}
		this.state = "framing";
		this.later();
	}

	/** From within a call of the client nothing may be offered. */
	private later(): void {
		this.turn ??= Timer.set(() => {
			this.turn = undefined;
			this.advance();
		});
	}

	/** The last chunk has come. To the client a body without a length ends with its connection. */
	private end(): void {
		this.state = "ended";
		this.options.owner.complete();
		this.options.onError();
	}

	private lost(): void {
		if (this.state === "body" && this.isOpen) this.options.owner.complete();
		this.state = "ended";
		this.options.onError();
	}

	private fail(): void {
		this.state = "ended";
		this.options.owner.malformed();
		this.options.onError();
	}
}
