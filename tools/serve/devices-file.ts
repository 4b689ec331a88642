import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Devices, parseDevices } from "./devices";
import { inside } from "./inside";
import { stampOf } from "./stamp";

export const DEVICES_FILE = "devices.json";
/** Bytes; some 100,000 devices. */
const LENGTH_MAX = 0x1000000;

/** DIR/devices.json, read again when it changes. One that is faulty, or gone, leaves the last good one in force. */
export class DevicesFile {
	devices = new Devices();
	readonly #root: string;
	readonly #onNotice: (text: string) => void;
	/** Of the content read last, good or not; undefined while there is none. */
	#stamp: string | undefined;

	constructor(root: string, onNotice: (text: string) => void) {
		this.#root = root;
		this.#onNotice = onNotice;
	}

	/** The first reading: no file is no device. Throws where it is faulty, since there is no good one before. */
	async load(): Promise<void> {
		const stamp = await this.#currentStamp();
		if (stamp !== undefined) this.devices = await this.#read();
		this.#stamp = stamp;
	}

	/** Reads it where it has changed. */
	async refresh(): Promise<void> {
		try {
			const stamp = await this.#currentStamp();
			if (stamp === this.#stamp) return;
			this.#stamp = stamp;
			if (stamp === undefined) {
				// Some editors remove a file before they write it anew.
				this.#onNotice(`${DEVICES_FILE} is gone, the last one stays in force; {} is one without devices`);
				return;
			}
			this.devices = await this.#read();
			this.#onNotice(`${DEVICES_FILE} read: ${this.devices.size} devices`);
		} catch (error) {
			this.#onNotice(`${(error as Error).message}; the last good one stays in force`);
		}
	}

	async #currentStamp(): Promise<string | undefined> {
		try {
			return stampOf(await stat(join(this.#root, DEVICES_FILE), { bigint: true }));
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
			throw error;
		}
	}

	async #read(): Promise<Devices> {
		try {
			const path = await inside(this.#root, join(this.#root, DEVICES_FILE));
			if (path === undefined) throw new Error("leads out of the folder");
			const stats = await stat(path);
			if (!stats.isFile() || stats.size > LENGTH_MAX)
				throw new Error(`no file of at most ${LENGTH_MAX} bytes`);
			return parseDevices(await readFile(path, "utf8"));
		} catch (error) {
			throw new Error(`${DEVICES_FILE}: ${(error as Error).message}`);
		}
	}
}
