/** `embedded:io/socket/tcp` as the SDK's lwIP port of the ESP8266 (modules/io/socket/lwip/tcp.c) behaves. */
import { createConnection, isIPv4 } from "node:net";
import { callbackOf, formatOf, integerOf, portOf } from "./arguments";
import { bytesOf, toArrayBuffer } from "./bytes";
import { Connection, type Event } from "./connection";

const formats = ["buffer", "number"] as const;

interface Options {
	address?: string;
	port?: number;
	/** A TCP, or what a Listener has accepted. */
	from?: TCP | Connection;
	nodelay?: boolean;
	format?: string;
	target?: unknown;
	onReadable?(this: TCP, bytes: number): void;
	onWritable?(this: TCP, bytes: number): void;
	onError?(this: TCP): void;
}

export default class TCP {
	target: unknown;
	#format: (typeof formats)[number] = "buffer";
	readonly #onReadable: ((this: TCP, bytes: number) => void) | undefined;
	readonly #onWritable: ((this: TCP, bytes: number) => void) | undefined;
	readonly #onError: ((this: TCP) => void) | undefined;
	/** Undefined once closed, or adopted by another. */
	#connection: Connection | undefined;
	/** What happened since the last delivery. */
	#triggered = new Set<Event>();
	/** The end has been delivered. */
	#failed = false;

	constructor(options: Options) {
		if (options === undefined) throw new TypeError("no options");
		if (options.format) this.#format = formatOf(options.format, formats);
		if ("target" in options) this.target = options.target;
		this.#onReadable = callbackOf(options.onReadable);
		this.#onWritable = callbackOf(options.onWritable);
		this.#onError = callbackOf(options.onError);
		if ("from" in options) this.#adopt(options.from);
		else this.#hold(connect(options));
		if ("nodelay" in options) this.#connection?.socket.setNoDelay(Boolean(options.nodelay));
	}

	get format(): string {
		TCP.#connectionOf(this);
		return this.#format;
	}

	set format(value: string) {
		TCP.#connectionOf(this);
		this.#format = formatOf(value, formats);
	}

	get remoteAddress(): string | undefined {
		// Node's listener is of both families, lwIP's knows IPv4 only.
		return TCP.#connectionOf(this).socket.remoteAddress?.replace(/^::ffff:/, "");
	}

	get remotePort(): number | undefined {
		return TCP.#connectionOf(this).socket.remotePort;
	}

	/** All, so many bytes, or as many as a buffer has; in format "number" one byte. */
	read(...wanted: readonly unknown[]): ArrayBuffer | number | undefined {
		const connection = TCP.#connectionOf(this);
		const { available } = connection;
		if (available === 0) return undefined;
		if (this.#format === "number") return this.#take(connection, new Uint8Array(1))[0];
		const what = wanted.length === 0 ? available : wanted[0];
		const buffer = typeof what === "object" ? bytesOf(what) : undefined;
		const length = buffer?.length ?? integerOf(what);
		if (length <= 0 || length > available) throw new Error("invalid");
		const bytes = this.#take(connection, buffer ?? new Uint8Array(length));
		return buffer ? length : toArrayBuffer(bytes);
	}

	write(data: unknown): number | undefined {
		const connection = TCP.#connectionOf(this);
		// The port takes the readiness away when it delivers the end, before what is left to read.
		if (!connection.ready) throw new Error("not ready");
		if (connection.lost) return undefined;
		if ((typeof data === "number") !== (this.#format === "number")) throw new TypeError("wrong format");
		const bytes = typeof data === "number" ? Uint8Array.of(data) : bytesOf(data).slice();
		if (bytes.length > connection.writable) throw new Error("would block");
		connection.write(bytes);
		return connection.writable;
	}

	close(): void {
		const tcp = TCP.#of(this);
		tcp.#connection?.close();
		tcp.#connection = undefined;
	}

	#adopt(from: unknown): void {
		if (from instanceof Connection) {
			this.#hold(from);
			return;
		}
		const connection = TCP.#connectionOf(from);
		if (connection.lost) throw new Error("invalid from");
		const old = TCP.#of(from);
		old.#connection = undefined;
		this.#hold(connection);
		for (const event of old.#triggered) this.#trigger(event);
		this.#trigger("writable");
		this.#trigger("readable");
	}

	#hold(connection: Connection): void {
		this.#connection = connection;
		connection.tell = (event) => this.#trigger(event);
	}

	#take(connection: Connection, target: Uint8Array): Uint8Array {
		connection.read(target);
		if (this.#failed && connection.available === 0) this.#trigger("error");
		return target;
	}

	/** All that happens until the event loop turns is delivered at once. */
	#trigger(event: Event): void {
		if (this.#triggered.size === 0) setImmediate(() => this.#deliver());
		this.#triggered.add(event);
	}

	/** The port's tcpDeliver, in its order. */
	#deliver(): void {
		const triggered = this.#triggered;
		this.#triggered = new Set();
		const connection = this.#connection;
		if (!connection) return;
		if (triggered.has("error")) {
			this.#failed = true;
			connection.ready = false;
		} else if (triggered.has("output")) connection.send();
		if (triggered.has("readable") && connection.available > 0) {
			this.#onReadable?.call(this, connection.available);
		}
		if (!this.#connection) return;
		if (this.#failed) {
			if (connection.available === 0) this.#onError?.call(this);
		} else if (triggered.has("writable")) this.#onWritable?.call(this, connection.writable);
	}

	static #of(it: unknown): TCP {
		const object: object = Object(it);
		if (!(#connection in object)) throw new SyntaxError("not a TCP");
		return object;
	}

	static #connectionOf(it: unknown): Connection {
		const connection = TCP.#of(it).#connection;
		if (!connection) throw new SyntaxError("closed");
		return connection;
	}
}

function connect(options: Options): Connection {
	const host = `${options.address}`;
	if (!isIPv4(host)) throw new Error("invalid address");
	return new Connection(createConnection({ host, port: portOf(options.port), allowHalfOpen: true }));
}
