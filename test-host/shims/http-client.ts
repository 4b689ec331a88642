/**
 * `embedded:network/http/client` as the SDK's own (examples/io/tcp/httpclient) behaves, its faults included: what
 * works here works there. One source for both engines: it stands on the `io` that are handed in, on the timer and
 * on the SDK's globals. What is cast to what it is while the connection is open throws TypeError later, as there.
 */
import type { HTTPClientOptions, HTTPClientRequest, HTTPRequestOptions } from "embedded:network/http/client";
import Timer from "timer";

const COLON = 58;
const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;
const LINE_END = "\r\n";
/** What the frame of a chunk may take of the writable count. */
const CHUNK_FRAME = 8;
const MORE = Object.freeze({ more: true });

/** A TCP, or what encrypts one, as this module uses it. */
interface Socket {
	format: "buffer" | "number";
	read(wanted?: number | ByteBuffer): ArrayBuffer | number | undefined;
	/** What is still writable; undefined where the connection is lost. */
	write(data: ByteBuffer, options?: typeof MORE): number | undefined;
	close(): void;
}

type SocketConstructor = new (options: object) => Socket;

type State =
	| "disconnected"
	| "connected"
	| "sendRequest"
	| "sendHeader"
	| "sendBody"
	| "receiveStatus"
	| "receiveHeader"
	| "receiveValue"
	| "skipValue"
	| "receiveBody"
	| "receivedBody"
	| "receiveTrailer"
	| "completing"
	| "error"
	| "closed";

/** A request's options, and what the application has of it. */
interface Exchange extends HTTPRequestOptions {
	request?: HTTPClientRequest;
}

/** As the SDK takes it: 0x10 is 16, and what is no number is NaN. */
function numberOf(value: unknown): number {
	// biome-ignore lint/correctness/useParseIntRadix: the SDK's has none
	return Number.parseInt(`${value}`);
}

export default class HTTPClient {
	static readonly #Request = class implements HTTPClientRequest {
		readonly #client: HTTPClient;

		constructor(client: HTTPClient) {
			this.#client = client;
		}

		read(wanted: number | ByteBuffer = this.#client.#readable): ArrayBuffer | number | undefined {
			const client = this.#client;
			if ((client.#current as Exchange).request !== this) throw new Error("bad state");
			if (client.#state !== "receiveBody") return undefined;
			let target = wanted;
			let length = typeof wanted === "object" ? wanted.byteLength : wanted;
			if (typeof target === "object" && "BYTES_PER_ELEMENT" in target && Number(target.BYTES_PER_ELEMENT) > 1)
				throw new Error("invalid buffer");
			const available = Math.min(client.#readable, Number(client.#chunk ?? client.#remaining));
			if (length > available) {
				length = available;
				if (ArrayBuffer.isView(target)) target = new Uint8Array(target.buffer, target.byteOffset, length);
				else target = typeof target === "object" ? new Uint8Array(target, 0, length) : length;
			}
			client.#readable -= length;
			if (client.#chunk === undefined) client.#remaining = Number(client.#remaining) - length;
			else client.#chunk -= length;
			// Nothing to read is an error of the socket where bytes wait that are not the body's.
			const result = (client.#socket as Socket).read(target);
			if (client.#chunk === 0) {
				client.#line = "";
				if (client.#readable) {
					client.#timer = Timer.set(() => {
						client.#timer = undefined;
						client.#onReadable(client.#readable);
					});
				}
			} else if (client.#remaining === 0) {
				client.#state = "receivedBody";
				client.#timer = Timer.set(() => client.#done());
			}
			return result;
		}

		/** Part of the body; nothing is the end of one in chunks. What is still writable. */
		write(data?: ByteBuffer): number {
			const client = this.#client;
			if ((client.#current as Exchange).request !== this) throw new Error("bad state");
			if (client.#state !== "sendBody") throw new Error("bad state");
			if (!data) {
				if (client.#body !== true) throw new Error("bad data");
				// #position stays behind the head's last line, as in the SDK: the first two bytes are not sent.
				client.#pending = ArrayBuffer.fromString("0\r\n\r\n");
				client.#body = false;
				return 0;
			}
			const { byteLength } = data;
			if (client.#body === true) {
				if (byteLength + CHUNK_FRAME > Number(client.#writable)) throw new Error("would block");
				client.#send(ArrayBuffer.fromString(byteLength.toString(16) + LINE_END), MORE);
				client.#send(data, MORE);
				client.#send(ArrayBuffer.fromString(LINE_END));
				return Math.max(Number(client.#writable ?? 0) - CHUNK_FRAME, 0);
			}
			if (byteLength > Number(client.#writable) || byteLength > Number(client.#body))
				throw new Error("would block");
			client.#send(data);
			client.#body = Number(client.#body) - byteLength;
			if (client.#body !== 0) return Math.min(Number(client.#writable), client.#body);
			client.#state = "receiveStatus";
			client.#line = "";
			client.#body = false;
			return 0;
		}
	};

	readonly #host: string;
	readonly #onError: HTTPClientOptions["onError"];
	readonly #queue: Exchange[] = [];
	#socket: Socket | undefined;
	#current: Exchange | undefined;
	#state: State = "disconnected";
	/** Bytes that wait, -1 where a line did not end with them. */
	#readable = 0;
	#writable: number | undefined = 0;
	/** To be sent before anything else, and where its rest begins. */
	#pending: ArrayBuffer | undefined;
	#position = 0;
	/** The request's, those that are still to be sent. */
	#next: Iterator<[string, unknown]> | undefined;
	/** Bytes of the request's body that are still to go: true where they go in chunks. */
	#body: number | boolean = false;
	/** What has come of a line; undefined where no line comes next; in a value that is not wanted its last byte. */
	#line: string | number | undefined;
	/** Of the header whose value comes; null where that is not wanted. */
	#name: string | null | undefined;
	#status = 0;
	#reason = "";
	/** The response's, those that are wanted. */
	#headers: Map<string, string> | undefined;
	/** Bytes of the response's body that are still to come. */
	#remaining: number | undefined;
	/** Bytes of the chunk that are still to come; undefined where none come. */
	#chunk: number | undefined;
	#timer: Timer | undefined;

	constructor(options: HTTPClientOptions) {
		const { host, port, onError } = options;
		if (!host) throw new Error("host required");
		this.#host = host;
		this.#onError = onError;
		new options.dns.io(options.dns).resolve({
			host,
			// After close too: then nobody closes the connection.
			onResolved: (name, address) => {
				try {
					this.#socket = new (options.socket.io as unknown as SocketConstructor)({
						...options.socket,
						address,
						host: name,
						port: port ?? 80,
						onReadable: (bytes: number) => this.#onReadable(bytes),
						onWritable: (bytes: number) => this.#onWritable(bytes),
						onError: () => this.#fail(),
					});
				} catch (error) {
					this.#state = "error";
					this.#fail(error);
				}
			},
			onError: (name) => {
				this.#state = "error";
				this.#fail(name);
			},
		});
	}

	close(): void {
		this.#socket?.close();
		this.#socket = undefined;
		Timer.clear(this.#timer);
		this.#timer = undefined;
		this.#current = undefined;
		this.#queue.length = 0;
		this.#state = "closed";
	}

	request(options: HTTPRequestOptions): HTTPClientRequest {
		const exchange: Exchange = { ...options };
		this.#queue.push(exchange);
		if (this.#state === "connected" && this.#queue.length === 1) {
			this.#begin();
			this.#timer = Timer.set(() => {
				this.#timer = undefined;
				this.#onWritable(this.#writable);
			});
		}
		exchange.request = new HTTPClient.#Request(this);
		return exchange.request;
	}

	#onReadable(count: number): void {
		this.#readable = count;
		do {
			if (this.#line !== undefined && !this.#readLine(this.#socket as Socket)) return;
			switch (this.#state) {
				case "receiveStatus":
					this.#takeStatus(this.#line as string);
					break;
				case "receiveHeader":
				case "receiveValue": {
					// A value of nothing at all ends the head too.
					if (this.#line !== LINE_END) {
						this.#takeHeader(this.#line as string, this.#current as Exchange);
						break;
					}
					this.#frame();
					const current = this.#current as Exchange;
					const headers = this.#headers as Map<string, string>;
					current.onHeaders?.call(current.request as HTTPClientRequest, this.#status, headers, this.#reason);
					if (!this.#current) return;
					this.#headers = undefined;
					this.#state = "receiveBody";
					this.#line = this.#chunk === undefined ? undefined : "";
					if (this.#remaining === 0) {
						this.#done();
						return;
					}
					break;
				}
				case "receiveBody": {
					if (this.#chunk === 0 && !this.#takeChunk(this.#line as string)) break;
					const bytes = Math.min(this.#readable, Number(this.#chunk ?? this.#remaining));
					const current = this.#current as Exchange;
					if (bytes || this.#chunk === undefined)
						current.onReadable?.call(current.request as HTTPClientRequest, bytes);
					return;
				}
				case "receiveTrailer":
					if (this.#line !== LINE_END) throw new Error();
					this.#done();
					return;
				default:
					throw new Error();
			}
		} while (this.#readable);
	}

	/** Reads until the line ends; false where it does not, or with a bare line feed. */
	#readLine(socket: Socket): boolean {
		socket.format = "number";
		while (this.#readable--) {
			const byte = socket.read() as number;
			if (this.#state === "skipValue") {
				if (byte === LINE_FEED && this.#line === CARRIAGE_RETURN) {
					this.#line = "";
					this.#state = "receiveHeader";
				} else this.#line = byte;
			} else if (this.#state === "receiveHeader" && byte === COLON) this.#takeName(this.#line as string);
			else {
				this.#line += String.fromCharCode(byte);
				if (byte === LINE_FEED) break;
			}
		}
		socket.format = "buffer";
		// Where the bytes end within a value that is not wanted, this is no string: TypeError.
		return (this.#line as string).endsWith(LINE_END);
	}

	/** The version does not count. */
	#takeStatus(line: string): void {
		const first = line.indexOf(" ");
		const second = line.indexOf(" ", first + 1);
		// Goes on nevertheless: what waits behind the line throws TypeError, nothing being open any more.
		if (first < 0 || second < 0) this.#fail(new Error("bad response"));
		this.#status = numberOf(line.slice(first + 1, second));
		this.#reason = line.slice(second + 1);
		this.#line = "";
		this.#state = "receiveHeader";
		this.#headers = new Map();
		this.#name = undefined;
	}

	#takeName(line: string): void {
		const name = line.toLowerCase();
		const framing = name === "content-length" || name === "transfer-encoding";
		this.#line = name;
		if (!framing && (this.#current as Exchange).headersMask?.includes(name) === false) {
			this.#name = null;
			this.#line = 0;
			this.#state = "skipValue";
		} else {
			this.#name = name;
			this.#line = "";
			this.#state = "receiveValue";
		}
	}

	/** A line without a colon counts as another value of the header before it. */
	#takeHeader(line: string, current: Exchange): void {
		const name = this.#name;
		if (name !== null) {
			const value = line.trim();
			if (current.headersMask?.includes(name as string) !== false)
				(this.#headers as Map<string | undefined, string>).set(name, value);
			if (name === "content-length") this.#remaining = numberOf(value);
			else if (name === "transfer-encoding" && value.toLowerCase() === "chunked") this.#chunk = 0;
		}
		this.#line = "";
		this.#state = "receiveHeader";
	}

	/** How long the body is. That 304 and the answers to HEAD have none is not known. */
	#frame(): void {
		if (this.#status === 204 || this.#status === 205) this.#remaining = 0;
		else if (this.#chunk !== undefined) this.#remaining = undefined;
		else this.#remaining ??= Number.POSITIVE_INFINITY;
		this.#name = undefined;
	}

	/** The length of a chunk; false where it is the last one, or the line that ends the chunk before. */
	#takeChunk(line: string): boolean {
		// It stays in front of the next one's length.
		if (line === LINE_END) return false;
		this.#chunk = Number.parseInt(line.trim(), 16);
		this.#line = undefined;
		if (this.#chunk !== 0) return true;
		this.#state = "receiveTrailer";
		this.#line = "";
		return false;
	}

	#onWritable(count: number | undefined): void {
		this.#writable = count;
		do {
			if (this.#pending && !this.#sendPending(this.#pending)) return;
			switch (this.#state) {
				case "disconnected":
					this.#state = "connected";
					this.#begin();
					if (this.#current) this.#sendRequest(this.#current);
					break;
				case "sendRequest":
					this.#sendRequest(this.#current as Exchange);
					break;
				case "sendHeader":
					this.#sendHeader(this.#next as Iterator<[string, unknown]>);
					break;
				case "sendBody": {
					if (!this.#body) {
						this.#state = "receiveStatus";
						this.#line = "";
						break;
					}
					let writable = Number(this.#writable);
					if (this.#body === true) {
						writable -= CHUNK_FRAME;
						if (writable <= 0) return;
					} else writable = Math.min(writable, this.#body);
					const current = this.#current as Exchange;
					current.onWritable?.call(current.request as HTTPClientRequest, writable);
					break;
				}
				case "closed":
					return;
				default:
			}
		} while (this.#pending && this.#writable);
	}

	/** Whether all of it could be written. */
	#sendPending(pending: ArrayBuffer): boolean {
		const length = Math.min(pending.byteLength - this.#position, Number(this.#writable));
		this.#send(new Uint8Array(pending, this.#position, length));
		this.#position += length;
		if (this.#position !== pending.byteLength) return false;
		this.#pending = undefined;
		return true;
	}

	/** The host goes without the port. */
	#sendRequest({ method, path }: Exchange): void {
		const line = `${method ?? "GET"} ${path || "/"} HTTP/1.1\r\n`;
		this.#pending = ArrayBuffer.fromString(`${line}host: ${this.#host}\r\n`);
		this.#position = 0;
		this.#state = "sendHeader";
	}

	#sendHeader(headers: Iterator<[string, unknown]>): void {
		const next = headers.next();
		let line = LINE_END;
		if (next.done) {
			this.#state = "sendBody";
			this.#next = undefined;
		} else {
			const [name, value] = next.value;
			line = `${name}: ${value}\r\n`;
			const known = name.toLowerCase();
			if (known === "content-length") this.#body = numberOf(value);
			else if (known === "transfer-encoding" && (value as string).toLowerCase() === "chunked")
				this.#body = true;
		}
		this.#pending = ArrayBuffer.fromString(line);
		this.#position = 0;
	}

	#send(data: ByteBuffer, options?: typeof MORE): void {
		this.#writable = (this.#socket as Socket).write(data, options);
	}

	/** A response was read to its end: the next request. */
	#done(): void {
		this.#timer = undefined;
		this.#state = "completing";
		const current = this.#current as Exchange;
		current.onDone?.call(current.request as HTTPClientRequest, null);
		this.#state = "connected";
		this.#begin();
		if (this.#current) this.#onWritable(this.#writable);
	}

	#begin(): void {
		this.#current = this.#queue.shift();
		if (!this.#current) return;
		this.#line = undefined;
		this.#pending = undefined;
		this.#state = "sendRequest";
		this.#next = (this.#current.headers ?? new Map()).entries();
		this.#remaining = undefined;
		this.#chunk = undefined;
		this.#body = false;
	}

	/** The connection ended: a response that lasts until then has failed too. */
	#fail(error?: unknown): void {
		if (this.#state === "receivedBody" && this.#timer) {
			Timer.clear(this.#timer);
			this.#done();
		}
		this.#state = "error";
		try {
			const current = this.#current;
			this.#current = undefined;
			current?.onDone?.call(current.request as HTTPClientRequest, new Error());
			for (let next = this.#queue.shift(); next; next = this.#queue.shift())
				next.onDone?.call(next.request as HTTPClientRequest, new Error());
			this.#onError?.(error);
		} catch {
			// What a handler throws is lost, and whoever would have been told after it is not told.
		}
		this.close();
	}
}
