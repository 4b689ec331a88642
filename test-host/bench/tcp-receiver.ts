/** A TCP's receiving half: the window, and when it acknowledges. */
import { SEGMENT } from "../shims/connection";
import { Segments } from "../shims/segments";
import type { Host } from "./host";

export class Receiver {
	/** Called when bytes can be read that could not, or the peer has ended its side. */
	onReadable: () => void = () => {};
	readonly #host: Host;
	readonly #acknowledge: () => void;
	/** In order, to be read. */
	readonly #segments = new Segments();
	/** Everything before this offset has come. */
	next = 0;
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

	/** Bytes that can be read. */
	get available(): number {
		return this.#segments.available;
	}

	/** The peer has ended its side, and all of it has come. */
	get ended(): boolean {
		return this.#ended;
	}

	/** Offset that the peer may reach, as it is told; it moves by no less than a segment. */
	get edge(): number {
		if (this.#free >= this.#edge + Math.min(this.#host.tcp.window / 2, SEGMENT)) this.#edge = this.#free;
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
		this.#segments.read(target, () => {
			// As lwIP does (tcp_recved): the news that a segment or more is free goes out at once.
			if (this.#free >= this.#edge + Math.min(this.#host.tcp.window / 4, SEGMENT)) this.#acknowledge();
		});
	}

	/** Offset that the window reaches. */
	get #free(): number {
		return this.next + this.#host.tcp.window - this.#segments.held;
	}

	#accept(bytes: Uint8Array, end: boolean): void {
		this.next += bytes.length + (end ? 1 : 0);
		this.#ended ||= end;
		if (bytes.length > 0) this.#segments.push(bytes);
	}
}
