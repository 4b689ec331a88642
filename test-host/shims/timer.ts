/** The SDK's module `timer`, on Node's timers. */

class TimerId {
	readonly callback: (id: TimerId) => void;
	/** 0 where it fires once. */
	repeat = 0;
	timeout: NodeJS.Timeout | undefined;
	live = true;

	constructor(callback: (id: TimerId) => void) {
		this.callback = callback;
	}
}

function wait(id: TimerId, delay: number, repeat: number): void {
	clearTimeout(id.timeout);
	id.repeat = repeat;
	id.timeout = setTimeout(fire, delay, id);
}

function fire(id: TimerId): void {
	const { callback, repeat } = id;
	if (repeat > 0) wait(id, repeat, repeat);
	callback.call(globalThis, id);
	// A timer without a repeat is gone when its callback returns, even if the callback has scheduled it again.
	if (id.repeat === 0) Timer.clear(id);
}

const Timer = {
	set(callback: (id: TimerId) => void, delay = 0, repeat = 0): TimerId {
		if (typeof callback !== "function") throw new TypeError("no callback");
		const id = new TimerId(callback);
		wait(id, delay, repeat);
		return id;
	},
	repeat(callback: (id: TimerId) => void, interval: number): TimerId {
		return Timer.set(callback, interval, interval);
	},
	/** Without a delay the timer rests until it is scheduled again. */
	schedule(id: TimerId, delay?: number, repeat = 0): void {
		if (!(id instanceof TimerId) || !id.live) throw new SyntaxError("no timer");
		clearTimeout(id.timeout);
		id.repeat = -1;
		if (delay !== undefined) wait(id, delay, repeat);
	},
	clear(id?: TimerId): void {
		if (!(id instanceof TimerId)) return;
		clearTimeout(id.timeout);
		id.live = false;
	},
};

export default Timer;
