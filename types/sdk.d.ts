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

interface BigIntConstructor {
	/** The number that these bytes are, the highest one first, without a sign. */
	fromArrayBuffer(bytes: ArrayBuffer): bigint;
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

declare module "preference" {
	/** Domains and keys of up to 31 bytes, values of up to 63. */
	const Preference: {
		/** Throws, perhaps having cleared what was there. */
		set(domain: string, key: string, value: string | boolean | number | ArrayBuffer): void;
		/** Undefined where there is none. */
		get(domain: string, key: string): string | boolean | number | ArrayBuffer | undefined;
		delete(domain: string, key: string): void;
	};
	export default Preference;
}

declare module "embedded:storage/key-value" {
	/** Of the format "buffer". Paths and keys of up to 31 bytes, values of up to 63. */
	interface Storage {
		/** Undefined where there is none. */
		read(key: string): ArrayBuffer | undefined;
		/** Throws, perhaps having cleared what was there. */
		write(key: string, value: ByteBuffer): void;
		delete(key: string): void;
		close(): void;
	}
	const storage: {
		open(options: { path: string; mode?: "r" | "r+"; format: "buffer" }): Storage;
	};

	export type { Storage };
	export default storage;
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

	interface HTTPConnectionHandlers {
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
		accept(handlers: HTTPConnectionHandlers): void;
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
		get route(): HTTPConnectionHandlers | undefined;
		set route(handlers: HTTPConnectionHandlers);
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

	export type { HTTPConnection, HTTPConnectionHandlers, HTTPRequest, HTTPResponse, HTTPServerOptions };
	export default HTTPServer;
}

declare module "embedded:network/dns/resolver/udp" {
	import type UDP from "embedded:io/socket/udp";

	interface ResolverOptions {
		/** This class, for whoever makes one with these options (the HTTP client). */
		io?: typeof Resolver;
		/** Addresses, asked in turn, each five times. */
		servers: readonly string[];
		socket: { io: typeof UDP };
	}
	/** IPv4 only. A name is asked for once a second; the answer's sender is not checked, its number is 15 bits. */
	class Resolver {
		constructor(options: ResolverOptions);
		/**
		 * Answers between turns, for addresses too; "localhost" is 127.0.0.1, under which it is answered. A name
		 * that no server knows is an error as soon as one says so, one that none answers for after 5 s a server.
		 * Throws Error where the host or both callbacks are missing, and after close.
		 */
		resolve(options: {
			host: string;
			onResolved?: (this: Resolver, host: string, address: string) => void;
			onError?: (this: Resolver, host: string) => void;
		}): void;
		/** Nobody is called any more. */
		close(): void;
	}

	export type { ResolverOptions };
	export default Resolver;
}

declare module "embedded:network/http/client" {
	import type TCP from "embedded:io/socket/tcp";
	import type TLSSocket from "embedded:io/socket/tcp/tls";
	import type { TLSOptions } from "embedded:io/socket/tcp/tls";
	import type Resolver from "embedded:network/dns/resolver/udp";
	import type { ResolverOptions } from "embedded:network/dns/resolver/udp";

	interface HTTPClientOptions {
		/** A name or an address; the header `host` is this, without the port. */
		host: string;
		/** 80 where not given, with TLS too. */
		port?: number;
		socket: { io: typeof TCP } | ({ io: typeof TLSSocket } & Pick<TLSOptions, "TCP" | "secure">);
		dns: ResolverOptions & { io: typeof Resolver };
		/**
		 * The client is of no use any more: what is requested later is never answered. It gets the name that could
		 * not be resolved, what making the socket threw, an Error "bad response", or undefined: the connection ended.
		 */
		onError?: ((this: HTTPClient, error?: unknown) => void) | undefined;
	}

	interface HTTPRequestOptions {
		/** GET where not given. */
		method?: string;
		path?: string;
		/** Of the names `content-length` and `transfer-encoding` count: without them there is no body. */
		headers?: ReadonlyMap<string, string | number>;
		/** Names in lower case; others are not kept. A part of the head that ends within one of those throws. */
		headersMask?: readonly string[];
		/** The head is here: the reason ends with its line end. `read` gives nothing yet. */
		onHeaders?: (
			this: HTTPClientRequest,
			status: number,
			headers: Map<string, string>,
			reason: string,
		) => void;
		/** Bytes of the body, of a chunk at most; NaN where content-length was no number. Not told again for what is left unread. */
		onReadable?: (this: HTTPClientRequest, bytes: number) => void;
		/** So many bytes of the request's body may be written. */
		onWritable?: (this: HTTPClientRequest, bytes: number) => void;
		/** null once all of the body was read, or an Error without a message: a body without a length ends so too. */
		onDone?: (this: HTTPClientRequest, error: Error | null) => void;
	}

	interface HTTPClientRequest {
		/**
		 * As many bytes of the body, or of its chunk, or as there are; undefined where there are none. Throws where
		 * the chunk is read and more waits behind it, where it is not this request's turn, and after close.
		 */
		read(byteLength?: number): ArrayBuffer | number | undefined;
		/** Fills the buffer as far as there are bytes, and gives how many. */
		read(buffer: ByteBuffer): ArrayBuffer | number | undefined;
		/** Throws, having sent nothing, when more than the writable count. What is still writable. */
		write(data?: ByteBuffer): number;
	}

	class HTTPClient {
		/** Resolves the host and connects at once; one that is closed before the host is resolved still connects. */
		constructor(options: HTTPClientOptions);
		/** One after the other on the same connection. */
		request(options: HTTPRequestOptions): HTTPClientRequest;
		/** Resets the connection; nobody is called. */
		close(): void;
	}

	export type { HTTPClientOptions, HTTPClientRequest, HTTPRequestOptions };
	export default HTTPClient;
}

declare module "embedded:io/socket/tcp/tls" {
	import type TCP from "embedded:io/socket/tcp";

	interface SecureOptions {
		/** For SNI and for the certificate's name; `host` where not given. */
		serverName?: string;
		/** In DER: another root. Throws Error where it is not valid at this time. */
		certificate?: ByteBuffer;
		/** Whether the server's certificates are looked at; they are where not given. */
		verify?: boolean;
		applicationLayerProtocolNegotiation?: string | readonly string[];
		/** Of the largest record that the server shall send; many don't care. */
		tls_max_fragment_length?: number;
	}
	interface TLSOptions {
		TCP: { io: typeof TCP };
		address: string;
		port: number;
		host?: string;
		secure?: SecureOptions;
		/** A record came; the next one is told of when all of this one was read. */
		onReadable?: (bytes: number) => void;
		/** The first call tells that the handshake is done. */
		onWritable?: (bytes: number) => void;
		onError?: () => void;
	}
	/**
	 * TLS 1.2. A handshake that fails throws from the TCP's onReadable, which ends an application where nothing
	 * between catches it.
	 */
	class TLSSocket {
		constructor(options: TLSOptions);
		format: "buffer" | "number";
		read(byteLength?: number): ArrayBuffer | number | undefined;
		/** Fills a view, as far as there are bytes, and gives how many; an ArrayBuffer throws RangeError. */
		read(buffer: ArrayBufferView): number | undefined;
		write(data: ByteBuffer): number;
		/** Resets the connection; the peer is not told of the end. */
		close(): void;
	}

	export type { SecureOptions, TLSOptions };
	export default TLSSocket;
}

declare module "net" {
	const Net: {
		/** Of the station's network, or of the access point ("ap"). Undefined where there is none. */
		get(property: "IP" | "MAC", network?: "station" | "ap"): string | undefined;
		get(property: "SSID" | "BSSID"): string | undefined;
		/** The servers' addresses. */
		get(property: "DNS"): string[];
		/** dBm; 31 where there is no network. */
		get(property: "RSSI"): number;
	};
	export default Net;
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
