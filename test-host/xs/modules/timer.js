/** The SDK's module `timer`. */
const Timer = Object.freeze({
	set(callback, delay, repeat) {
		return native("xs_timer_set").call(this, callback, delay, repeat);
	},
	repeat(callback, interval) {
		return native("xs_timer_repeat").call(this, callback, interval);
	},
	schedule(id, delay, repeat) {
		return native("xs_timer_schedule").call(this, id, delay, repeat);
	},
	clear(id) {
		return native("xs_timer_clear").call(this, id);
	},
});

export default Timer;
