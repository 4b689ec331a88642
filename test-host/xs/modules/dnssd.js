/** `embedded:network/dnssd`: what the firmware claims and advertises goes to the virtual board. */
import Timer from "timer";

function textRecord(value, key) {
	text(key, value);
}

function text(key, value) {
	return native("xs_dnssd_text").call(this, key, value);
}

function tell(serviceType, host, name, port) {
	return native("xs_dnssd_advertise").call(this, serviceType, host, name, port);
}

/** The board stops to announce what it does when its application ends. */
const advertisement = Object.freeze({ close() {} });

class Claim {
	#timer;

	/** The name is taken at once: nobody else answers for it here. */
	constructor(options) {
		this.#timer = Timer.set(() => {
			this.#timer = undefined;
			options.onReady?.();
		});
	}
	close() {
		Timer.clear(this.#timer);
		this.#timer = undefined;
	}
}

class DNSSD {
	/** Undefined once closed. */
	#claims = [];

	constructor(options) {
		if (typeof options.socket.io !== "function") throw new TypeError("no socket");
	}
	claim(options) {
		const claim = new Claim(options);
		this.#claims.push(claim);
		return claim;
	}
	advertise(options) {
		const { serviceType, host, name = host, port, txt } = options;
		if (!serviceType.startsWith("_")) throw new Error("invalid serviceType");
		txt?.forEach(textRecord);
		tell(serviceType, host, name, port);
		return advertisement;
	}
	close() {
		this.#claims?.forEach((claim) => {
			claim.close();
		});
		this.#claims = undefined;
	}
}

export default DNSSD;
