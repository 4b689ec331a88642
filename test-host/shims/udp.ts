/** `embedded:io/socket/udp` as the SDK's lwIP port of the ESP8266 behaves, on node:dgram. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv4 } from "node:net";
import { chip } from "../virtual/chip";
import { callbackOf, formatOf, integerOf, portOf } from "./arguments";
import { bytesOf, toArrayBuffer } from "./bytes";

const formats = ["buffer"] as const;

type Packet = ArrayBuffer & { address: string; port: number };

interface Options {
	port?: number;
	format?: string;
	target?: unknown;
	onReadable?(this: UDP, packets: number): void;
}

export default class UDP {
	target: unknown;
	/** Undefined once closed. */
	#socket: Socket | undefined;
	readonly #packets: Packet[] = [];
	#triggered = false;

	/** Throws where the port is taken. */
	constructor(options: Options) {
		const onReadable = callbackOf(options.onReadable);
		const port = "port" in options ? portOf(options.port ?? 0) : 0;
		if (options.format) formatOf(options.format, formats);
		if ("target" in options) this.target = options.target;
		// Addresses are numeric: with nothing to look up, Node binds at once and throws where it cannot.
		const socket = createSocket({ type: "udp4", lookup: (address, _, found) => found(null, address, 4) });
		socket.on("message", (message, from) => {
			this.#packets.push(Object.assign(toArrayBuffer(message), { address: from.address, port: from.port }));
			if (this.#triggered) return;
			this.#triggered = true;
			setImmediate(() => {
				this.#triggered = false;
				if (this.#socket && this.#packets.length > 0) onReadable?.call(this, this.#packets.length);
			});
		});
		socket.bind({ port, address: "0.0.0.0" });
		this.#socket = socket;
		chip().listening("udp", socket.address().port);
	}

	read(): Packet | undefined {
		UDP.#socketOf(this);
		return this.#packets.shift();
	}

	write(buffer: unknown, address: string, port: number): void {
		const socket = UDP.#socketOf(this);
		if (!isIPv4(`${address}`)) throw new RangeError("invalid IP address");
		// A datagram that the network loses is lost without an error, on the chip too.
		socket.send(bytesOf(buffer).slice(), integerOf(port), address, () => {});
	}

	close(): void {
		const udp = UDP.#of(this);
		udp.#socket?.close();
		udp.#socket = undefined;
	}

	get format(): string {
		return "buffer";
	}

	set format(value: string) {
		formatOf(value, formats);
	}

	static #of(it: unknown): UDP {
		const object: object = Object(it);
		if (!(#socket in object)) throw new SyntaxError("not a UDP");
		return object;
	}

	static #socketOf(it: unknown): Socket {
		const socket = UDP.#of(it).#socket;
		if (!socket) throw new SyntaxError("closed");
		return socket;
	}
}
