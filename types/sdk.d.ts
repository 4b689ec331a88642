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
