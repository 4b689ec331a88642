/** Virtual time: events in their order, and nobody waits. Times are in microseconds. */

export interface Scheduled {
	/** It will not happen any more. */
	cancelled: boolean;
}

interface Event extends Scheduled {
	time: number;
	/** Events of the same time happen in the order in which they were made. */
	order: number;
	happen: () => void;
}

/** Longer than any update takes: what is still going on then goes on for ever. */
const TIME_MAX = 3600 * 1e6;

export class Clock {
	#now = 0;
	#order = 0;
	/** A binary heap, the earliest first. */
	readonly #events: Event[] = [];

	get now(): number {
		return this.#now;
	}

	/** Lets `happen` happen at `time`, or now where that is past. */
	at(time: number, happen: () => void): Scheduled {
		const event = { time: Math.max(time, this.#now), order: this.#order++, happen, cancelled: false };
		const events = this.#events;
		let at = events.length;
		while (at > 0) {
			const above = events[(at - 1) >> 1];
			if (!above || isBefore(above, event)) break;
			events[at] = above;
			at = (at - 1) >> 1;
		}
		events[at] = event;
		return event;
	}

	/** Lets time pass until `done` holds. Throws Error where nothing happens any more before, or an hour has passed. */
	run(done: () => boolean): void {
		while (!done()) {
			const event = this.#next();
			if (!event) throw new Error(`nothing happens any more after ${this.#now / 1e6} s`);
			if (event.time > TIME_MAX) throw new Error("it does not end within an hour");
			this.#now = event.time;
			if (!event.cancelled) event.happen();
		}
	}

	#next(): Event | undefined {
		const events = this.#events;
		const first = events[0];
		const last = events.pop();
		if (!first || !last || events.length === 0) return first;
		let at = 0;
		for (;;) {
			let child = 2 * at + 1;
			const [left, right] = [events[child], events[child + 1]];
			if (!left) break;
			let least = left;
			if (right && isBefore(right, left)) {
				child += 1;
				least = right;
			}
			if (isBefore(last, least)) break;
			events[at] = least;
			at = child;
		}
		events[at] = last;
		return first;
	}
}

function isBefore(a: Event, b: Event): boolean {
	return a.time < b.time || (a.time === b.time && a.order < b.order);
}
