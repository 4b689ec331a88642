/** The two ends of the air: the board, whose processor handles each packet, and a PC, which takes no time. */
import { WINDOW } from "../shims/connection";
import type { Air } from "./air";
import type { Clock } from "./clock";
import type { Cpu } from "./cpu";
import { PACKET, PACKET_BYTE, timeOf } from "./figures";

export interface Host {
	readonly now: number;
	/** As its TCP is. */
	readonly tcp: TcpProfile;
	/** Runs `task` after so many microseconds; what is returned takes it back. */
	after(delay: number, task: () => void): () => void;
	/** Sends a packet with so many bytes to the other end, which calls `arrive` when it takes it. */
	send(bytes: number, to: Host, arrive: () => void, reliable?: boolean): void;
	/** A packet with so many bytes has come. */
	take(bytes: number, arrive: () => void): void;
}

export interface TcpProfile {
	/** Bytes that a peer may send before some are read. */
	window: number;
	/** Segments that may be under way at first. */
	initialWindow: number;
	/** When an acknowledgement goes that was put off, in microseconds from `now` on. */
	acknowledgeAfter(now: number): number;
	/** The least time for a retransmission, and the one before a round trip was measured; microseconds. */
	timeoutMin: number;
	timeoutFirst: number;
}

/** lwIP as the SDK for the ESP8266 has it: TCP_WND, the fast timer of 250 ms, TCP_MINRTO of two slow ones of 500 ms. */
export const lwip: TcpProfile = {
	window: WINDOW,
	initialWindow: 2,
	acknowledgeAfter: (now) => 250_000 - (now % 250_000),
	timeoutMin: 1_000_000,
	timeoutFirst: 3_000_000,
};

/** Linux on a PC: TCP_DELACK_MIN, TCP_RTO_MIN, TCP_INIT_CWND. */
export const linux: TcpProfile = {
	window: 65_535,
	initialWindow: 10,
	acknowledgeAfter: () => 40_000,
	timeoutMin: 200_000,
	timeoutFirst: 1_000_000,
};

export class Board implements Host {
	readonly tcp = lwip;
	readonly #cpu: Cpu;
	readonly #air: Air;

	constructor(cpu: Cpu, air: Air) {
		this.#cpu = cpu;
		this.#air = air;
	}

	get now(): number {
		return this.#cpu.now;
	}

	after(delay: number, task: () => void): () => void {
		return this.#cpu.after(delay, task, "network");
	}

	send(bytes: number, to: Host, arrive: () => void, reliable?: boolean): void {
		this.#cpu.leave(() => this.#air.send("board", bytes, () => to.take(bytes, arrive), reliable));
	}

	take(bytes: number, arrive: () => void): void {
		this.#cpu.post(() => {
			this.#cpu.compute(timeOf(PACKET + PACKET_BYTE * bytes));
			arrive();
		}, "network");
	}
}

export class PC implements Host {
	readonly tcp: TcpProfile;
	readonly #clock: Clock;
	readonly #air: Air;

	readonly #station: "board" | "pc";

	constructor(clock: Clock, air: Air, tcp: TcpProfile = linux, station: "board" | "pc" = "pc") {
		this.#clock = clock;
		this.#air = air;
		this.tcp = tcp;
		this.#station = station;
	}

	get now(): number {
		return this.#clock.now;
	}

	after(delay: number, task: () => void): () => void {
		const event = this.#clock.at(this.now + delay, task);
		return () => {
			event.cancelled = true;
		};
	}

	send(bytes: number, to: Host, arrive: () => void, reliable?: boolean): void {
		this.#air.send(this.#station, bytes, () => to.take(bytes, arrive), reliable);
	}

	take(_bytes: number, arrive: () => void): void {
		arrive();
	}
}
