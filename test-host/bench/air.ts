/** Wi-Fi between the board and a PC: one channel that both share, a round trip, and packets that are lost. */
import { SEGMENT } from "../shims/connection";
import { Noise } from "../virtual/noise";
import type { Clock } from "./clock";

/** IP and TCP. */
const HEADERS = 40;

export interface AirOptions {
	/** Bytes a second that full segments carry. */
	rate: number;
	/** Milliseconds, without the time that the packets take themselves. */
	roundTrip: number;
	/** Of TCP's packets, in either direction: 0.01 is one in a hundred. */
	loss: number;
	/** Chooses which ones. */
	seed: number;
}

interface Packet {
	bytes: number;
	arrive: () => void;
	reliable: boolean;
}

export class Air {
	readonly #clock: Clock;
	readonly #noise: Noise;
	readonly #perByte: number;
	readonly #delay: number;
	readonly #loss: number;
	/** What each station has to send, the one whose turn it is first. */
	#stations: [Packet[], Packet[]] = [[], []];
	readonly #board = this.#stations[0];
	readonly #pc = this.#stations[1];
	#busy = false;

	constructor(clock: Clock, options: AirOptions) {
		this.#clock = clock;
		this.#noise = new Noise(options.seed);
		this.#perByte = (1e6 / options.rate) * (SEGMENT / (SEGMENT + HEADERS));
		this.#delay = options.roundTrip * 500;
		this.#loss = options.loss;
	}

	/** Sends a packet with so many bytes; `arrive` is called when it does. One that is `reliable` is not lost. */
	send(from: "board" | "pc", bytes: number, arrive: () => void, reliable = false): void {
		(from === "board" ? this.#board : this.#pc).push({ bytes, arrive, reliable });
		if (!this.#busy) this.#next();
	}

	/** Stations that both have something to send take turns, as a channel that each waits for is shared. */
	#next(): void {
		const [first, second] = this.#stations;
		const packet = first.shift() ?? second.shift();
		this.#busy = packet !== undefined;
		if (!packet) return;
		this.#stations = [second, first];
		const end = this.#clock.now + (packet.bytes + HEADERS) * this.#perByte;
		// Lost behind the air, in a full buffer: the time is spent all the same.
		const lost = !packet.reliable && this.#noise.next() < this.#loss * 2 ** 32;
		if (!lost) this.#clock.at(end + this.#delay, packet.arrive);
		this.#clock.at(end, () => this.#next());
	}
}
