/** Wi-Fi between the board and a PC: one channel that both share, a round trip, and packets that are lost. */
import { Noise } from "../virtual/noise";
import type { Clock } from "./clock";

/** IP and TCP. */
const HEADERS = 40;
const SEGMENT = 1460;

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

export class Air {
	readonly #clock: Clock;
	readonly #noise: Noise;
	readonly #perByte: number;
	readonly #delay: number;
	readonly #loss: number;
	#freeAt = 0;

	constructor(clock: Clock, options: AirOptions) {
		this.#clock = clock;
		this.#noise = new Noise(options.seed);
		this.#perByte = (1e6 / options.rate) * (SEGMENT / (SEGMENT + HEADERS));
		this.#delay = options.roundTrip * 500;
		this.#loss = options.loss;
	}

	/** Sends a packet with so many bytes; `arrive` is called when it does. */
	send(bytes: number, arrive: () => void, reliable = false): void {
		const end = Math.max(this.#clock.now, this.#freeAt) + (bytes + HEADERS) * this.#perByte;
		this.#freeAt = end;
		// Lost behind the air, in a full buffer: the time is spent all the same.
		const lost = !reliable && this.#noise.next() < this.#loss * 2 ** 32;
		if (!lost) this.#clock.at(end + this.#delay, arrive);
	}
}
