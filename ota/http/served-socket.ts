import type { BoundedSocket } from "./socket";

const LINE_FEED = 10;

/** The server's. */
export interface Handlers {
	onReadable(count: number): void;
	onWritable(count: number): void;
	onError(): void;
}

/**
 * A connection as the SDK's HTTP server uses it: what it takes for a TCP. The server takes a connection over with
 * `new from.constructor({ from, … })`.
 */
export class ServedSocket {
	private readonly socket: BoundedSocket;
	private byByte = false;
	/** Bytes of the head that the server has read. */
	private headRead = 0;

	constructor(options: { from: BoundedSocket } | ({ from: ServedSocket } & Partial<Handlers>)) {
		const { from } = options;
		if (!(from instanceof ServedSocket)) {
			this.socket = from;
			return;
		}
		const { onReadable, onWritable, onError } = options as Partial<Handlers>;
		this.socket = from.socket;
		if (onReadable && onWritable && onError) this.socket.serve({ onReadable, onWritable, onError });
	}

	/** The server reads lines byte by byte, bodies in buffers. */
	set format(format: "buffer" | "number") {
		this.byByte = format === "number";
	}

	read(count: number): ArrayBuffer | Uint8Array | number | undefined {
		const socket = this.socket;
		const { head, into } = socket;
		if (this.byByte) return head ? head.kept[this.headRead++] : this.readFrame();
		if (socket.state !== "body" || socket.available === 0) return undefined;
		if (!socket.stands()) {
			socket.expire();
			return undefined;
		}
		socket.take(count);
		if (!into || into.length < count) return socket.tcp.read(count);
		const piece = into.length === count ? into : into.subarray(0, count);
		socket.tcp.read(piece);
		return piece;
	}

	/** Gives what is still writable. */
	write(bytes: ByteBuffer): number {
		const socket = this.socket;
		socket.answering();
		if (socket.state !== "answering" && socket.state !== "body") return 0;
		try {
			const writable = socket.tcp.write(bytes);
			if (typeof writable === "number") return writable;
		} catch {
			// The connection has ended.
		}
		// The SDK tells it only when all that was received has been read, which nobody does any more.
		socket.expire();
		return 0;
	}

	close(): void {
		this.socket.close();
	}

	/** Whatever happens, the line ends. */
	private readFrame(): number {
		const { frame } = this.socket;
		this.socket.frame = frame.slice(1);
		return frame === "" ? LINE_FEED : frame.charCodeAt(0);
	}
}
