/** Who listens at which port, on the board and on the PC, and the datagrams between them. */
import type { Air } from "./air";
import type { Clock } from "./clock";
import type { Cpu } from "./cpu";
import { Board, type Host, PC } from "./host";
import { TcpEnd } from "./tcp";

/** Takes a connection: its end on this side. */
export type Accept = (end: TcpEnd) => void;
export type Datagram = (bytes: Uint8Array, port: number) => void;

/** One of the two hosts, with what listens there. */
export class Side {
	readonly host: Host;
	readonly tcp = new Map<number, Accept>();
	readonly udp = new Map<number, Datagram>();
	#other: Side | undefined;
	#port = 49_152;

	constructor(host: Host) {
		this.host = host;
	}

	/** Connects two sides. */
	static join(a: Side, b: Side): void {
		a.#other = b;
		b.#other = a;
	}

	/** A port that nobody has. */
	freePort(): number {
		return this.#port++;
	}

	/** Connects to a port of the other side; where nobody listens, the connection is reset. */
	connect(port: number): TcpEnd {
		const other = this.#otherSide;
		const end = new TcpEnd(this.host, other.host);
		end.connect(() => {
			const accepted = new TcpEnd(other.host, this.host);
			const accept = other.tcp.get(port);
			if (accept) accept(accepted);
			else accepted.reset();
			return accepted;
		});
		return end;
	}

	/** Sends a datagram to a port of the other side. None is lost: an unmodified espota asks only once. */
	datagram(bytes: Uint8Array, from: number, to: number): void {
		const other = this.#otherSide;
		this.host.send(bytes.length, other.host, () => other.udp.get(to)?.(bytes, from), true);
	}

	get #otherSide(): Side {
		if (!this.#other) throw new Error("a side without another one");
		return this.#other;
	}
}

export class Network {
	readonly board: Side;
	readonly pc: Side;

	constructor(clock: Clock, cpu: Cpu, air: Air) {
		this.board = new Side(new Board(cpu, air));
		this.pc = new Side(new PC(clock, air));
		Side.join(this.board, this.pc);
	}
}
