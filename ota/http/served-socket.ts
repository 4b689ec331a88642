import type { BoundedSocket, Handlers } from "./socket";

/** Characters between two chunks: line ends, a size and its extensions. */
const CHUNK_LINE_MAX = 64;
const LINE_FEED = 10;

/**
 * A connection as the SDK's HTTP server uses it: what it takes for a TCP. The server takes a connection over with
 * `new from.constructor({ from, … })`.
 */
export class ServedSocket {
	private readonly socket: BoundedSocket;
	private byByte = false;
	/** Bytes of the head that the server has read, and of lines in a chunked body since it has read others. */
	private headRead = 0;
	private chunkLine = 0;

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
		if (head && this.byByte) {
			this.headRead += 1;
			return head.kept[this.headRead - 1];
		}
		if (socket.state !== "body" || socket.available === 0) return undefined;
		if (!socket.stands()) {
			socket.expire();
			return this.byByte ? LINE_FEED : undefined;
		}
		if (this.byByte) return this.readChunkLine();
		this.chunkLine = 0;
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
			return socket.tcp.write(bytes) ?? 0;
		} catch {
			// The connection has ended; onError comes when all that was received has been read.
			return 0;
		}
	}

	close(): void {
		this.socket.close();
	}

	/** The server gathers such a line without a limit. */
	private readChunkLine(): number {
		const { tcp } = this.socket;
		this.socket.take(1);
		tcp.format = "number";
		const byte = tcp.read() as number;
		tcp.format = "buffer";
		this.chunkLine += 1;
		if (this.chunkLine <= CHUNK_LINE_MAX) return byte;
		this.socket.expire();
		return LINE_FEED;
	}
}
