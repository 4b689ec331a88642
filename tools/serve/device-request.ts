/** What a device tells with a request: the headers of the ESP8266 Arduino core's ESP8266HTTPUpdate, and ours. */
import type { IncomingHttpHeaders } from "node:http";
import type { UpdateKind } from "../../ota/kind";
import { APP_LENGTH_MAX } from "./image-name";

export interface DeviceRequest {
	/** Of the station, as `18:FE:34:AA:BB:CC`. */
	mac: string;
	chipId?: number | undefined;
	/** What it asks for; `version` only asks which one it would get. */
	mode: UpdateKind | "version";
	/** Bytes free for a new firmware. */
	freeSpace: number;
	/** Bytes of the running firmware. */
	sketchSize: number;
	/** Of the running firmware, lower case. */
	sketchMD5: string;
	/** Bytes of its flash. */
	chipSize: number;
	/** Of the running application; empty where it does not tell. */
	version: string;
	/** Name in the descriptor of the running firmware; a device with the Arduino core does not tell. */
	name?: string | undefined;
	/** Whether it says that its boot loader inflates a firmware. */
	inflates: boolean;
	/** Whether it says that it knows signatures, and takes one behind a gzip away. */
	verifies: boolean;
	/** Where in its MiB its free slot lies; undefined for a device with eboot. */
	slot?: number | undefined;
	/** Whether it says that its boot loader brings a filesystem to its place, as a firmware. */
	atomic: boolean;
}

export const USER_AGENT = "ESP8266-http-Update";
/** Longer than any version text in a descriptor (32). Devices are remembered with theirs. */
const TEXT_LENGTH_MAX = 64;

const modes: ReadonlyMap<string, DeviceRequest["mode"]> = new Map([
	["sketch", "firmware"],
	// The core says spiffs whatever the filesystem is.
	["spiffs", "filesystem"],
	["littlefs", "filesystem"],
	["version", "version"],
]);

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;
const SIZE = /^\d{1,10}$/;
/** What the documented script wants to be there, with the form that it has. */
const required: readonly (readonly [string, RegExp])[] = [
	["x-esp8266-sta-mac", MAC],
	["x-esp8266-ap-mac", MAC],
	["x-esp8266-free-space", SIZE],
	["x-esp8266-sketch-size", SIZE],
	["x-esp8266-sketch-md5", /^[0-9a-f]{32}$/i],
	["x-esp8266-chip-size", SIZE],
	["x-esp8266-sdk-version", /^.{1,64}$/],
];

/** What the headers tell, or what is wrong with them. */
export function parseDeviceRequest(headers: IncomingHttpHeaders): DeviceRequest | { fault: string } {
	const text = (name: string): string => String(headers[name] ?? "");
	if (text("user-agent") !== USER_AGENT)
		return { fault: `only for devices: User-Agent is not ${USER_AGENT}` };
	for (const [name, form] of required) {
		if (headers[name] === undefined) return { fault: `only for devices: no ${name}` };
		if (!form.test(text(name))) return { fault: `${name} not understood` };
	}
	const mode = modes.get(headers["x-esp8266-mode"] === undefined ? "sketch" : text("x-esp8266-mode"));
	if (!mode) return { fault: "x-esp8266-mode is not sketch, spiffs, littlefs or version" };
	const version = text("x-esp8266-version");
	const name = text("x-ota8266-name");
	if (version.length > TEXT_LENGTH_MAX) return { fault: "x-esp8266-version is too long" };
	if (name.length > APP_LENGTH_MAX) return { fault: "x-ota8266-name is too long" };
	const can = abilities(text("x-ota8266"));
	return {
		mac: text("x-esp8266-sta-mac").toUpperCase(),
		chipId: SIZE.test(text("x-esp8266-chip-id")) ? Number(text("x-esp8266-chip-id")) : undefined,
		mode,
		freeSpace: Number(text("x-esp8266-free-space")),
		sketchSize: Number(text("x-esp8266-sketch-size")),
		sketchMD5: text("x-esp8266-sketch-md5").toLowerCase(),
		chipSize: Number(text("x-esp8266-chip-size")),
		version,
		name: name === "" ? undefined : name,
		inflates: can.has("gzip"),
		verifies: can.has("signed"),
		atomic: can.has("atomic"),
		...slotOf(can),
	};
}

/** `slot=10000`, hexadecimal. */
function slotOf(can: ReadonlySet<string>): Pick<DeviceRequest, "slot"> {
	for (const word of can) {
		const [, slot] = /^slot=([0-9a-f]{1,6})$/.exec(word) ?? [];
		if (slot !== undefined) return { slot: Number.parseInt(slot, 16) };
	}
	return {};
}

/** `x-ota8266: 1 gzip signed`: the version of this format, and what the device can. Another version may mean anything. */
function abilities(value: string): ReadonlySet<string> {
	const [format, ...words] = value.trim().split(/ +/);
	return new Set(format === "1" ? words : []);
}
