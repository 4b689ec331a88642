/**
 * `embedded:network/http/server` as the SDK's own (examples/io/listener/httpserver) behaves, its faults included:
 * what works here works there. One source for both engines: it stands on the `io` that is handed in, on the timer
 * and on the SDK's globals.
 */
import type TCP from "embedded:io/socket/tcp";
import type {
	HTTPConnection,
	HTTPConnectionHandlers,
	HTTPRequest,
	HTTPResponse,
	HTTPServerOptions,
} from "embedded:network/http/server";
import Timer from "timer";

const LINE_FEED = 10;
/** What the frame of a chunk may take of the writable count. */
const CHUNK_FRAME = 8;
const MORE = Object.freeze({ more: true });

/** The reason is "OK" for any other. */
const reasons = new Map([
	["100", "Continue"],
	["101", "Switching Protocols"],
	["200", "OK"],
	["201", "Created"],
	["202", "Accepted"],
	["203", "Non-Authoritative Information"],
	["204", "No Content"],
	["205", "Reset Content"],
	["206", "Partial Content"],
	["207", "Multi-Status"],
	["300", "Multiple Choices"],
	["301", "Moved Permanently"],
	["302", "Found"],
	["303", "See Other"],
	["304", "Not Modified"],
	["305", "Use Proxy"],
	["307", "Temporary Redirect"],
	["400", "Bad Request"],
	["401", "Unauthorized"],
	["402", "Payment Required"],
	["403", "Forbidden"],
	["404", "Not Found"],
	["405", "Method Not Allowed"],
	["406", "Not Acceptable"],
	["407", "Proxy Authentication Required"],
	["408", "Request Timeout"],
	["409", "Conflict"],
	["410", "Gone"],
	["411", "Length Required"],
	["412", "Precondition Failed"],
	["413", "Request Entity Too Large"],
	["414", "Request-URI Too Long"],
	["415", "Unsupported Media Type"],
	["416", "Requested Range Not Satisfiable"],
	["417", "Expectation Failed"],
	["500", "Internal Server Error"],
	["501", "Not Implemented"],
	["502", "Bad Gateway"],
	["503", "Service Unavailable"],
	["504", "Gateway Timeout"],
	["505", "HTTP Version Not Supported"],
]);

interface SocketOptions {
	from: Socket;
	onReadable?: (bytes: number) => void;
	onWritable?: (bytes: number) => void;
	onError?: (message?: string) => void;
}

/** A TCP as this module uses it. */
interface Socket {
	readonly constructor: new (options: SocketOptions) => Socket;
	format: "buffer" | "number";
	read(byteLength?: number): ArrayBuffer | number | undefined;
	/** What is still writable; undefined where the connection is lost. */
	write(data: ByteBuffer, options?: typeof MORE): number | undefined;
	close(): void;
}

interface Listener {
	readonly port: number;
	readonly target: HTTPServer;
	read(): Socket;
	close(): void;
}

type ListenerConstructor = new (options: {
	port: number;
	target: HTTPServer;
	onReadable(this: Listener, connections: number): void;
}) => Listener;

type State =
	| "receiveRequest"
	| "receiveHeader"
	| "receiveBody"
	| "receiveChunkTrailer"
	| "waitResponse"
	| "sendResponse"
	| "sendResponseHeader"
	| "sendResponseBody"
	| "done"
	| "error";

/** Everything of a connection that need not be private, as the SDK has it, for the same memory. */
interface Exchange extends HTTPConnectionHandlers {
	done?: ((connection: Connection) => void) | undefined;
	method?: string;
	path?: string;
	/** The request's; then the response's, those that are still to be sent. */
	headers?: Map<string, string>;
	status?: unknown;
	next?: Iterator<[string, unknown]>;
}

/** What to do after bytes were looked at, or an error. */
type Step = "wait" | "next" | "request" | "body" | "reply" | "badly formed" | "bad state";

/** As the SDK takes it: 0x10 is 16, and what is no number is NaN. */
function lengthOf(value: unknown): number {
	// biome-ignore lint/correctness/useParseIntRadix: the SDK's has none
	return Number.parseInt(`${value}`);
}

function take(exchange: Exchange, handlers: HTTPConnectionHandlers): void {
	exchange.onRequest = handlers.onRequest;
	exchange.onReadable = handlers.onReadable;
	exchange.onResponse = handlers.onResponse;
	exchange.onWritable = handlers.onWritable;
	exchange.onDone = handlers.onDone;
	exchange.onError = handlers.onError;
}

/** Where something is cast to what it is while the connection is open, a closed one throws TypeError: as the SDK's. */
class Connection implements HTTPConnection {
	/** Not accepted yet. */
	#from: Socket | undefined;
	#socket: Socket | undefined;
	/** Undefined once closed. */
	#exchange: Exchange | undefined;
	#route: HTTPConnectionHandlers | undefined;
	#state: State = "receiveRequest";
	/** What has come of a line; undefined where no line comes next. */
	#line: string | undefined = "";
	/** Bytes that wait, -1 where a line did not end with them. */
	#readable = 0;
	#writable: number | undefined = 0;
	/** Bytes of the body that are still to come, then to go: true where they go in chunks. */
	#remaining: number | true | undefined;
	/** Bytes of the chunk that are still to come; undefined where none come. */
	#chunk: number | undefined;
	/** To be sent before anything else, and where its rest begins. */
	#pending: ArrayBuffer | undefined;
	#position = 0;
	#timer: Timer | undefined;

	constructor(from: Socket, done: (connection: Connection) => void) {
		this.#from = from;
		this.#exchange = { done };
	}

	get route(): HTTPConnectionHandlers | undefined {
		return this.#route;
	}

	/** In onRequest the new handlers get the request too. */
	set route(route: HTTPConnectionHandlers) {
		this.#route = route;
		const exchange = this.#exchange as Exchange;
		take(exchange, route);
		const { method, path, headers } = exchange;
		if (this.#state === "receiveHeader")
			exchange.onRequest?.call(this, { method, path, headers } as HTTPRequest);
	}

	accept(options: HTTPConnectionHandlers): void {
		const from = this.#from as Socket;
		take(this.#exchange as Exchange, options);
		this.#socket = new from.constructor({
			from,
			onReadable: (bytes) => this.#onReadable(bytes),
			onWritable: (bytes) => this.#onWritable(bytes),
			onError: (message) => this.#onError(message),
		});
		this.#from = undefined;
	}

	close(): void {
		this.#exchange?.done?.(this);
		this.#exchange = undefined;
		this.#socket?.close();
		this.#socket = undefined;
		this.#from?.close();
		this.#from = undefined;
		Timer.clear(this.#timer);
		this.#timer = undefined;
	}

	detach(): TCP {
		const socket = this.#socket ?? this.#from;
		if (!socket) throw new Error("closed");
		this.#socket = this.#from = undefined;
		const exchange = this.#exchange as Exchange;
		exchange.done?.(this);
		exchange.done = undefined;
		return new socket.constructor({ from: socket }) as unknown as TCP;
	}

	read(count?: number): ArrayBuffer | undefined {
		if (this.#state !== "receiveBody") return undefined;
		const available = Math.min(this.#readable, Number(this.#chunk ?? this.#remaining));
		const length = count === undefined || count > available ? available : count;
		if (!length) return undefined;
		this.#readable -= length;
		if (this.#chunk === undefined) this.#remaining = Number(this.#remaining) - length;
		else this.#chunk -= length;
		const bytes = (this.#socket as Socket).read(length);
		if (this.#chunk === 0) {
			this.#line = "";
			if (this.#readable) {
				this.#timer = Timer.set(() => {
					this.#timer = undefined;
					this.#onReadable(this.#readable);
				});
			}
		} else if (this.#remaining === 0) this.#timer = Timer.set(() => this.#reply());
		return bytes as ArrayBuffer;
	}

	respond(response: HTTPResponse): void {
		this.#state = "sendResponse";
		const exchange = this.#exchange as Exchange;
		exchange.status = response.status;
		exchange.next = response.headers.entries();
		this.#remaining = undefined;
		this.#onWritable(this.#writable);
	}

	/** Part of the body; nothing is the end of one in chunks. What is still writable. */
	write(data?: ByteBuffer): number | undefined {
		if (this.#state !== "sendResponseBody") throw new Error("bad state");
		if (!data) {
			if (typeof this.#remaining === "number") throw new Error("bad data");
			// #position stays behind the head's last line, as in the SDK: the first two bytes are not sent.
			this.#pending = ArrayBuffer.fromString("0\r\n\r\n");
			this.#remaining = 0;
			this.#timer = Timer.set(() => {
				this.#timer = undefined;
				if (this.#writable) this.#onWritable(this.#writable);
			});
			return 0;
		}
		const { byteLength } = data;
		const writable = Number(this.#writable);
		const socket = this.#socket as Socket;
		if (this.#remaining === true) {
			if (byteLength + CHUNK_FRAME > writable) throw new Error("would block");
			socket.write(ArrayBuffer.fromString(`${byteLength.toString(16)}\r\n`), MORE);
			socket.write(data, MORE);
			this.#writable = socket.write(ArrayBuffer.fromString("\r\n"));
			return Math.max(Number(this.#writable ?? 0) - CHUNK_FRAME, 0);
		}
		if (byteLength > writable || byteLength > Number(this.#remaining)) throw new Error("would block");
		this.#writable = socket.write(data);
		this.#remaining = Number(this.#remaining) - byteLength;
		if (this.#remaining === 0) {
			this.#finish();
			this.#writable = 0;
		}
		return this.#writable;
	}

	#onReadable(count: number): void {
		this.#readable = count;
		while (this.#readable) {
			const exchange = this.#exchange as Exchange;
			const step = this.#take(exchange);
			switch (step) {
				case "next":
					break;
				case "wait":
					return;
				case "request": {
					const { method, path, headers } = exchange;
					exchange.onRequest?.call(this, { method, path, headers } as HTTPRequest);
					if (!this.#socket) return;
					// Whatever respond may have made of both.
					if (!this.#remaining && this.#chunk === undefined) this.#reply();
					else {
						this.#state = "receiveBody";
						this.#line = this.#chunk === undefined ? undefined : "";
					}
					break;
				}
				case "body":
					exchange.onReadable?.call(this, Math.min(this.#readable, Number(this.#chunk ?? this.#remaining)));
					return;
				case "reply":
					this.#reply();
					return;
				default:
					this.#onError(step);
					return;
			}
		}
	}

	/** Looks at the bytes that wait: a line of the head or between chunks is read, the body's are not. */
	#take(exchange: Exchange): Step {
		if (this.#line !== undefined && !this.#readLine(this.#socket as Socket)) return "wait";
		const line = this.#line as string;
		switch (this.#state) {
			case "receiveRequest": {
				const [method = "", path = "", version] = line.trim().split(" ");
				if (version !== "HTTP/1.1") return "badly formed";
				exchange.method = method;
				exchange.path = path;
				exchange.headers = new Map();
				this.#line = "";
				this.#state = "receiveHeader";
				return "next";
			}
			case "receiveHeader": {
				if (line === "\r\n") {
					if (this.#chunk !== undefined) this.#remaining = undefined;
					return "request";
				}
				const colon = line.indexOf(":");
				const name = line.substring(0, colon).trim().toLowerCase();
				const value = line.substring(colon + 1).trim();
				exchange.headers?.set(name, value);
				if (name === "content-length") this.#remaining = lengthOf(value);
				else if (name === "transfer-encoding" && value.toLowerCase() === "chunked") this.#chunk = 0;
				this.#line = "";
				return "next";
			}
			case "receiveBody":
				if (this.#chunk !== 0) return "body";
				// What ends the chunk before stays in front of this one's length.
				if (line === "\r\n") return "next";
				this.#chunk = Number.parseInt(line.trim(), 16);
				this.#line = undefined;
				if (this.#chunk !== 0) return "body";
				this.#state = "receiveChunkTrailer";
				this.#line = "";
				return "next";
			case "receiveChunkTrailer":
				return line === "\r\n" ? "reply" : "badly formed";
			default:
				return "bad state";
		}
	}

	/** Reads until the line ends; false where it does not, or with a bare line feed. */
	#readLine(socket: Socket): boolean {
		let line = this.#line ?? "";
		socket.format = "number";
		while (this.#readable-- !== 0) {
			const byte = Number(socket.read());
			line += String.fromCharCode(byte);
			if (byte === LINE_FEED) break;
		}
		socket.format = "buffer";
		this.#line = line;
		return line.endsWith("\r\n");
	}

	#onWritable(count: number | undefined): void {
		this.#writable = count;
		if (this.#state.startsWith("receive")) return;
		while (this.#writable) {
			if (this.#pending && !this.#sendPending(this.#pending, this.#writable)) return;
			const exchange = this.#exchange as Exchange;
			switch (this.#state) {
				case "sendResponse":
				case "sendResponseHeader":
					this.#pending = ArrayBuffer.fromString(this.#nextLine(exchange));
					this.#position = 0;
					break;
				case "sendResponseBody": {
					if (this.#remaining === 0) {
						this.#finish();
						return;
					}
					let writable = this.#writable as number;
					if (this.#remaining === true) {
						writable -= CHUNK_FRAME;
						if (writable <= 0) return;
					} else if (writable > Number(this.#remaining)) writable = Number(this.#remaining);
					exchange.onWritable?.call(this, writable);
					return;
				}
				case "waitResponse":
				case "done":
					return;
				default:
					this.#onError("bad state");
					return;
			}
		}
	}

	/** Whether all of it could be written. */
	#sendPending(pending: ArrayBuffer, writable: number): boolean {
		const length = Math.min(pending.byteLength - this.#position, writable);
		const bytes = new Uint8Array(pending, this.#position, length);
		this.#writable = (this.#socket as Socket).write(bytes);
		this.#position += length;
		if (this.#position !== pending.byteLength) return false;
		this.#pending = undefined;
		return true;
	}

	/** Of the response's head: status, header, or the empty one. Names count in lower case only. */
	#nextLine(exchange: Exchange): string {
		const { status } = exchange;
		if (this.#state === "sendResponse") {
			this.#state = "sendResponseHeader";
			return `HTTP/1.1 ${status} ${reasons.get(`${status}`) ?? "OK"}\r\n`;
		}
		const next = (exchange.next as Iterator<[string, unknown]>).next();
		if (next.done) {
			this.#state = "sendResponseBody";
			if (status === 101) this.#remaining = 0;
			return "\r\n";
		}
		const [name, value] = next.value;
		if (name === "content-length") this.#remaining = lengthOf(value);
		else if (name === "transfer-encoding" && value === "chunked") this.#remaining = true;
		return `${name}: ${value}\r\n`;
	}

	/** All of the request is here. */
	#reply(): void {
		this.#timer = undefined;
		this.#state = "waitResponse";
		const { onResponse } = this.#exchange as Exchange;
		const response = { headers: new Map<string, string | number>(), status: 200 };
		if (onResponse) onResponse.call(this, response);
		else this.respond(response);
	}

	#finish(): void {
		this.#state = "done";
		try {
			this.#exchange?.onDone?.call(this);
		} catch {
			// The connection ends anyway.
		}
		this.close();
	}

	#onError(message: string | undefined): void {
		const { onError } = this.#exchange as Exchange;
		this.#state = "error";
		this.close();
		onError?.call(this, message);
	}
}

export default class HTTPServer {
	readonly #onConnect: HTTPServerOptions["onConnect"];
	#listener: Listener | undefined;
	/** The SDK puts none in, and has no set any more once it is closed: what is closed later throws TypeError. */
	#connections: Set<Connection> | undefined = new Set();

	constructor(options: HTTPServerOptions) {
		this.#onConnect = options.onConnect;
		const Listener = options.io as unknown as ListenerConstructor;
		this.#listener = new Listener({
			port: options.port ?? 80,
			target: this,
			onReadable(connections) {
				for (let i = connections; i > 0; i--) {
					try {
						const connection = new Connection(this.read(), (one) =>
							(this.target.#connections as Set<Connection>).delete(one),
						);
						this.target.#onConnect(connection);
					} catch (error) {
						trace(`HTTP connection dropped: ${error}\n`);
					}
				}
			},
		});
	}

	get port(): number {
		return (this.#listener as Listener).port;
	}

	close(): void {
		this.#connections = undefined;
		this.#listener?.close();
		this.#listener = undefined;
	}
}
