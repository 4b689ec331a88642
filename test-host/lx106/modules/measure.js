/** What a workload says of its course: `start` and `stop` around what is measured. */
export function start(name) {
	return native("xs_measure_start").call(this, name);
}

export function stop() {
	return native("xs_measure_stop").call(this);
}

export function loadOdd() {
	return native("xs_measure_loadOdd").call(this);
}
