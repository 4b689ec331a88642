/** `embedded:network/dnssd`: what the firmware claims and advertises, told to the network by bonjour-service. */
import type { EventEmitter } from "node:events";
import { Bonjour } from "bonjour-service";
import { chip } from "../virtual/chip";

interface Claim {
	host: string;
	onReady?(): void;
	onError?(): void;
}

interface Advertisement {
	serviceType: string;
	host: string;
	name?: string;
	port: number;
	txt?: Map<string, string>;
}

export default class DNSSD {
	readonly #bonjour: Bonjour;
	#open = true;

	constructor(options: { socket: { io: unknown } }) {
		if (typeof options.socket.io !== "function") throw new TypeError("no socket");
		// Bound to an interface's address, a socket gets no multicast on Linux; bound to all, it does.
		const mdns = { ...chip().mdns, bind: "0.0.0.0" } as ConstructorParameters<typeof Bonjour>[0];
		// What the network refuses (no multicast here) must not end the board, and the library leaves to nobody.
		const ignore = () => {};
		this.#bonjour = new Bonjour(mdns, ignore);
		const { server } = this.#bonjour as unknown as { server: { mdns: EventEmitter } };
		server.mdns.on("error", ignore);
	}

	/** The library probes when it publishes; here the name is taken at once. */
	claim(options: Claim): { close(): void } {
		const immediate = setImmediate(() => {
			if (this.#open) options.onReady?.();
		});
		return { close: () => clearImmediate(immediate) };
	}

	advertise(options: Advertisement): { close(): void } {
		const { serviceType, host, name = host, port, txt = new Map() } = options;
		const parts = /^_(.+)\._(tcp|udp)$/.exec(serviceType);
		if (!parts?.[1]) throw new Error("invalid serviceType");
		const service = this.#bonjour.publish({
			name,
			type: parts[1],
			protocol: parts[2] === "udp" ? "udp" : "tcp",
			host: `${host}.local`,
			port,
			txt: Object.fromEntries(txt),
		});
		return { close: () => service.stop?.() };
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		this.#bonjour.unpublishAll(() => this.#bonjour.destroy());
	}
}
