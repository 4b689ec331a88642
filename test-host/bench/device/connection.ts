/** In the place of shims/connection.ts: lwIP's side of a connection, on the bench's TCP. */
import { type Event, SEND_BUFFER } from "../../shims/connection";
import { timeOf } from "../figures";
import { machine } from "../machine";
import type { TcpEnd } from "../tcp";
import type { Socket } from "./net";

export class Connection {
	readonly socket: Socket;
	/** Called with what happened; by whom holds the connection. */
	tell: ((event: Event) => void) | undefined;
	/** Whether it may be written to. */
	ready: boolean;
	/** Reset by the peer. */
	lost = false;
	readonly #end: TcpEnd;
	#written: Uint8Array[] = [];
	#unsent = 0;

	constructor(socket: Socket) {
		this.socket = socket;
		const { end } = socket;
		this.#end = end;
		this.ready = end.connected;
		end.onConnected = () => {
			this.ready = true;
			this.tell?.("writable");
		};
		end.onReset = () => {
			this.lost = true;
			this.tell?.("error");
		};
		end.receiver.onReadable = () => {
			if (end.receiver.available > 0) this.tell?.("readable");
			if (end.receiver.ended) this.tell?.("error");
		};
		end.sender.onRoom = () => this.tell?.("writable");
	}

	get available(): number {
		return this.#end.receiver.available;
	}

	get writable(): number {
		return SEND_BUFFER - this.#unsent - this.#end.sender.unacknowledged;
	}

	write(bytes: Uint8Array): void {
		if (bytes.length === 0) return;
		this.#unsent += bytes.length;
		this.#written.push(bytes);
		this.tell?.("output");
	}

	send(): void {
		this.#unsent = 0;
		for (const bytes of this.#written.splice(0)) this.#end.sender.write(bytes);
	}

	/** Fills `target`, which is no larger than what is available. */
	read(target: Uint8Array): void {
		const { cpu, script } = machine();
		cpu.compute(timeOf(script * target.length));
		this.#end.receiver.read(target);
	}

	/** As the SDK closes: nobody is told of anything, and the peer gets a reset. */
	close(): void {
		this.tell = undefined;
		this.#end.reset();
	}
}
