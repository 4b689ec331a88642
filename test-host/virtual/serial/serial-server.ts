/**
 * The board's UART on a TCP port. A client that begins with a Telnet command speaks RFC 2217 and has DTR and RTS;
 * any other one has the bare bytes, as esptool's socket:// has.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { IAC } from "../../../tools/serial/telnet";
import type { VirtualBoard } from "../virtual-board";
import { ResetCircuit } from "./reset-circuit";
import { Rfc2217 } from "./rfc2217";

/** A cable has one end. How long a second client waits for the first to be gone, ms. */
const TAKE_OVER_TIME = 200;
/** What a client does not fetch is lost beyond so many bytes, as on a line without flow control. */
const UNREAD_MAX = 1 << 20;

export class SerialServer {
	readonly #server = createServer((socket) => void this.#accept(socket));
	#board: VirtualBoard | undefined;
	#client: Socket | undefined;
	#telnet: Rfc2217 | undefined;

	/** Listens for a client of this board's. Throws where the port is taken. Gives the port. */
	async listen(board: VirtualBoard, port: number): Promise<number> {
		this.#board = board;
		this.#server.listen(port);
		await once(this.#server, "listening").catch(() => {
			throw new Error(`TCP port ${port} is taken: end what uses it, or give another one with --serial-port`);
		});
		return (this.#server.address() as AddressInfo).port;
	}

	/** A client is there. */
	get busy(): boolean {
		return this.#client !== undefined;
	}

	/** Takes what leaves the board's TX pin; it is lost where nobody listens. */
	send(bytes: Uint8Array): void {
		const client = this.#client;
		if (!client || client.writableLength > UNREAD_MAX) return;
		client.write(this.#telnet?.encode(bytes) ?? bytes);
	}

	async close(): Promise<void> {
		if (!this.#server.listening) return;
		this.#client?.destroySoon();
		this.#server.close();
		await once(this.#server, "close");
	}

	async #accept(socket: Socket): Promise<void> {
		socket.on("error", () => socket.destroy());
		socket.setNoDelay();
		if (this.#client) {
			await Promise.race([
				once(this.#client, "close"),
				new Promise((wake) => setTimeout(wake, TAKE_OVER_TIME)),
			]);
		}
		if (!this.#board || !this.#server.listening) {
			socket.destroy();
			return;
		}
		if (this.#client) {
			// What it says is read and dropped, or closing would reset the connection before it reads this.
			socket.resume().end("Port already in use\r\n");
			return;
		}
		this.#client = socket;
		try {
			await this.#serve(socket, this.#board);
		} catch {
			// The client is gone.
		}
		socket.destroy();
		const bare = this.#telnet === undefined;
		this.#client = this.#telnet = undefined;
		if (bare) await this.#left(this.#board);
	}

	async #serve(socket: Socket, board: VirtualBoard): Promise<void> {
		const circuit = new ResetCircuit(board);
		let first = true;
		for await (const bytes of socket as AsyncIterable<Uint8Array>) {
			if (first && bytes[0] === IAC) {
				this.#telnet = new Rfc2217(
					(answer) => socket.write(answer),
					({ baudRate, ...lines }) => {
						if (baudRate !== undefined && board.loader) board.loader.baudRate = baudRate;
						circuit.set(lines);
					},
				);
			}
			first = false;
			await board.receive(this.#telnet?.receive(bytes) ?? bytes);
		}
		// A port that is closed lets go of its lines.
		circuit.set({ dtr: false, rts: false });
	}

	/** Without DTR and RTS nobody can reset the board: it resets itself when one who has flashed it leaves. */
	async #left(board: VirtualBoard): Promise<void> {
		if (!board.loader?.flashed) return;
		board.flashButton = false;
		await board.reset();
	}
}
