/** `embedded:network/dns/resolver/udp` as the SDK's (examples/io/udp/dns) answers, from this machine's resolver. */
import Timer from "timer";

/** Answers with the address, or undefined. */
function lookup(host, answer) {
	return native("xs_resolver_lookup").call(this, host, answer);
}

/** As the SDK sees it: 999 counts as a part, and so does " 1". */
function isAddress(host) {
	const parts = host.split(".");
	// biome-ignore lint/correctness/useParseIntRadix: the SDK's has none
	return parts.length === 4 && parts.every((part) => Number.parseInt(part) === Number(part));
}

class Resolver {
	/** Undefined once closed. */
	#socket;
	#requests = [];
	#timer;

	constructor(options) {
		if (options.servers === undefined || options.servers === null) throw new TypeError("no servers");
		this.#socket = options.socket;
	}
	resolve(options) {
		const { host, onResolved, onError } = options;
		if (!host || (!onResolved && !onError) || !this.#socket) throw new Error("invalid");
		const name = `${host}`;
		this.#requests.push({ host: name === "localhost" ? "127.0.0.1" : name, onResolved, onError });
		this.#timer ??= Timer.set(() => {
			this.#timer = undefined;
			for (const request of this.#requests.splice(0)) this.#answer(request);
		});
	}
	close() {
		this.#socket = undefined;
		this.#requests = [];
		Timer.clear(this.#timer);
		this.#timer = undefined;
	}
	#answer({ host, onResolved, onError }) {
		if (isAddress(host)) {
			onResolved?.call(this, host, host);
			return;
		}
		lookup(host, (address) => {
			if (!this.#socket) return;
			if (address) onResolved?.call(this, host, address);
			else onError?.call(this, host);
		});
	}
}

export default Resolver;
