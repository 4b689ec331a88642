/** Which channel, and which app, a device takes its images from: the content of devices.json. */
import { APP_LENGTH_MAX, isChannelName } from "./image-name";

export interface DeviceEntry {
	channel: string;
	/** Where its channel holds images for several. */
	app?: string | undefined;
	/** Its boot loader inflates. */
	gzip: boolean;
	/** For people. */
	label?: string | undefined;
}

export const DEFAULT_CHANNEL = "stable";
const LABEL_LENGTH_MAX = 64;

export class Devices {
	readonly #entries: ReadonlyMap<string, DeviceEntry>;

	constructor(entries: ReadonlyMap<string, DeviceEntry> = new Map()) {
		this.#entries = entries;
	}

	get size(): number {
		return this.#entries.size;
	}

	/** The entry of a MAC, as `18:FE:34:AA:BB:CC`, else of a chip id. */
	find(mac: string, chipId: number | undefined): DeviceEntry | undefined {
		return this.#entries.get(mac) ?? (chipId === undefined ? undefined : this.#entries.get(String(chipId)));
	}
}

/** Reads the text of a devices.json. Throws an Error that says what is wrong, and where. */
export function parseDevices(text: string): Devices {
	const entries = new Map<string, DeviceEntry>();
	for (const [name, value] of Object.entries(object(JSON.parse(text), "the file"))) {
		const key = deviceKey(name);
		if (key === undefined) {
			throw new Error(`"${name}" is no device: write its MAC, 18:FE:34:AA:BB:CC, or its chip id, 1715004`);
		}
		if (entries.has(key)) throw new Error(`"${name}" is there twice`);
		entries.set(key, deviceEntry(object(value, `"${name}"`), `"${name}"`));
	}
	return new Devices(entries);
}

/** MACs in capitals with colons; chip ids in decimal, as the device tells them. */
function deviceKey(name: string): string | undefined {
	if (/^[0-9a-f]{2}([:-]?[0-9a-f]{2}){5}$/i.test(name) && !/^\d+$/.test(name)) {
		return name.replaceAll(/[:-]/g, "").toUpperCase().match(/../g)?.join(":");
	}
	const isChipId = /^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(name) && Number(name) <= 0xffffffff;
	return isChipId ? String(Number(name)) : undefined;
}

function deviceEntry(fields: Record<string, unknown>, where: string): DeviceEntry {
	const { channel = DEFAULT_CHANNEL, app, gzip = false, label, ...others } = fields;
	const [unknown] = Object.keys(others);
	// A slip of the pen would be a device on the wrong channel.
	if (unknown !== undefined)
		throw new Error(`${where}: unknown "${unknown}", not channel, app, gzip or label`);
	if (typeof channel !== "string" || !isChannelName(channel)) {
		throw new Error(`${where}: "channel" is to be the name of a folder`);
	}
	if (typeof gzip !== "boolean") throw new Error(`${where}: "gzip" is to be true or false`);
	return {
		channel,
		gzip,
		app: optionalText(app, `${where}: "app"`, APP_LENGTH_MAX),
		label: optionalText(label, `${where}: "label"`, LABEL_LENGTH_MAX),
	};
}

function optionalText(value: unknown, where: string, lengthMax: number): string | undefined {
	if (value === undefined) return undefined;
	if (typeof value === "string" && value !== "" && value.length <= lengthMax) return value;
	throw new Error(`${where} is to be a text of 1 to ${lengthMax} characters`);
}

function object(value: unknown, where: string): Record<string, unknown> {
	if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
	throw new Error(`${where} is to be an object, { … }`);
}
