import type { Decision } from "./decision";
import type { DeviceRequest } from "./device-request";

/** Devices that are remembered, in memory only: anybody can make up more. The one that is silent longest goes first. */
export const SEEN_MAX = 10_000;

export interface SeenDevice {
	mac: string;
	/** The version that it said it runs. */
	version: string;
	channel: string;
	app: string;
	/** Bytes. */
	freeSpace: number;
	/** Time of the last request, in ms since 1970. */
	lastSeen: number;
	/** Of the last request: status and reason. */
	lastResult: string;
}

export class SeenDevices {
	readonly #devices = new Map<string, SeenDevice>();

	get size(): number {
		return this.#devices.size;
	}

	note({ mac, version, freeSpace, name }: DeviceRequest, decision: Decision, lastResult: string): void {
		const { channel, app = name ?? "" } = decision;
		// A Map goes in the order of its insertions: the last one has been seen last.
		this.#devices.delete(mac);
		this.#devices.set(mac, { mac, version, channel, app, freeSpace, lastSeen: Date.now(), lastResult });
		if (this.#devices.size <= SEEN_MAX) return;
		const [oldest] = this.#devices.keys();
		if (oldest !== undefined) this.#devices.delete(oldest);
	}

	/** The one that was seen last comes first. */
	all(): SeenDevice[] {
		return [...this.#devices.values()].reverse();
	}
}
