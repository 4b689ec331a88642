/** A TCP's sending half: window, Nagle, slow start, retransmission by time and by acknowledgements that repeat. */
import { SEGMENT } from "../shims/connection";
import { ByteQueue } from "./byte-queue";
import type { Host } from "./host";

const DUPLICATES = 3;
const TIMEOUT_MAX = 60_000_000;

/** Sends so many bytes from an offset of the stream on, and with them its end; 0 bytes only ask for an answer. */
export type Transmit = (offset: number, bytes: Uint8Array, end: boolean) => void;

export class Sender {
	nodelay = false;
	/** Called when bytes were acknowledged: there is room. */
	onRoom: () => void = () => {};
	readonly #host: Host;
	readonly #transmit: Transmit;
	readonly #queue = new ByteQueue();
	/** The end of the stream was written. */
	#ended = false;
	/** Offsets of what is not acknowledged, of what was not sent, and of the highest one ever sent. */
	#first = 0;
	#next = 0;
	#highest = 0;
	/** Offset that the peer lets be reached. */
	#edge: number;
	#congestion: number;
	#threshold = Number.POSITIVE_INFINITY;
	#duplicates = 0;
	/** Recovers until this offset is acknowledged. */
	#recovery: number | undefined;
	#timeout: number;
	#smoothed: number | undefined;
	#variation = 0;
	/** The offset whose acknowledgement ends a measured round trip, and when it began. */
	#timed: { offset: number; since: number } | undefined;
	#cancel: (() => void) | undefined;

	constructor(host: Host, peerWindow: number, transmit: Transmit) {
		this.#host = host;
		this.#transmit = transmit;
		this.#edge = peerWindow;
		this.#congestion = host.tcp.initialWindow * SEGMENT;
		this.#timeout = host.tcp.timeoutFirst;
	}

	/** Bytes written and not yet acknowledged. */
	get unacknowledged(): number {
		return this.#queue.end - this.#first;
	}

	write(bytes: Uint8Array): void {
		this.#queue.push(bytes);
		this.#send();
	}

	/** No more will be written. */
	end(): void {
		this.#ended = true;
		this.#send();
	}

	/** Nothing is sent any more. */
	stop(): void {
		this.#cancel?.();
		this.#ended = false;
		this.#queue.drop(this.#queue.end);
		this.#first = this.#next = this.#length;
		this.onRoom = () => {};
	}

	/** The peer has all before `offset`, and room up to `edge`. `pure`: it came alone. */
	acknowledged(offset: number, edge: number, pure: boolean): void {
		const moved = edge > this.#edge;
		this.#edge = Math.max(edge, this.#edge);
		if (offset > this.#first) this.#advance(offset);
		else if (pure && !moved && this.#first < this.#next) this.#repeated();
		this.#send();
	}

	/** Offset behind all that is to be sent, an end counted as a byte. */
	get #length(): number {
		return this.#queue.end + (this.#ended ? 1 : 0);
	}

	#advance(offset: number): void {
		const count = offset - this.#first;
		this.#first = offset;
		this.#next = Math.max(this.#next, offset);
		this.#queue.drop(Math.min(offset, this.#queue.end));
		if (this.#timed && offset >= this.#timed.offset) this.#measure(this.#host.now - this.#timed.since);
		if (this.#recovery !== undefined && offset < this.#recovery) {
			// Part of what was lost: the next hole is sent at once.
			this.#retransmit();
		} else {
			if (this.#recovery !== undefined) this.#congestion = this.#threshold;
			else if (this.#congestion < this.#threshold) this.#congestion += Math.min(count, 2 * SEGMENT);
			else this.#congestion += (SEGMENT * SEGMENT) / this.#congestion;
			this.#recovery = undefined;
			this.#duplicates = 0;
		}
		this.#wait();
		this.onRoom();
	}

	#repeated(): void {
		this.#duplicates += 1;
		if (this.#recovery !== undefined) this.#congestion += SEGMENT;
		else if (this.#duplicates === DUPLICATES) {
			this.#threshold = Math.max((this.#next - this.#first) / 2, 2 * SEGMENT);
			this.#congestion = this.#threshold + DUPLICATES * SEGMENT;
			this.#recovery = this.#next;
			this.#retransmit();
		}
	}

	#measure(time: number): void {
		this.#timed = undefined;
		if (this.#smoothed === undefined) {
			this.#smoothed = time;
			this.#variation = time / 2;
		} else {
			this.#variation += (Math.abs(time - this.#smoothed) - this.#variation) / 4;
			this.#smoothed += (time - this.#smoothed) / 8;
		}
		this.#timeout = Math.max(this.#smoothed + 4 * this.#variation, this.#host.tcp.timeoutMin);
	}

	/** Sends what the windows and Nagle let pass, never part of a segment because of a window. */
	#send(): void {
		while (this.#next < this.#length) {
			const length = Math.min(SEGMENT, this.#queue.end - this.#next);
			const flight = this.#next - this.#first;
			if (flight > 0 && flight + length > this.#congestion) break;
			if (this.#next + length > this.#edge) break;
			const last = this.#ended && this.#next + length === this.#queue.end;
			if (length < SEGMENT && flight > 0 && !this.nodelay && !last) break;
			this.#emit(this.#next, length);
			this.#next += length + (last ? 1 : 0);
		}
		this.#highest = Math.max(this.#highest, this.#next);
		if (this.#cancel === undefined && this.#first < this.#length) this.#wait();
	}

	#emit(offset: number, length: number): void {
		const last = this.#ended && offset + length === this.#queue.end;
		if (offset < this.#highest) this.#timed = undefined;
		else this.#timed ??= { offset: offset + length, since: this.#host.now };
		this.#transmit(offset, this.#queue.slice(offset, length), last);
	}

	#retransmit(): void {
		this.#emit(this.#first, Math.max(Math.min(SEGMENT, this.#queue.end - this.#first), 0));
	}

	/** The clock runs while something is under way, or waits for the peer's window. */
	#wait(): void {
		this.#cancel?.();
		this.#cancel = undefined;
		if (this.#first < this.#length) {
			this.#cancel = this.#host.after(this.#timeout, () => this.#timedOut());
		}
	}

	#timedOut(): void {
		this.#cancel = undefined;
		this.#timeout = Math.min(this.#timeout * 2, TIMEOUT_MAX);
		if (this.#first === this.#next) {
			// The window is shut, or the word that it is open was lost.
			this.#transmit(this.#first, new Uint8Array(0), false);
		} else {
			this.#threshold = Math.max((this.#next - this.#first) / 2, 2 * SEGMENT);
			this.#congestion = SEGMENT;
			this.#recovery = undefined;
			this.#duplicates = 0;
			this.#next = this.#first;
			this.#send();
		}
		this.#wait();
	}
}
