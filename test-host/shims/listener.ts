/** `embedded:io/socket/listener` as the SDK's lwIP port of the ESP8266 behaves, on node:net. */
import { createServer, type Server, type Socket } from "node:net";
import { chip } from "../virtual/chip";
import { callbackOf, formatOf, portOf } from "./arguments";
import { Connection } from "./connection";
import TCP from "./tcp";

const formats = ["socket/tcp"] as const;

interface Options {
	port?: number;
	format?: string;
	target?: unknown;
	onReadable?(this: Listener, connections: number): void;
}

export default class Listener {
	target: unknown;
	/** Undefined once closed. */
	#server: Server | undefined;
	readonly #port: number;
	readonly #pending: Socket[] = [];
	#triggered = false;

	constructor(options: Options) {
		const port = "port" in options ? portOf(options.port) : 0;
		const onReadable = callbackOf(options.onReadable);
		if (options.format) formatOf(options.format, formats);
		if ("target" in options) this.target = options.target;
		const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
			socket.on("error", () => {});
			this.#pending.push(socket);
			if (this.#triggered) return;
			this.#triggered = true;
			setImmediate(() => {
				this.#triggered = false;
				if (this.#server && this.#pending.length > 0) onReadable?.call(this, this.#pending.length);
			});
		});
		// Node tells of a taken port later, but by then the server would have an address.
		server.on("error", () => {});
		server.listen(port);
		const address = server.address();
		if (address === null || typeof address === "string") throw new Error("socket bind");
		this.#server = server;
		this.#port = address.port;
		chip().listening("tcp", this.#port);
	}

	get port(): number {
		return Listener.#openOne(this).#port;
	}

	read(): TCP | undefined {
		const socket = Listener.#openOne(this).#pending.shift();
		return socket && new TCP({ from: new Connection(socket) });
	}

	close(): void {
		const listener = Listener.#of(this);
		listener.#server?.close();
		listener.#server = undefined;
		for (const socket of listener.#pending.splice(0)) new Connection(socket).close();
	}

	get format(): string {
		return "socket/tcp";
	}

	set format(value: string) {
		formatOf(value, formats);
	}

	static #of(it: unknown): Listener {
		const object: object = Object(it);
		if (!(#server in object)) throw new SyntaxError("not a Listener");
		return object;
	}

	static #openOne(it: unknown): Listener {
		const listener = Listener.#of(it);
		if (!listener.#server) throw new SyntaxError("closed");
		return listener;
	}
}
