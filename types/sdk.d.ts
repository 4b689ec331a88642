/**
 * The Moddable SDK's modules and globals as this project uses them, with the behaviour that code can see on
 * the ESP8266. The npm package of typings is years older than the SDK and calls `read` and `write` of TCP
 * something else than they are.
 */
type ByteBuffer = ArrayBuffer | ArrayBufferView;

/** Writes to the UART. */
declare function trace(...text: unknown[]): void;

/** The C function of this name; called as `native("xs_name").call(this, …)` with a method's own arguments. */
// biome-ignore lint/suspicious/noExplicitAny: what C gives, as the SDK declares it
declare function native(name: string): (...values: any[]) => any;

/** A class whose instances hold C data, which the C function of this name frees. */
declare function Native(name: string): new () => object;

interface ArrayBufferConstructor {
	/** The UTF-8 bytes of a string. */
	fromString(text: string): ArrayBuffer;
}

interface StringConstructor {
	/** A string from UTF-8 bytes. */
	fromArrayBuffer(bytes: ArrayBufferLike): string;
}

declare module "mc/config" {
	const config: Readonly<Record<string, string | number | boolean | undefined>>;
	export default config;
}

declare module "timer" {
	/** As a type: what `set` gives and takes; nothing else is to be known of it. */
	class Timer {
		private constructor();
		private readonly brand: boolean;
		/** Calls back once after `delay` ms, then every `repeat` ms where given; never from inside a call. */
		static set(callback: (id: Timer) => void, delay?: number, repeat?: number): Timer;
		static repeat(callback: (id: Timer) => void, interval: number): Timer;
		/** Starts a timer's wait anew. */
		static schedule(id: Timer, delay?: number, repeat?: number): void;
		static clear(id: Timer | undefined | null): void;
	}
	export default Timer;
}

declare module "crypt" {
	class Digest {
		constructor(type: "MD5" | "SHA1" | "SHA256");
		/** A string counts as its UTF-8 bytes. crypt.d.ts adds the views. */
		write(data: string | ArrayBuffer): void;
		/** The digest; afterwards only `reset` makes sense. */
		close(): ArrayBuffer;
		reset(): void;
	}

	export { Digest };
}

declare module "embedded:io/socket/tcp" {
	interface TCPOptions {
		address?: string;
		port?: number;
		from?: TCP;
		nodelay?: boolean;
		format?: "buffer" | "number";
		/** New bytes came; the count is all that waits. Not called again for what a callback leaves unread. */
		onReadable?: (this: TCP, bytes: number) => void;
		/** The first call tells that the connection stands. */
		onWritable?: (this: TCP, bytes: number) => void;
		/** The connection failed or ended; comes after everything received has been read. */
		onError?: (this: TCP) => void;
	}
	class TCP {
		constructor(options: TCPOptions);
		format: "buffer" | "number";
		readonly remoteAddress: string | undefined;
		readonly remotePort: number | undefined;
		read(byteLength?: number): ArrayBuffer | number;
		/** Fills the buffer, which must not be larger than what waits. */
		read(buffer: ByteBuffer): void;
		/** Throws, having sent nothing, when more than the writable count. Gives what is still writable. */
		write(data: ByteBuffer | number): void;
		close(): void;
	}
	export default TCP;
}

declare module "embedded:io/socket/udp" {
	interface UDPOptions {
		port?: number;
		onReadable?: (this: UDP, packets: number) => void;
	}
	/** It has a `close`, which the SDK's typings leave out. */
	class UDP {
		constructor(options: UDPOptions);
		read(): (ArrayBuffer & { address: string; port: number }) | undefined;
		write(buffer: ByteBuffer, address: string, port: number): void;
	}
	export default UDP;
}

declare module "embedded:io/socket/listener" {
	import type TCP from "embedded:io/socket/tcp";

	interface ListenerOptions {
		port?: number;
		onReadable?: (this: Listener, connections: number) => void;
	}
	/** It has a `close`, which the SDK's typings leave out. */
	class Listener {
		constructor(options: ListenerOptions);
		readonly port: number;
		/** A connection to adopt with `new TCP({ from })`, or undefined. */
		read(): TCP | undefined;
	}
	export default Listener;
}

declare module "embedded:network/dnssd" {
	import type UDP from "embedded:io/socket/udp";

	interface Closable {
		close(): void;
	}
	class DNSSD {
		constructor(options: { socket: { io: typeof UDP } });
		/** Asks for `<host>.local`; onError when another has it. */
		claim(options: { host: string; onReady?(): void; onError?(): void }): Closable;
		advertise(options: {
			serviceType: string;
			host: string;
			name?: string;
			port: number;
			txt?: Map<string, string>;
		}): Closable;
		close(): void;
	}
	export default DNSSD;
}

declare module "embedded:network/http/server" {
	import type Listener from "embedded:io/socket/listener";
	import type TCP from "embedded:io/socket/tcp";

	interface HTTPRequest {
		/** As it came, as the path is, with its query. */
		method: string;
		path: string;
		/** By their names in lower case; of equal names the last one counts. */
		headers: Map<string, string>;
	}

	/** Of the headers `entries` is called only. Those that count are called `content-length` and `transfer-encoding`. */
	interface HTTPResponse {
		status: number;
		headers: { entries(): IterableIterator<[string, string | number]> };
	}

	interface HTTPHandlers {
		/** The head is here. The answer waits for onResponse: `respond` is not for here. */
		onRequest?: ((this: HTTPConnection, request: HTTPRequest) => void) | undefined;
		/** Bytes of the body, of a chunk at most; with chunks it may be 0. Not told again for what is left unread. */
		onReadable?: ((this: HTTPConnection, bytes: number) => void) | undefined;
		/** The whole request was read: time to respond, with what it gets (200, no headers) or something else. */
		onResponse?:
			| ((this: HTTPConnection, response: HTTPResponse & { headers: Map<string, string | number> }) => void)
			| undefined;
		/** So many bytes of the response's body may be written; it may be 0. */
		onWritable?: ((this: HTTPConnection, bytes: number) => void) | undefined;
		/** As much was written as `content-length` had said, or the end of the chunks. It is closed next. */
		onDone?: ((this: HTTPConnection) => void) | undefined;
		/** "badly formed", "bad state", or undefined: the connection was lost. It is closed already. */
		onError?: ((this: HTTPConnection, message: string | undefined) => void) | undefined;
	}

	interface HTTPConnection {
		/** Without it a connection stays in the server's hands until it is closed. */
		accept(handlers: HTTPHandlers): void;
		/** Throws TypeError, and closes nothing, where the server was closed before. */
		close(): void;
		/** The connection as a TCP, to be used without this one. */
		detach(): TCP;
		/** As many bytes of the body, or of its chunk, or as there are; undefined where there are none. */
		read(byteLength?: number): ArrayBuffer | undefined;
		respond(response: HTTPResponse): void;
		/** Throws, having sent nothing, when more than the writable count. Nothing ends what goes in chunks. */
		write(data?: ByteBuffer): number | undefined;
		/** Other handlers; in onRequest they get the request too. */
		get route(): HTTPHandlers | undefined;
		set route(handlers: HTTPHandlers);
	}

	interface HTTPServerOptions {
		io: typeof Listener;
		/** 80 where not given; 0 for any. */
		port?: number;
		/** What it throws is swallowed. */
		onConnect(this: HTTPServer, connection: HTTPConnection): void;
	}

	class HTTPServer {
		constructor(options: HTTPServerOptions);
		readonly port: number;
		/** Closes the listener; the connections go on, and can't be closed any more. */
		close(): void;
	}

	export type { HTTPConnection, HTTPHandlers, HTTPRequest, HTTPResponse, HTTPServerOptions };
	export default HTTPServer;
}

declare module "Resource" {
	/** A file of the manifest's `data`, by its name; it stays in flash. */
	class Resource {
		/** Throws URIError where there is none of that name. */
		constructor(path: string);
		static exists(path: string): boolean;
		readonly byteLength: number;
		/**
		 * A copy in RAM. Below 0 `begin` is 0; `end` is between `begin` and the length. Throws RangeError where
		 * `begin` lies behind the end. (The SDK's third argument gives bytes in flash, which lwIP can't send from.)
		 */
		slice(begin?: number, end?: number): ArrayBuffer;
	}
	export default Resource;
}
