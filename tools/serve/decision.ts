/**
 * What a device gets: the rules, as a function of what it tells, what the folder offers and what devices.json
 * says. The first rule that applies decides:
 *
 * | rule | answer |
 * | --- | --- |
 * | the device is in devices.json neither by MAC nor by chip id, and only known ones are served | 404 |
 * | its app: devices.json's, else the one that it tells, else the channel's only one; none of these | 404 |
 * | the channel has nothing whole for that app | 404 |
 * | it asks for the version | 200, x-version |
 * | it runs that version | 304 |
 * | it runs a firmware with that MD5 (of a filesystem nobody knows it) | 304 |
 * | no image of that version is for its boot loader, its room and its chip | 404 |
 * | else | 200 |
 *
 * The newest version counts, also where the device has a later one: what is taken out of the folder is taken
 * back on the devices.
 */
import type { UpdateKind } from "../../ota/kind";
import type { DeviceRequest } from "./device-request";
import { DEFAULT_CHANNEL, type DeviceEntry, type Devices } from "./devices";
import type { Image } from "./image";
import type { Offer, Release } from "./offer";

export type Decision = { reason: string; channel: string; app?: string | undefined } & (
	| { status: 200; image: Image }
	| { status: 200; version: string }
	| { status: 304 | 404 }
);

const SECTOR = 4096;

export interface Policy {
	offer: Offer;
	devices: Devices;
	/** Whether a device that devices.json does not name gets nothing. */
	knownOnly: boolean;
}

/** What the device is to be answered. Pure. */
export function decide(request: DeviceRequest, { offer, devices, knownOnly }: Policy): Decision {
	const entry = devices.find(request.mac, request.chipId);
	const channel = entry?.channel ?? DEFAULT_CHANNEL;
	const kind: UpdateKind = request.mode === "filesystem" ? "filesystem" : "firmware";
	const refuse = (reason: string): Decision => ({ status: 404, reason, channel });
	if (!entry && knownOnly) return refuse("unknown device: add it to devices.json");
	const app = appOf(request, entry, offer.apps(channel, kind));
	if (typeof app === "object") return refuse(`${app.fault} (channel ${channel}, ${kind})`);
	const release = offer.newest(channel, kind, app);
	if (!release) return { ...refuse(nothingFor(app, channel, kind, offer)), app };
	const version = release.version.text;
	const place = { channel, app };
	if (request.mode === "version") return { status: 200, version, reason: `version ${version}`, ...place };
	if (request.version === version) return { status: 304, reason: `runs ${version}`, ...place };
	if (runs(request, release)) return { status: 304, reason: `runs ${version}, by its MD5`, ...place };
	const image = choose(request, entry, release);
	if ("fault" in image) return { status: 404, reason: `${app} ${version}: ${image.fault}`, ...place };
	return { status: 200, image, reason: `sends ${app} ${version}`, ...place };
}

function appOf(
	{ name }: DeviceRequest,
	entry: DeviceEntry | undefined,
	apps: readonly string[],
): string | { fault: string } {
	const told = entry?.app ?? name;
	if (told !== undefined) return told;
	const [only] = apps;
	if (only === undefined) return { fault: "no image: put <app>-<version>.bin there" };
	if (apps.length === 1) return only;
	return { fault: `which app? Name it in devices.json ("app"): ${apps.join(", ")}` };
}

function nothingFor(app: string, channel: string, kind: UpdateKind, offer: Offer): string {
	const others = offer.apps(channel, kind);
	const has = others.length > 0 ? `has ${others.join(", ")}` : "is empty";
	return `no ${kind} of ${app}: channel ${channel} ${has}`;
}

function runs({ mode, sketchMD5 }: DeviceRequest, { raw, gzip }: Release): boolean {
	if (mode !== "firmware") return false;
	return [raw, gzip].some((image) => image?.firmware?.runningMD5s.has(sketchMD5));
}

/** The first of the images for this device that fits it, or why none does. */
function choose(
	request: DeviceRequest,
	entry: DeviceEntry | undefined,
	{ raw, gzip, signed }: Release,
): Image | { fault: string } {
	// A filesystem is written to its place as it comes, and inflated by nobody, where the boot loader does not bring it there.
	// A signature behind a gzip is for those that take it away: its last four bytes are the boot loader's length.
	const isStaged = request.mode === "firmware" || request.atomic;
	const prefersGzip = isStaged && request.inflates && (!signed || request.verifies);
	const mayHaveGzip = prefersGzip || (!raw && entry?.gzip === true);
	const candidates = [prefersGzip ? gzip : undefined, raw, mayHaveGzip ? gzip : undefined];
	let fault = 'only compressed, and the device does not say that it inflates ("gzip": true in devices.json)';
	for (const image of candidates) {
		if (!image) continue;
		const misfit = misfitOf(image, request);
		if (misfit === undefined) return image;
		fault = misfit;
	}
	return { fault };
}

/** Why the device would fail with the image, or undefined. */
function misfitOf({ size, firmware, gzip }: Image, request: DeviceRequest): string | undefined {
	const { freeSpace, chipSize, sketchSize, atomic } = request;
	// x-ESP8266-free-space is about what is staged; the room of a filesystem no device tells.
	const room = firmware || atomic ? freeSpace : chipSize;
	if (size > room) return `${size} bytes, the device has room for ${room}`;
	if (!firmware) return undefined;
	if (firmware.slot !== request.slot) return slotMisfit(firmware.slot, request.slot);
	if (firmware.flashSize > chipSize) {
		return `made for a flash of ${firmware.flashSize} bytes, the device has ${chipSize}`;
	}
	// Inflated it takes the place of the firmware that runs, and may reach into the room behind.
	const place = Math.ceil(sketchSize / SECTOR) * SECTOR + freeSpace;
	if (gzip && firmware.length > place)
		return `inflates to ${firmware.length} bytes, there is room for ${place}`;
	return undefined;
}

function slotMisfit(image: number | undefined, device: number | undefined): string {
	if (image === undefined) return "a firmware for eboot, the device has slots";
	const place = `linked for a slot at 0x${image.toString(16)}`;
	return device === undefined
		? `${place}, the device has eboot`
		: `${place}, the device's free one is at 0x${device.toString(16)}`;
}
