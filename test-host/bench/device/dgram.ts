/** `node:dgram` as far as the shim of the SDK's UDP uses it, over the bench's air. */
import { machine } from "../machine";

type OnMessage = (message: Uint8Array, from: { address: string; port: number }) => void;

class Socket {
	#port = 0;
	#onMessage: OnMessage = () => {};

	on(_event: "message", onMessage: OnMessage): void {
		this.#onMessage = onMessage;
	}

	bind({ port }: { port: number }): void {
		const { board } = machine().network;
		this.#port = port || board.freePort();
		board.udp.set(this.#port, (bytes, from) => this.#onMessage(bytes, { address: "10.0.0.2", port: from }));
	}

	address(): { port: number } {
		return { port: this.#port };
	}

	send(bytes: Uint8Array, port: number): void {
		machine().network.board.datagram(bytes, this.#port, port);
	}

	close(): void {
		machine().network.board.udp.delete(this.#port);
	}
}

export function createSocket(): Socket {
	return new Socket();
}
