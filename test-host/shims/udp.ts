/** `embedded:io/socket/udp`, on node:dgram. */
import { createSocket, type Socket } from "node:dgram";
import { chip } from "../virtual/chip";
import { bytesOf, toArrayBuffer } from "./bytes";

type Packet = ArrayBuffer & { address: string; port: number };
type Callback = ((this: UDP, packets: number) => void) | undefined;

export default class UDP {
	target: unknown;
	readonly #socket: Socket;
	readonly #packets: Packet[] = [];
	#pending = false;
	#open = true;

	constructor(options: { port?: number; target?: unknown; onReadable?: Callback }) {
		if (options === undefined) throw new TypeError("no options");
		const { port = 0, target, onReadable } = options;
		if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError("invalid port");
		if (target !== undefined) this.target = target;
		// Node binds later: a taken port ends the program then, as an uncaught error of the constructor would.
		this.#socket = createSocket("udp4");
		this.#socket.on("message", (message, from) => {
			const packet = Object.assign(toArrayBuffer(message), { address: from.address, port: from.port });
			this.#packets.push(packet);
			if (this.#pending) return;
			this.#pending = true;
			setImmediate(() => {
				this.#pending = false;
				if (this.#open && this.#packets.length > 0) onReadable?.call(this, this.#packets.length);
			});
		});
		this.#socket.bind(port, () => chip().listening("udp", this.#socket.address().port));
	}

	read(): Packet | undefined {
		this.#check();
		return this.#packets.shift();
	}

	write(buffer: unknown, address: string, port: number): void {
		this.#check();
		// A datagram that the network loses is lost without an error, on the chip too.
		this.#socket.send(bytesOf(buffer).slice(), port, address, () => {});
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		this.#socket.close();
	}

	get format(): string {
		return "buffer";
	}

	set format(value: string) {
		if (value !== "buffer") throw new RangeError("unknown format");
	}

	#check(): void {
		if (!this.#open) throw new SyntaxError("closed");
	}
}
