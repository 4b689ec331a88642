/**
 * The Moddable SDK's modules and globals as this project uses them, with the behaviour that code can see on
 * the ESP8266. The npm package of typings is years older than the SDK and calls `read` and `write` of TCP
 * something else than they are.
 */
type ByteBuffer = ArrayBuffer | ArrayBufferView;

/** Writes to the UART. */
declare function trace(...text: unknown[]): void;

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

declare module "board" {
	const board: import("../ota/board").Board;
	export default board;
}

declare module "timer" {
	/** What Timer.set gives and takes; nothing else is to be known of it. */
	interface TimerId {
		readonly timer: unique symbol;
	}
	const Timer: {
		/** Calls back once after `delay` ms, then every `repeat` ms where given; never from inside a call. */
		set(callback: (id: TimerId) => void, delay?: number, repeat?: number): TimerId;
		repeat(callback: (id: TimerId) => void, interval: number): TimerId;
		/** Starts a timer's wait anew. */
		schedule(id: TimerId, delay: number, repeat?: number): void;
		clear(id: TimerId | undefined): void;
	};

	export type { TimerId };
	export default Timer;
}

declare module "crypt" {
	class Digest {
		constructor(type: "MD5" | "SHA1" | "SHA256");
		/** A string counts as its UTF-8 bytes. */
		write(data: string | ByteBuffer): void;
		/** The digest; afterwards only `reset` makes sense. */
		close(): ArrayBuffer;
		reset(): void;
	}

	export { Digest };
}

declare module "embedded:storage/flash" {
	interface FlashStatus {
		size: number;
		blockLength: number;
		blocks: number;
		writeAlign: number;
		eraseValue: number;
		/** Ours: the flash offset of the partition's first byte, which a boot loader needs to know. */
		address: number;
	}
	interface Flash {
		read(byteLength: number, byteOffset: number): ArrayBuffer;
		read(buffer: ByteBuffer, byteOffset: number): number;
		write(buffer: ByteBuffer, byteOffset: number): void;
		eraseBlock(start: number, end?: number): void;
		status(): FlashStatus;
		close(): void;
	}
	const flash: {
		open(options: { path: string; mode?: "r" | "r+" }): Flash;
		[Symbol.iterator](): IterableIterator<string>;
	};

	export type { Flash, FlashStatus };
	export default flash;
}

declare module "embedded:io/socket/tcp" {
	interface TCPOptions<Target> {
		address?: string;
		port?: number;
		from?: TCP<unknown>;
		nodelay?: boolean;
		format?: "buffer" | "number";
		target?: Target;
		/** New bytes came; the count is all that waits. Not called again for what a callback leaves unread. */
		onReadable?(this: TCP<Target>, bytes: number): void;
		/** The first call tells that the connection stands. */
		onWritable?(this: TCP<Target>, bytes: number): void;
		/** The connection failed or ended; comes after everything received has been read. */
		onError?(this: TCP<Target>): void;
	}
	class TCP<Target = unknown> {
		constructor(options: TCPOptions<Target>);
		target: Target;
		format: "buffer" | "number";
		readonly remoteAddress: string | undefined;
		readonly remotePort: number | undefined;
		read(byteLength?: number): ArrayBuffer | number | undefined;
		/** Fills the buffer, which must not be larger than what waits. */
		read(buffer: ByteBuffer): number | undefined;
		/** Throws, having sent nothing, when more than the writable count. Gives what is still writable. */
		write(data: ByteBuffer | number): number | undefined;
		close(): void;
	}
	export default TCP;
}

declare module "embedded:io/socket/udp" {
	interface UDPOptions<Target> {
		port?: number;
		multicast?: string;
		timeToLive?: number;
		target?: Target;
		onReadable?(this: UDP<Target>, packets: number): void;
	}
	class UDP<Target = unknown> {
		constructor(options: UDPOptions<Target>);
		target: Target;
		read(): (ArrayBuffer & { address: string; port: number }) | undefined;
		write(buffer: ByteBuffer, address: string, port: number): void;
		close(): void;
	}
	export default UDP;
}

declare module "embedded:io/socket/listener" {
	import type TCP from "embedded:io/socket/tcp";

	interface ListenerOptions<Target> {
		port?: number;
		target?: Target;
		onReadable?(this: Listener<Target>, connections: number): void;
	}
	class Listener<Target = unknown> {
		constructor(options: ListenerOptions<Target>);
		target: Target;
		readonly port: number;
		/** A connection to adopt with `new TCP({ from })`, or undefined. */
		read(): TCP | undefined;
		close(): void;
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
