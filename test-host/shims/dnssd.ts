/** `embedded:network/dnssd`: what the firmware claims and advertises, told to the network by bonjour-service. */
import type { EventEmitter } from "node:events";
import { Bonjour } from "bonjour-service";
import { chip } from "../virtual/chip";

/** What a firmware advertises. */
export interface Service {
	serviceType: string;
	host: string;
	name?: string;
	port: number;
	txt?: Readonly<Record<string, string>>;
}

type Network = Readonly<{ interface?: string; port?: number }>;

function open(network: Network): Bonjour {
	// Bound to an interface's address, a socket gets no multicast on Linux; bound to all, it does.
	const options = { ...network, bind: "0.0.0.0" } as ConstructorParameters<typeof Bonjour>[0];
	// What the network refuses (no multicast here) must not end the board, and the library leaves to nobody.
	const ignore = () => {};
	const bonjour = new Bonjour(options, ignore);
	const { server } = bonjour as unknown as { server: { mdns: EventEmitter } };
	server.mdns.on("error", ignore);
	return bonjour;
}

function close(bonjour: Bonjour): void {
	bonjour.unpublishAll(() => bonjour.destroy());
}

function advertise(bonjour: Bonjour, service: Service): { close(): void } {
	const { serviceType, host, name = host, port, txt = {} } = service;
	const [, type, protocol] = /^_(.+)\._(tcp|udp)$/.exec(serviceType) ?? [];
	if (!type) throw new Error("invalid serviceType");
	const published = bonjour.publish({
		name,
		type,
		protocol: protocol === "udp" ? "udp" : "tcp",
		host: `${host}.local`,
		port,
		txt,
	});
	return { close: () => published.stop?.() };
}

/** Advertises for a firmware that runs elsewhere; what is returned ends it. */
export function publish(network: Network, service: Service): () => void {
	const bonjour = open(network);
	advertise(bonjour, service);
	return () => close(bonjour);
}

export default class DNSSD {
	readonly #bonjour: Bonjour;
	#open = true;

	constructor(options: { socket: { io: unknown } }) {
		if (typeof options.socket.io !== "function") throw new TypeError("no socket");
		this.#bonjour = open(chip().mdns);
	}

	/** The library probes when it publishes; here the name is taken at once. */
	claim(options: { host: string; onReady?(): void }): { close(): void } {
		const immediate = setImmediate(() => {
			if (this.#open) options.onReady?.();
		});
		return { close: () => clearImmediate(immediate) };
	}

	advertise(options: Omit<Service, "txt"> & { txt?: Map<string, string> }): { close(): void } {
		const { txt = new Map(), ...service } = options;
		return advertise(this.#bonjour, { ...service, txt: Object.fromEntries(txt) });
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		close(this.#bonjour);
	}
}
