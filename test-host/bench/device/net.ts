/** `node:net` as far as the shims of the SDK's sockets use it, over the bench's air. */
import { machine } from "../machine";
import type { TcpEnd } from "../tcp";

/** The only other host. */
const PC = "10.0.0.2";

/** What stands for a socket of Node: the connection's end on the board. */
export class Socket {
	readonly end: TcpEnd;
	readonly remotePort: number;
	readonly remoteAddress = PC;

	constructor(end: TcpEnd, port: number) {
		this.end = end;
		this.remotePort = port;
	}

	setNoDelay(on: boolean): void {
		this.end.sender.nodelay = on;
	}

	on(): void {}
}

export function isIPv4(text: string): boolean {
	return /^\d+\.\d+\.\d+\.\d+$/.test(text);
}

export function createConnection({ port }: { port: number }): Socket {
	return new Socket(machine().network.board.connect(port), port);
}

class Server {
	readonly #onSocket: (socket: Socket) => void;
	#port = 0;

	constructor(onSocket: (socket: Socket) => void) {
		this.#onSocket = onSocket;
	}

	on(): void {}

	listen(port: number): void {
		const { board } = machine().network;
		this.#port = port || board.freePort();
		board.tcp.set(this.#port, (end) => {
			const socket = new Socket(end, board.freePort());
			end.onConnected = () => this.#onSocket(socket);
		});
	}

	address(): { port: number } {
		return { port: this.#port };
	}

	close(): void {
		machine().network.board.tcp.delete(this.#port);
	}
}

export function createServer(_options: object, onSocket: (socket: Socket) => void): Server {
	return new Server(onSocket);
}
