/** The SDK's module `timer`, on Node's timers. */

class TimerId {
	readonly callback: (id: TimerId) => void;
	repeat = 0;
	timeout: NodeJS.Timeout | undefined;

	constructor(callback: (id: TimerId) => void) {
		this.callback = callback;
	}
}

function start(id: TimerId, delay: number, repeat: number): void {
	clearTimeout(id.timeout);
	id.repeat = repeat;
	id.timeout = setTimeout(() => {
		// A timer that fires once is gone when its callback returns, whatever the callback did to it.
		if (repeat > 0) start(id, repeat, repeat);
		id.callback(id);
		if (repeat === 0) id.timeout = undefined;
	}, delay);
}

const Timer = {
	set(callback: (id: TimerId) => void, delay = 0, repeat = 0): TimerId {
		if (typeof callback !== "function") throw new TypeError("no callback");
		const id = new TimerId(callback);
		start(id, delay, repeat);
		return id;
	},
	repeat(callback: (id: TimerId) => void, interval: number): TimerId {
		return Timer.set(callback, interval, interval);
	},
	schedule(id: TimerId, delay: number, repeat = 0): void {
		if (!(id instanceof TimerId) || id.timeout === undefined) throw new SyntaxError("no timer");
		start(id, delay, repeat);
	},
	clear(id: TimerId | undefined): void {
		if (!(id instanceof TimerId)) return;
		clearTimeout(id.timeout);
		id.repeat = 0;
		id.timeout = undefined;
	},
};

export default Timer;
