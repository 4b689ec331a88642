import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Decision, decide } from "../../tools/serve/decision";
import { type DeviceRequest, parseDeviceRequest } from "../../tools/serve/device-request";
import { parseDevices } from "../../tools/serve/devices";
import type { Image } from "../../tools/serve/image";
import { parseImageName } from "../../tools/serve/image-name";
import { type FolderEntry, Offer } from "../../tools/serve/offer";
import { compareVersions } from "../../tools/serve/version";

const MAC = "18:FE:34:AA:BB:CC";
const RUNNING_MD5 = "1".repeat(32);
const MIB = 1 << 20;

const device: DeviceRequest = {
	mac: MAC,
	chipId: 7,
	mode: "firmware",
	freeSpace: 600_000,
	sketchSize: 400_000,
	sketchMD5: "0".repeat(32),
	chipSize: 4 * MIB,
	version: "",
	inflates: false,
	verifies: false,
	atomic: false,
};
const ours = { inflates: true, name: "lamp" };

interface Facts {
	size?: number;
	flashSize?: number;
	length?: number;
	running?: string;
	fault?: string;
	slot?: number;
}

function entry(place: string, facts: Facts = {}): FolderEntry {
	const [channel = "", file = ""] = place.split("/");
	const name = parseImageName(file);
	if (!name) throw new Error(`${file} is no image`);
	const { size = 300_000, flashSize = 4 * MIB, length = 300_000, running = "", fault } = facts;
	if (fault) return { ...name, channel, file, fault };
	const { slot } = facts;
	const firmware = {
		flashSize,
		length,
		runningMD5s: new Set([running]),
		...(slot !== undefined && { slot }),
	};
	const image: Image = {
		...{ ...name, path: place, stamp: "", size, md5: place },
		firmware: name.kind === "firmware" ? firmware : undefined,
	};
	return { ...name, channel, file, image };
}

function decideOn(
	files: readonly (string | readonly [string, Facts])[],
	request: Partial<DeviceRequest> = {},
	devices = {},
	knownOnly = false,
): Decision {
	const entries = files.map((file) => (typeof file === "string" ? entry(file) : entry(...file)));
	const policy = { offer: new Offer(entries), devices: parseDevices(JSON.stringify(devices)), knownOnly };
	return decide({ ...device, ...request }, policy);
}

/** The file that is sent, else status and reason. */
function outcome(...parameters: Parameters<typeof decideOn>): string {
	const decision = decideOn(...parameters);
	return "image" in decision ? decision.image.path : `${decision.status} ${decision.reason}`;
}

describe("the channel", () => {
	const files = ["stable/lamp-1.0.0.bin", "beta/lamp-2.0.0.bin"];

	test.each([
		["stable, for a device that nobody has named", {}, "stable/lamp-1.0.0.bin"],
		["that of its MAC", { [MAC]: { channel: "beta" } }, "beta/lamp-2.0.0.bin"],
		["that of its chip id", { 7: { channel: "beta" } }, "beta/lamp-2.0.0.bin"],
		["that of its MAC before its chip id", { 7: {}, [MAC]: { channel: "beta" } }, "beta/lamp-2.0.0.bin"],
		[
			"one without images",
			{ [MAC]: { channel: "none" } },
			/^404 no image: put .* \(channel none, firmware\)/,
		],
	])("is %s", (_, devices, expected) => {
		expect(outcome(files, {}, devices)).toMatch(expected);
	});

	test("is none for an unknown device where only known ones are served", () => {
		expect(outcome(files, {}, {}, true)).toBe("404 unknown device: add it to devices.json");
		expect(outcome(files, {}, { 7: {} }, true)).toBe("stable/lamp-1.0.0.bin");
		expect(outcome(files, { mode: "version" }, {}, true)).toMatch(/^404/);
	});
});

describe("the app", () => {
	const files = ["stable/lamp-1.0.0.bin", "stable/plug-3.0.0.bin", "stable/plug-3.0.0.fs.bin"];

	test.each([
		[
			"the one that devices.json names",
			{ name: "lamp" },
			{ [MAC]: { app: "plug" } },
			"stable/plug-3.0.0.bin",
		],
		["else the one that the device names", { name: "lamp" }, {}, "stable/lamp-1.0.0.bin"],
		["else the only one of that kind", { mode: "filesystem" }, {}, "stable/plug-3.0.0.fs.bin"],
		["else nobody's", {}, {}, /^404 which app\? Name it in devices.json \("app"\): lamp, plug/],
		["not there", { name: "fan" }, {}, "404 no firmware of fan: channel stable has lamp, plug"],
	] as const)("is %s", (_, request, devices, expected) => {
		expect(outcome(files, request, devices)).toMatch(expected);
	});
});

describe("the version", () => {
	test("is the newest, by semver", () => {
		const versions = ["1.9.0", "1.10.0", "1.10.0-rc.1", "1.2.3"];
		expect(outcome(versions.map((version) => `stable/lamp-${version}.bin`))).toBe("stable/lamp-1.10.0.bin");
	});

	test("is the newest one that is whole", () => {
		const files = ["stable/lamp-1.0.0.bin", ["stable/lamp-2.0.0.bin", { fault: "cut short" }]] as const;
		expect(outcome(files)).toBe("stable/lamp-1.0.0.bin");
	});

	test("is told when asked for, whatever the device runs and has room for", () => {
		const decision = decideOn(["stable/lamp-2.0.0.bin"], { mode: "version", version: "2.0.0", freeSpace: 0 });
		expect(decision).toMatchObject({ status: 200, version: "2.0.0" });
	});

	test("is sent also where the device has a later one: what is taken back is taken back", () => {
		expect(outcome(["stable/lamp-1.0.0.bin"], { version: "2.0.0" })).toBe("stable/lamp-1.0.0.bin");
	});

	test.each([
		["the version is the same", { version: "2.0.0" }, "304 runs 2.0.0"],
		[
			"the MD5 is, whatever the version",
			{ sketchMD5: RUNNING_MD5, version: "x" },
			"304 runs 2.0.0, by its MD5",
		],
		["neither is", { version: "2.0.0 " }, "stable/lamp-2.0.0.bin"],
		["the version is not told", {}, "stable/lamp-2.0.0.bin"],
	])("is not sent again where it runs: %s", (_, request, expected) => {
		expect(outcome([["stable/lamp-2.0.0.bin", { running: RUNNING_MD5 }]], request)).toBe(expected);
	});

	test("of a compressed image is known by the MD5 too", () => {
		expect(
			outcome([["stable/lamp-2.0.0.bin.gz", { running: RUNNING_MD5 }]], { sketchMD5: RUNNING_MD5 }),
		).toMatch(/^304/);
	});
});

describe("a filesystem", () => {
	const files = ["stable/lamp-9.0.0.bin", "stable/lamp-1.0.0.fs.bin"];

	test.each([
		["is sent where no version is told", {}, "stable/lamp-1.0.0.fs.bin"],
		["is not sent where that version is told", { version: "1.0.0" }, "304 runs 1.0.0"],
		["is sent where another version is told", { version: "9.0.0" }, "stable/lamp-1.0.0.fs.bin"],
		["needs no room for a firmware", { freeSpace: 0 }, "stable/lamp-1.0.0.fs.bin"],
		[
			"is no larger than the flash",
			{ chipSize: 299_999 },
			/^404 .*300000 bytes, the device has room for 299999/,
		],
	])("%s", (_, request, expected) => {
		expect(outcome(files, { mode: "filesystem", ...request })).toMatch(expected);
	});

	test("is sent compressed only where devices.json says so: nothing inflates it on its way into the flash", () => {
		const gzip = ["stable/lamp-1.0.0.fs.bin.gz"];
		expect(outcome(gzip, { mode: "filesystem", ...ours })).toMatch(/^404 .*only compressed/);
		expect(outcome(gzip, { mode: "filesystem" }, { [MAC]: { gzip: true } })).toBe(gzip[0]);
	});

	test("is sent compressed to a device that says its boot loader brings it to its place, where that has room", () => {
		const both = ["stable/lamp-1.0.0.fs.bin", "stable/lamp-1.0.0.fs.bin.gz"];
		const atomic = { mode: "filesystem", ...ours, atomic: true } as const;
		expect(outcome(both, atomic)).toBe(both[1]);
		expect(outcome(both, { ...atomic, inflates: false })).toBe(both[0]);
		expect(outcome(both, { ...atomic, freeSpace: 100 })).toMatch(/^404 .*the device has room for 100/);
	});
});

describe("of several images of a version", () => {
	const raw = "stable/lamp-1.0.0.bin";
	const gzip = "stable/lamp-1.0.0.bin.gz";
	const gzipDevice = { [MAC]: { gzip: true } };

	test.each([
		["a device of ours gets the compressed one", [raw, gzip], ours, {}, gzip],
		["a device of ours gets the raw one where there is no other", [raw], ours, {}, raw],
		["a device that does not say that it inflates gets the raw one", [raw, gzip], {}, {}, raw],
		["nor does devices.json change that while there is a raw one", [raw, gzip], {}, gzipDevice, raw],
		[
			"it gets the compressed one where there is no other and devices.json says so",
			[gzip],
			{},
			gzipDevice,
			gzip,
		],
		["else nothing", [gzip], {}, {}, /^404 lamp 1.0.0: only compressed, .*"gzip": true/],
	])("%s", (_, files, request, devices, expected) => {
		expect(outcome(files, request, devices)).toMatch(expected);
	});

	test("the signed one is sent", () => {
		const files = [raw, `${raw}.signed`, gzip, `${gzip}.signed`];
		expect(outcome(files)).toBe(`${raw}.signed`);
		expect(outcome(files, { ...ours, verifies: true })).toBe(`${gzip}.signed`);
		// Its boot loader would take the end of the signature for the length of what is inflated.
		expect(outcome(files, ours)).toBe(`${raw}.signed`);
	});

	test("no unsigned one is sent where there is a signed one, not even as a gzip", () => {
		expect(outcome([raw, `${raw}.signed`, gzip], ours)).toBe(`${raw}.signed`);
	});

	test("none is sent while the signed one is damaged", () => {
		const files = ["stable/lamp-0.9.0.bin", raw, [`${raw}.signed`, { fault: "no signature" }]] as const;
		expect(outcome(files)).toBe("stable/lamp-0.9.0.bin");
	});

	test("the raw one is sent where the compressed one does not fit", () => {
		expect(outcome([raw, [gzip, { length: 2 * MIB }]], ours)).toBe(raw);
	});
});

describe("a firmware", () => {
	const file = "stable/lamp-1.0.0.bin";

	test.each([
		["fits exactly", { size: 600_000 }, {}, file],
		["is a byte too long", { size: 600_001 }, {}, /^404 .*600001 bytes, the device has room for 600000/],
		["is for the device's flash", { flashSize: MIB }, { chipSize: MIB }, file],
		["is for a smaller flash", { flashSize: MIB }, {}, file],
		[
			"is for a larger flash",
			{},
			{ chipSize: MIB },
			/^404 .*a flash of 4194304 bytes, the device has 1048576/,
		],
		["does not tell its flash", { flashSize: 0 }, { chipSize: MIB }, file],
	])("that %s", (_, facts, request, expected) => {
		expect(outcome([[file, facts]], request)).toMatch(expected);
	});

	test("that is compressed must fit inflated: in the running one's sectors and the room behind", () => {
		const room = 98 * 4096 + 600_000;
		const gzip = (length: number) => outcome([["stable/lamp-1.0.0.bin.gz", { length }]], ours);
		expect(gzip(room)).toBe("stable/lamp-1.0.0.bin.gz");
		expect(gzip(room + 1)).toMatch(
			`404 lamp 1.0.0: inflates to ${room + 1} bytes, there is room for ${room}`,
		);
	});
});

describe("whatever is offered and asked", () => {
	const versions = ["1.0.0", "1.0.1", "1.1.0-rc.1", "1.1.0"];
	const files = fc.uniqueArray(
		fc
			.tuple(
				fc.constantFrom("stable", "beta"),
				fc.constantFrom("lamp", "plug"),
				fc.constantFrom(...versions),
				fc.constantFrom("", ".fs"),
				fc.constantFrom("", ".gz", ".signed", ".gz.signed"),
				fc.record({
					size: fc.nat(800_000),
					length: fc.nat(1_200_000),
					flashSize: fc.constantFrom(0, MIB, 4 * MIB),
					fault: fc.constantFrom("", "", "damaged"),
				}),
			)
			.map(([channel, app, version, fs, end, facts]) => ({
				place: `${channel}/${app}-${version}${fs}.bin${end}`,
				facts,
			})),
		{ selector: ({ place }) => place, maxLength: 12 },
	);
	const request = fc.record({
		mode: fc.constantFrom<DeviceRequest["mode"]>("firmware", "filesystem", "version"),
		freeSpace: fc.nat(800_000),
		chipSize: fc.constantFrom(MIB, 4 * MIB),
		version: fc.constantFrom("", "unknown", ...versions),
		name: fc.constantFrom(undefined, "lamp", "plug"),
		inflates: fc.boolean(),
	});
	const devices = fc.constantFrom({}, { [MAC]: { channel: "beta" } }, { 7: { app: "plug", gzip: true } });

	test("a device never gets what it does not run, cannot take, or runs already", () => {
		fc.assert(
			fc.property(files, request, devices, fc.boolean(), (offered, asked, known, knownOnly) => {
				const all = offered.map(({ place, facts }) => [place, facts] as const);
				const decision = decideOn(all, asked, known, knownOnly);
				if (!("image" in decision)) return;
				const { image, channel, app } = decision;
				expect(image.kind).toBe(asked.mode);
				expect(image.app).toBe(app);
				expect(image.path.startsWith(`${channel}/`)).toBe(true);
				expect(image.version.text).not.toBe(asked.version);
				if (image.firmware) {
					expect(image.size).toBeLessThanOrEqual(asked.freeSpace);
					expect(image.firmware.flashSize).toBeLessThanOrEqual(asked.chipSize);
				}
				if (image.gzip) expect(asked.inflates || "7" in known).toBe(true);
				// Nothing newer of this app could be sent to anybody, unless only as a damaged file.
				const newer = all.filter(([place, { fault }]) => {
					const name = parseImageName(place.split("/")[1] ?? "");
					const isRival = name?.app === app && name?.kind === image.kind && place.startsWith(`${channel}/`);
					return isRival && !fault && compareVersions(name.version, image.version) > 0;
				});
				for (const [place] of newer) {
					const [version = ""] = place.split(/\.bin/);
					const hasSigned = all.some(
						([other]) => other.startsWith(`${version}.bin`) && other.endsWith(".signed"),
					);
					expect(hasSigned && !place.endsWith(".signed")).toBe(true);
				}
			}),
			{ numRuns: 2000 },
		);
	});

	test("a device that has taken what it got gets nothing more", () => {
		fc.assert(
			fc.property(files, request, devices, (offered, asked, known) => {
				const all = offered.map(({ place, facts }) => [place, facts] as const);
				const first = decideOn(all, asked, known);
				if (!("image" in first)) return;
				const version = first.image.version.text;
				expect(decideOn(all, { ...asked, version }, known).status).toBe(304);
			}),
		);
	});
});

describe("the headers", () => {
	const headers = {
		"user-agent": "ESP8266-http-Update",
		"x-esp8266-chip-id": "7",
		"x-esp8266-sta-mac": "18:fe:34:aa:bb:cc",
		"x-esp8266-ap-mac": "1A:FE:34:AA:BB:CC",
		"x-esp8266-free-space": "600000",
		"x-esp8266-sketch-size": "400000",
		"x-esp8266-sketch-md5": "0".repeat(32),
		"x-esp8266-chip-size": "4194304",
		"x-esp8266-sdk-version": "2.2.2",
	};

	test("tell about the device", () => {
		expect(parseDeviceRequest(headers)).toEqual({ ...device, name: undefined });
	});

	test.each([
		["1 gzip", true],
		["1  gzip", true],
		["1 other gzip", true],
		["1", false],
		["2 gzip", false],
		["gzip", false],
		["1 gzip2", false],
		["", false],
	])("x-ota8266: %s", (value, inflates) => {
		expect(parseDeviceRequest({ ...headers, "x-ota8266": value })).toMatchObject({ inflates });
	});

	test("tell by x-ota8266 that they know signatures", () => {
		expect(parseDeviceRequest({ ...headers, "x-ota8266": "1 gzip signed" })).toMatchObject({
			verifies: true,
		});
	});

	test.each([
		["sketch", "firmware"],
		["spiffs", "filesystem"],
		["littlefs", "filesystem"],
		["version", "version"],
	])("ask with mode %s for %s", (mode, expected) => {
		expect(parseDeviceRequest({ ...headers, "x-esp8266-mode": mode })).toMatchObject({ mode: expected });
	});
});

describe("an image for a slot", () => {
	const file = "stable/lamp-1.0.0.bin";
	test.each([
		["goes to a device whose free slot is there", { slot: 0x10000 }, { slot: 0x10000 }, 200],
		["goes to no device whose free slot is elsewhere", { slot: 0x10000 }, { slot: 0x80000 }, 404],
		["goes to no device with eboot", { slot: 0x10000 }, {}, 404],
	] as const)("%s", (_name, facts, request, status) => {
		expect(decideOn([[file, facts]], { ...ours, ...request }).status).toBe(status);
	});

	test("is what a device with slots gets, not a firmware for eboot", () => {
		expect(decideOn([file], { ...ours, slot: 0x10000 })).toMatchObject({
			status: 404,
			reason: expect.stringContaining("a firmware for eboot, the device has slots"),
		});
	});

	test("is asked for by a word of the device's, which is a place in hexadecimal", () => {
		const headers = {
			"user-agent": "ESP8266-http-Update",
			"x-esp8266-sta-mac": MAC,
			"x-esp8266-ap-mac": MAC,
			"x-esp8266-free-space": "600000",
			"x-esp8266-sketch-size": "400000",
			"x-esp8266-sketch-md5": RUNNING_MD5,
			"x-esp8266-chip-size": "4194304",
			"x-esp8266-sdk-version": "1",
		};
		const slotOf = (words: string) => parseDeviceRequest({ ...headers, "x-ota8266": words });
		expect(slotOf("1 signed slot=10000")).toMatchObject({ slot: 0x10000, verifies: true });
		for (const words of ["1", "1 slot=", "1 slot=1x", "1 slot=1234567", "2 slot=10000"]) {
			expect(slotOf(words)).not.toHaveProperty("slot");
		}
	});
});
