/** `embedded:io/socket/listener`, on node:net. */
import { createServer, type Server } from "node:net";
import { chip } from "../virtual/chip";
import TCP, { Accepted } from "./tcp";

type Callback = ((this: Listener, connections: number) => void) | undefined;

export default class Listener {
	target: unknown;
	readonly #server: Server;
	readonly #accepted: Accepted[] = [];
	#port: number;
	#open = true;

	constructor(options: { port?: number; target?: unknown; onReadable?: Callback }) {
		const { port = 0, target, onReadable } = options;
		if (!Number.isInteger(port) || port < 0 || port > 65535) throw new RangeError("invalid port");
		if (target !== undefined) this.target = target;
		this.#port = port;
		this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
			socket.on("error", () => {});
			this.#accepted.push(new Accepted(socket));
			setImmediate(() => {
				if (this.#open && this.#accepted.length > 0) onReadable?.call(this, this.#accepted.length);
			});
		});
		this.#server.listen(port, () => {
			const address = this.#server.address();
			if (address && typeof address === "object") this.#port = address.port;
			chip().listening("tcp", this.#port);
		});
	}

	/** The port; where 0 was asked for, known once `chip().listening` has been told. */
	get port(): number {
		this.#check();
		return this.#port;
	}

	read(): TCP | undefined {
		this.#check();
		const accepted = this.#accepted.shift();
		return accepted && new TCP({ from: accepted });
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		for (const { socket } of this.#accepted) socket.destroy();
		this.#server.close();
	}

	get format(): string {
		return "socket/tcp";
	}

	set format(value: string) {
		if (value !== "socket/tcp") throw new RangeError("unknown format");
	}

	#check(): void {
		if (!this.#open) throw new SyntaxError("closed");
	}
}
