/** `embedded:io/socket/tcp` as the SDK's lwIP port of the ESP8266 behaves, on node:net. */
import { createConnection, type Socket } from "node:net";
import { bytesOf, toArrayBuffer } from "./bytes";

/** lwIP's receive window and send buffer on the ESP8266: four and two segments. */
const WINDOW = 4 * 1460;
const SEND_BUFFER = 2 * 1460;

type Callback = ((this: TCP, count: number) => void) | undefined;

interface Options {
	address?: string;
	host?: string;
	port?: number;
	from?: TCP | Accepted;
	nodelay?: boolean;
	format?: string;
	target?: unknown;
	onReadable?: Callback;
	onWritable?: Callback;
	onError?: Callback;
}

/** A connection that a Listener has accepted. */
export class Accepted {
	readonly socket: Socket;

	constructor(socket: Socket) {
		this.socket = socket;
	}
}

export default class TCP {
	target: unknown;
	#socket: Socket | undefined;
	#format = "buffer";
	readonly #onReadable: Callback;
	readonly #onWritable: Callback;
	readonly #onError: Callback;
	/** Inside the window: what code may read. */
	#window: Uint8Array[] = [];
	#available = 0;
	/** Behind the window: what a real peer would not have been allowed to send yet. */
	#backlog: Uint8Array[] = [];
	/** Written and not yet taken by the network. */
	#unsent = 0;
	#ready = false;
	/** The connection failed or ended. */
	#ended = false;
	#open = true;

	constructor(options: Options) {
		if (options === undefined) throw new TypeError("no options");
		if (options.format !== undefined) this.format = options.format;
		if (options.target !== undefined) this.target = options.target;
		this.#onReadable = callback(options.onReadable);
		this.#onWritable = callback(options.onWritable);
		this.#onError = callback(options.onError);
		const { from } = options;
		if (from instanceof Accepted) this.#attach(from.socket, true);
		else if (from !== undefined) this.#adopt(from);
		else this.#connect(options);
		if (options.nodelay !== undefined) this.#socket?.setNoDelay(options.nodelay);
	}

	get format(): string {
		this.#check();
		return this.#format;
	}

	set format(value: string) {
		this.#check();
		if (value !== "buffer" && value !== "number") throw new RangeError("unknown format");
		this.#format = value;
	}

	get remoteAddress(): string | undefined {
		this.#check();
		return this.#socket?.remoteAddress;
	}

	get remotePort(): number | undefined {
		this.#check();
		return this.#socket?.remotePort;
	}

	/** All, exactly `wanted` bytes, or as many as a buffer has: more than there are is an error, as in lwIP's port. */
	read(wanted?: unknown): ArrayBuffer | number | undefined {
		this.#check();
		if (this.#available === 0) return undefined;
		if (this.#format === "number") return this.#take(new Uint8Array(1))[0];
		if (wanted === undefined || typeof wanted === "number") {
			return toArrayBuffer(this.#take(new Uint8Array(wanted ?? this.#available)));
		}
		return this.#take(bytesOf(wanted)).length;
	}

	write(data: unknown): number | undefined {
		this.#check();
		if (!this.#ready) throw new Error("not ready");
		if ((typeof data === "number") !== (this.#format === "number")) throw new TypeError("wrong format");
		if (this.#ended || !this.#socket) return undefined;
		const bytes = typeof data === "number" ? Uint8Array.of(data) : bytesOf(data).slice();
		if (bytes.length > SEND_BUFFER - this.#unsent) throw new Error("would block");
		this.#unsent += bytes.length;
		this.#socket.write(bytes, () => {
			this.#unsent -= bytes.length;
			this.#post(() => this.#tellWritable());
		});
		return SEND_BUFFER - this.#unsent;
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		const socket = this.#detach();
		socket?.on("error", () => {});
		// lwIP resets a connection that is closed on unread bytes, and the peer may lose what it was sent.
		if (this.#available > 0) socket?.resetAndDestroy();
		else socket?.destroySoon();
	}

	#connect({ address, host, port }: Options): void {
		if (!Number.isInteger(port) || Number(port) < 0 || Number(port) > 65535)
			throw new RangeError("invalid port");
		if (address === undefined && host === undefined) throw new Error("invalid address");
		const socket = createConnection({ host: address ?? host ?? "", port: Number(port), allowHalfOpen: true });
		socket.once("connect", () => {
			this.#ready = true;
			this.#post(() => this.#tellWritable());
		});
		this.#attach(socket, false);
	}

	#adopt(from: TCP): void {
		const socket = from instanceof TCP ? from.#detach() : undefined;
		if (!socket) throw new SyntaxError("invalid from");
		this.#window = from.#window;
		this.#backlog = from.#backlog;
		this.#available = from.#available;
		from.#available = 0;
		from.close();
		this.#attach(socket, from.#ready);
		this.#ended = from.#ended;
		if (this.#available > 0) this.#post(() => this.#tellReadable());
	}

	#attach(socket: Socket, ready: boolean): void {
		this.#socket = socket;
		this.#ready = ready;
		socket.on("data", (bytes: Uint8Array) => {
			this.#backlog.push(bytes);
			this.#refill();
		});
		const ended = () => {
			if (this.#ended) return;
			this.#ended = true;
			this.#post(() => this.#tellEnded());
		};
		for (const event of ["error", "end", "close"]) socket.on(event, ended);
		if (ready) this.#post(() => this.#tellWritable());
	}

	#detach(): Socket | undefined {
		const socket = this.#socket;
		this.#socket = undefined;
		for (const event of ["data", "error", "end", "close", "connect"]) socket?.removeAllListeners(event);
		return socket;
	}

	/** Lets into the window what fits, and tells of it. */
	#refill(): void {
		let came = false;
		for (let next = this.#backlog[0]; next && this.#available < WINDOW; next = this.#backlog[0]) {
			const part = next.subarray(0, WINDOW - this.#available);
			this.#window.push(part);
			this.#available += part.length;
			if (part.length < next.length) this.#backlog[0] = next.subarray(part.length);
			else this.#backlog.shift();
			came = true;
		}
		if (this.#backlog.length > 0) this.#socket?.pause();
		else this.#socket?.resume();
		if (came) this.#post(() => this.#tellReadable());
	}

	#take(target: Uint8Array): Uint8Array {
		if (target.length === 0 || target.length > this.#available) throw new Error("invalid");
		for (let filled = 0; filled < target.length; ) {
			const first = this.#window[0] ?? new Uint8Array(0);
			const part = first.subarray(0, target.length - filled);
			target.set(part, filled);
			filled += part.length;
			if (part.length < first.length) this.#window[0] = first.subarray(part.length);
			else this.#window.shift();
		}
		this.#available -= target.length;
		this.#refill();
		if (this.#ended && this.#available === 0) this.#post(() => this.#tellEnded());
		return target;
	}

	/** Calls back in a turn of the event loop of its own, unless closed by then. */
	#post(tell: () => void): void {
		setImmediate(() => {
			if (this.#open && this.#socket) tell();
		});
	}

	#tellReadable(): void {
		if (this.#available > 0) this.#onReadable?.call(this, this.#available);
	}

	#tellWritable(): void {
		if (!this.#ended) this.#onWritable?.call(this, SEND_BUFFER - this.#unsent);
	}

	#tellEnded(): void {
		if (this.#available === 0) this.#onError?.call(this, 0);
	}

	#check(): void {
		if (!this.#open) throw new SyntaxError("closed");
	}
}

function callback(value: Callback): Callback {
	if (value !== undefined && typeof value !== "function") throw new TypeError("no function");
	return value;
}
