/** A TCP's receiving half: the window, and when it acknowledges. */
import type { Host } from "./host";
import { SEGMENT } from "./tcp-sender";

export class Receiver {
	/** Called when bytes can be read that could not, or the peer has ended its side. */
	onReadable: () => void = () => {};
	readonly #host: Host;
	readonly #acknowledge: () => void;
	/** In order, to be read: one piece is one segment, which takes its part of the window until all of it is read. */
	readonly #segments: Uint8Array[] = [];
	#consumed = 0;
	/** Bytes that can be read. */
	available = 0;
	/** Everything before this offset has come. */
	next = 0;
	#held = 0;
	#edge: number;
	/** By offset: what came before what is to precede it. */
	readonly #early = new Map<number, { bytes: Uint8Array; end: boolean }>();
	#ended = false;
	/** An acknowledgement is put off. */
	#cancel: (() => void) | undefined;

	constructor(host: Host, acknowledge: () => void) {
		this.#host = host;
		this.#acknowledge = acknowledge;
		this.#edge = host.tcp.window;
	}

	/** The peer has ended its side, and all of it has come. */
	get ended(): boolean {
		return this.#ended;
	}

	/** Offset that the peer may reach, as it is told; it moves by no less than a segment. */
	get edge(): number {
		const edge = this.next + this.#host.tcp.window - this.#held;
		if (edge >= this.#edge + Math.min(this.#host.tcp.window / 2, SEGMENT)) this.#edge = edge;
		return this.#edge;
	}

	/** What is sent anyway has told it. */
	acknowledged(): void {
		this.#cancel?.();
		this.#cancel = undefined;
	}

	take(offset: number, bytes: Uint8Array, end: boolean): void {
		const length = bytes.length + (end ? 1 : 0);
		if (length === 0 || offset !== this.next) {
			const isEarly = offset > this.next && offset + bytes.length <= this.#edge;
			if (length > 0 && isEarly) this.#early.set(offset, { bytes, end });
			// A repetition, a hole, or a question: the peer is told at once.
			this.#acknowledge();
			return;
		}
		this.#accept(bytes, end);
		let filled = false;
		for (let early = this.#early.get(this.next); early; early = this.#early.get(this.next)) {
			this.#early.delete(this.next);
			this.#accept(early.bytes, early.end);
			filled = true;
		}
		if (this.#cancel !== undefined || filled || this.#ended) this.#acknowledge();
		else {
			const { now, tcp } = this.#host;
			this.#cancel = this.#host.after(tcp.acknowledgeAfter(now), () => this.#acknowledge());
		}
		this.onReadable();
	}

	/** Fills `target`, which is no larger than what is available. */
	read(target: Uint8Array): void {
		this.available -= target.length;
		for (let filled = 0; filled < target.length; ) {
			const first = this.#segments[0] ?? new Uint8Array(0);
			const part = first.subarray(this.#consumed, this.#consumed + target.length - filled);
			target.set(part, filled);
			filled += part.length;
			this.#consumed += part.length;
			if (this.#consumed < first.length) break;
			this.#segments.shift();
			this.#held -= first.length;
			this.#consumed = 0;
			// As lwIP does (tcp_recved): the news that a segment or more is free goes out at once.
			const edge = this.next + this.#host.tcp.window - this.#held;
			if (edge >= this.#edge + Math.min(this.#host.tcp.window / 4, SEGMENT)) this.#acknowledge();
		}
	}

	#accept(bytes: Uint8Array, end: boolean): void {
		this.next += bytes.length + (end ? 1 : 0);
		this.#ended ||= end;
		if (bytes.length === 0) return;
		this.#segments.push(bytes);
		this.#held += bytes.length;
		this.available += bytes.length;
	}
}
