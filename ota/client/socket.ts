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
import { BAD_REQUEST, Head } from "../http/head-reader";
import { UNBOUNDED } from "../http/limits";
import { ResponseHead } from "./response-head";
import { nameOf } from "./url";

type Constructor = new (options: Record<string, unknown>) => TCP;

/** A TLS socket's TCP, and its options. */
interface Carrier {
	io: Constructor;
	[option: string]: unknown;
}

/** Who asked, and is told what the client does not know. */
export interface SocketOwner {
	/** The answer is none of HTTP, or too large: the status that a request of this kind would be refused with. */
	malformed(status: number): void;
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
	/** How the connection has ended, where it has: what waits then is all of it, of one that was reset nothing. */
	private how: "ended" | "closed" | "reset" | undefined;
	/** The TCP that took over has told of all that waits. */
	private settled = false;

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
		if (!this.how && !this.stands()) this.adopt();
		if (this.how === "reset") return undefined;
		this.tcp.read(into);
		this.available -= count;
		this.remaining -= count;
		if (this.remaining === 0) this.bodyEnd();
		else if (this.how && this.available === 0) this.later();
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
	private open(place: Record<string, unknown>, onWritable = this.options.onWritable): TCP {
		const { transport } = this.options;
		const { io, ...more } = transport;
		if (more.TCP !== undefined) more.TCP = guarded(more.TCP as Carrier, () => this.lost("reset"));
		return new (io as Constructor)({
			...more,
			...place,
			nodelay: true,
			onReadable: (count: number) => this.arrived(count),
			onWritable,
			onError: () => this.lost("ended"),
		});
	}

	private arrived(count: number): void {
		this.available = count;
		if (this.state === "passing") this.later();
		else if (this.how || this.stands()) this.advance();
		else this.adopt();
	}

	private lost(how: "ended" | "reset"): void {
		this.how ??= how;
		this.available = 0;
		this.later();
	}

	/**
	 * The connection has ended, and bytes wait. To read them is safe where the server has closed it, but crashes
	 * the ESP8266 where it was reset; of one that was reset no other TCP can be made. The new one tells first what
	 * waits, then that it may be written to.
	 */
	private adopt(): void {
		try {
			this.tcp = this.open({ from: this.tcp }, () => {
				this.settled = true;
				this.later();
			});
			this.how = "closed";
		} catch {
			this.how = "reset";
			this.lost("reset");
		}
	}

	/** Takes what it can of what has come, and offers the rest. */
	private advance(): void {
		if (this.state === "head") this.readHead();
		else if (this.state === "passing") this.passHead();
		if (this.state === "framing" && this.available > 0) this.readFraming();
		const count = Math.min(this.available, this.remaining);
		if (this.state === "body" && count > 0) this.offer(count);
		else if (this.how && this.available === 0 && this.state !== "passing") {
			if (this.how !== "closed" || this.settled) this.over();
		}
	}

	/** The client throws at an answer that comes before all of its question is sent. */
	private offer(count: number): void {
		try {
			this.options.onReadable(count);
		} catch {
			this.fail(BAD_REQUEST);
		}
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
		} else this.fail(result);
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
		this.offer(head.length);
		this.head = undefined;
	}

	private readFraming(): void {
		let result: number = Chunk.MORE;
		this.tcp.format = "number";
		for (; this.available > 0 && result === Chunk.MORE; this.available--) {
			result = this.chunks?.write(this.tcp.read() as number) ?? Chunk.FAULT;
		}
		this.tcp.format = "buffer";
		if (result === Chunk.FAULT) this.fail(BAD_REQUEST);
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

	/** From within a call of the client nothing may be offered. Until the turn comes the connection may end. */
	private later(): void {
		this.turn ??= Timer.set(() => {
			this.turn = undefined;
			if (this.how || this.available === 0 || this.stands()) this.advance();
			else this.adopt();
		});
	}

	/** The last chunk has come. To the client a body without a length ends with its connection. */
	private end(): void {
		this.state = "ended";
		this.options.owner.complete();
		this.options.onError();
	}

	/** Nothing is left to read: to a body without a length that is its end, where the server has closed. */
	private over(): void {
		const { transport, owner } = this.options;
		// Of a connection that was reset no other TCP can be made.
		if (this.isOpen && transport.TCP === undefined && this.how === "ended") this.adopt();
		if (this.state === "body" && this.isOpen && this.how !== "reset") owner.complete();
		this.state = "ended";
		this.options.onError();
	}

	/** `status`: that of the fault. */
	private fail(status: number): void {
		this.state = "ended";
		this.options.owner.malformed(status);
		this.options.onError();
	}
}

/** The TCP of a TLS socket, whose callbacks throw where the server is not the one that it should be. */
function guarded({ io, ...more }: Carrier, onFault: () => void): Carrier {
	return {
		...more,
		io: class extends io {
			constructor(options: Record<string, unknown>) {
				const { onReadable } = options;
				super({
					...options,
					onReadable(this: unknown, count: number): void {
						try {
							(onReadable as (count: number) => void).call(this, count);
						} catch {
							onFault();
						}
					},
				});
			}
		},
	};
}
