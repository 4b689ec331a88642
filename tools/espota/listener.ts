import { createServer, type Server, type Socket } from "node:net";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { type Address, plainAddress } from "./address";

/** Waits for the device to connect: in ArduinoOTA it is the client of the transfer. */
export class Listener {
	/** The TCP port that the invitation names. */
	readonly port: number;
	/** The device's connection, the first one that comes from its address. Never rejects. */
	readonly connected: Promise<Socket>;
	readonly #server: Server;
	#socket: Socket | undefined;

	private constructor(server: Server, port: number, device: string) {
		this.#server = server;
		this.port = port;
		this.connected = new Promise((resolve) => {
			server.on("connection", (socket) => {
				// Until the transfer takes over, a socket that fails is just found destroyed.
				socket.on("error", () => undefined);
				if (this.#socket || plainAddress(socket.remoteAddress ?? "") !== device) {
					socket.destroy();
					return;
				}
				this.#socket = socket;
				server.close();
				resolve(socket);
			});
		});
	}

	/** Listens on `port` (0: any free one) for a connection of `device`. Throws UpdateError LISTEN. */
	static open(device: Address, port: number): Promise<Listener> {
		const server = createServer();
		return new Promise((resolve, reject) => {
			server.on("error", (error: NodeJS.ErrnoException) => {
				reject(new UpdateError(ErrorCode.LISTEN, port, error.code ?? error.message));
			});
			server.listen(port, device.family === 6 ? "::" : "0.0.0.0", () => {
				const bound = server.address();
				const boundPort = bound !== null && typeof bound === "object" ? bound.port : port;
				resolve(new Listener(server, boundPort, plainAddress(device.address)));
			});
		});
	}

	/** The device's connection. Throws UpdateError CONNECT_BACK after `timeout` ms, STOPPED at `signal`. */
	accept(timeout: number, signal: AbortSignal): Promise<Socket> {
		return new Promise((resolve, reject) => {
			const refuse = (error: UpdateError): void => {
				clearTimeout(limit);
				reject(error);
			};
			const limit = setTimeout(
				() => refuse(new UpdateError(ErrorCode.CONNECT_BACK, this.port, timeout / 1000)),
				timeout,
			);
			if (signal.aborted) refuse(new UpdateError(ErrorCode.STOPPED, 0));
			signal.addEventListener("abort", () => refuse(new UpdateError(ErrorCode.STOPPED, 0)), { once: true });
			void this.connected.then((socket) => {
				clearTimeout(limit);
				resolve(socket);
			});
		});
	}

	/** Takes no more connections, and closes the one that was taken. */
	close(): void {
		this.#server.close();
		this.#socket?.destroy();
	}
}
