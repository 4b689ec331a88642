/** What a device with ESP8266HTTPUpdate is answered, over real sockets. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	ask,
	type Bench,
	deviceRequest,
	exchange,
	firmware,
	gzip,
	type Headers,
	MAC,
	md5,
	serve,
	signed,
	until,
	versionFor,
} from "./serve-bench";

const old = firmware("1.0.0");
const image = firmware("1.10.0", { padTo: 50_001 });
const tag = `"${md5(image)}"`;
const filesystem = Buffer.alloc(700_000, 0x42);

let bench: Bench;

beforeAll(async () => {
	bench = await serve({
		"stable/lamp-1.0.0.bin": old,
		"stable/lamp-1.9.0.bin": firmware("1.9.0"),
		"stable/lamp-1.10.0.bin": image,
		"stable/lamp-1.2.0.fs.bin": filesystem,
		"beta/lamp-2.0.0-rc.1.bin": firmware("2.0.0-rc.1"),
		"zipped/lamp-1.0.0.bin": firmware("1.0.0"),
		"zipped/lamp-1.0.0.bin.gz": gzip(firmware("1.0.0")),
		"onlyzip/lamp-1.0.0.bin.gz": gzip(firmware("1.0.0")),
		"signed/lamp-1.0.0.bin": old,
		"signed/lamp-1.0.0.bin.signed": signed(old),
		"signed/lamp-1.0.0.bin.gz": gzip(old),
		"signed/lamp-1.0.0.bin.gz.signed": signed(gzip(old)),
		"small/lamp-1.0.0.bin": firmware("1.0.0", { flashSize: 2 }),
		"two/lamp-1.0.0.bin": old,
		"two/plug-7.0.0.bin": firmware("7.0.0", { name: "plug" }),
		"devices.json": JSON.stringify({
			"00:00:00:00:00:01": { channel: "beta" },
			"2": { channel: "beta" },
			"00:00:00:00:00:03": { channel: "zipped" },
			"00:00:00:00:00:04": { channel: "onlyzip" },
			"00:00:00:00:00:05": { channel: "onlyzip", gzip: true },
			"00:00:00:00:00:06": { channel: "signed" },
			"00:00:00:00:00:07": { channel: "small" },
			"00:00:00:00:00:08": { channel: "two" },
			"00:00:00:00:00:09": { channel: "two", app: "plug" },
		}),
	});
});

afterAll(() => bench.close());

/** A device that devices.json names. */
function known(last: number, changes: Headers = {}): Headers {
	return { "x-ESP8266-STA-MAC": `00:00:00:00:00:0${last}`, ...changes };
}

describe("a device", () => {
	test("gets the newest firmware of its channel, with its length and its MD5", async () => {
		const { status, headers, body } = await ask(bench);
		expect(status).toBe(200);
		expect(body.equals(image)).toBe(true);
		expect(headers).toMatchObject({
			"content-length": "50001",
			"content-type": "application/octet-stream",
			"x-md5": md5(image),
			etag: tag,
			"accept-ranges": "bytes",
			connection: "close",
		});
		// The core cannot read it.
		expect(headers["transfer-encoding"]).toBeUndefined();
	});

	test("may have anything in the query, which the log tells", async () => {
		const { status } = await ask(bench, {}, "/update?room=%22k%22&x=<b>&&=?");
		expect(status).toBe(200);
		expect(bench.log.at(-1)).toMatchObject({ path: "/update", query: "room=%22k%22&x=<b>&&=?" });
	});

	test.each([
		["its version is that one", { "x-ESP8266-version": "1.10.0" }],
		["its MD5 is that one", { "x-ESP8266-sketch-md5": md5(image.subarray(0, 50_000)) }],
		["its MD5 is, in capitals", { "x-ESP8266-sketch-md5": md5(image.subarray(0, 50_000)).toUpperCase() }],
		["its MD5 is that of the file", { "x-ESP8266-sketch-md5": md5(image) }],
		["it has the ETag already", { "If-None-Match": tag }],
	])("gets 304 and no body where %s", async (_, changes) => {
		const { status, headers, body } = await ask(bench, changes);
		expect(status).toBe(304);
		expect(body.length).toBe(0);
		expect(headers["content-length"]).toBeUndefined();
	});

	test.each([0, 1, 2, 3])(
		"that has put its flash mode %i into the header is known by its MD5",
		async (mode) => {
			const running = Buffer.from(image.subarray(0, 50_000));
			running[2] = mode;
			expect((await ask(bench, { "x-ESP8266-sketch-md5": md5(running) })).status).toBe(304);
		},
	);

	test("of another version gets the newest, also where its own is later", async () => {
		expect((await ask(bench, { "x-ESP8266-version": "DOOR-7-g14f53a19" })).status).toBe(200);
		expect((await ask(bench, { "x-ESP8266-version": "3.0.0" })).status).toBe(200);
	});

	test.each([
		["by its MAC", known(1)],
		["by its MAC in small letters", { "x-ESP8266-STA-MAC": "00:00:00:00:00:01" }],
		["by its chip id", { "x-ESP8266-Chip-ID": "2" }],
	])("is on the channel that devices.json says, %s", async (_, changes) => {
		expect(await versionFor(bench, changes)).toBe("2.0.0-rc.1");
	});

	test("that only asks for the version gets it in x-version, and no body", async () => {
		const { status, headers, body } = await ask(bench, { "x-ESP8266-mode": "version" });
		expect(status).toBe(200);
		expect(headers).toMatchObject({ "x-version": "1.10.0", "content-length": "0" });
		expect(body.length).toBe(0);
	});

	test("may ask with HEAD: the same header, no body", async () => {
		const { status, headers, body } = await ask(bench, {}, "/update", "HEAD");
		expect(status).toBe(200);
		expect(headers).toMatchObject({ "content-length": "50001", "x-md5": md5(image), etag: tag });
		expect(body.length).toBe(0);
		expect((await ask(bench, { "x-ESP8266-version": "1.10.0" }, "/update", "HEAD")).status).toBe(304);
		expect((await ask(bench, { "User-Agent": "x" }, "/update", "HEAD")).body.length).toBe(0);
	});

	test("is logged with what it is and what it got", async () => {
		await ask(bench, { "x-ESP8266-version": "1.0.0" });
		expect(bench.log.at(-1)).toEqual({
			time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
			peer: "127.0.0.1",
			method: "GET",
			path: "/update",
			query: "",
			mac: MAC,
			mode: "firmware",
			version: "1.0.0",
			status: 200,
			bytes: 50_001,
			ms: expect.any(Number),
			file: "stable/lamp-1.10.0.bin",
			reason: "sends lamp 1.10.0",
		});
	});

	test("that speaks HTTP/1.1 keeps its connection", async () => {
		const request = deviceRequest({ Connection: undefined, "x-ESP8266-version": "1.10.0" });
		const twice = request.replace("HTTP/1.0", "HTTP/1.1");
		const last = deviceRequest({ "x-ESP8266-version": "1.10.0" });
		const { body } = await exchange(bench.port, twice + last);
		expect(body.toString()).toMatch(/^HTTP\/1\.1 304 /);
	});
});

const strangers: readonly (readonly [string, Headers])[] = [
	["another User-Agent", { "User-Agent": "curl/8.0" }],
	["no User-Agent", { "User-Agent": undefined }],
	["a longer User-Agent", { "User-Agent": "ESP8266-http-Update2" }],
	...["STA-MAC", "AP-MAC", "free-space", "sketch-size", "sketch-md5", "chip-size", "sdk-version"].map(
		(name): [string, Headers] => [`no x-ESP8266-${name}`, { [`x-ESP8266-${name}`]: undefined }],
	),
	["a MAC that is none", { "x-ESP8266-STA-MAC": "18:FE:34:AA:BB" }],
	["a MAC with a tag in it", { "x-ESP8266-STA-MAC": "<script>" }],
	["a size that is none", { "x-ESP8266-free-space": "-1" }],
	["a size in hexadecimal", { "x-ESP8266-chip-size": "0x400000" }],
	["a size beyond numbers", { "x-ESP8266-sketch-size": "9".repeat(30) }],
	["an MD5 that is none", { "x-ESP8266-sketch-md5": "0" }],
	["a mode that is none", { "x-ESP8266-mode": "toString" }],
	["an empty mode", { "x-ESP8266-mode": "" }],
	["a version without end", { "x-ESP8266-version": "1".repeat(65) }],
	["a name without end", { "x-ota8266-name": "a".repeat(65) }],
];

describe("who is no device is refused with 403", () => {
	test.each(strangers)("%s", async (_, changes) => {
		const { status, headers, body } = await ask(bench, changes);
		expect(status).toBe(403);
		expect(headers["content-length"]).toBe(String(body.length));
		expect(bench.log.at(-1)).toMatchObject({ status: 403, reason: body.toString().trim() });
	});

	test("even if it asks for the version only", async () => {
		expect(await versionFor(bench, { "User-Agent": "x" })).toBe(403);
	});

	test("but a device that tells no chip id, no version and no mode is one", async () => {
		expect((await ask(bench, { "x-ESP8266-mode": undefined, "x-ESP8266-Chip-ID": undefined })).status).toBe(
			200,
		);
	});
});

describe("a filesystem", () => {
	test.each(["spiffs", "littlefs"])("is what mode %s asks for", async (mode) => {
		const { status, headers, body } = await ask(bench, { "x-ESP8266-mode": mode });
		expect(status).toBe(200);
		expect(body.equals(filesystem)).toBe(true);
		expect(headers["x-md5"]).toBe(md5(filesystem));
	});

	test("that the device has is not sent again", async () => {
		expect((await ask(bench, { "x-ESP8266-mode": "spiffs", "x-ESP8266-version": "1.2.0" })).status).toBe(304);
	});
});

describe("which of several images", () => {
	test.each([
		["raw to a device of the Arduino core", known(3), firmware("1.0.0")],
		[
			"compressed to a device that says that it inflates",
			known(3, { "x-ota8266": "1 gzip" }),
			gzip(firmware("1.0.0")),
		],
		["raw to a device of ours that does not", known(3, { "x-ota8266": "1" }), firmware("1.0.0")],
		["compressed where devices.json says so and there is no other", known(5), gzip(firmware("1.0.0"))],
		["signed before unsigned", known(6), signed(old)],
		["signed and compressed", known(6, { "x-ota8266": "1 gzip signed" }), signed(gzip(old))],
		["that of the app in devices.json", known(9), firmware("7.0.0", { name: "plug" })],
		["that of the app that the device tells", known(8, { "x-ota8266-name": "lamp" }), old],
	])("is sent: %s", async (_, changes, expected) => {
		const { status, headers, body } = await ask(bench, changes);
		expect(status).toBe(200);
		expect(body.equals(expected)).toBe(true);
		expect(headers["x-md5"]).toBe(md5(expected));
	});

	test.each([
		["a compressed one only, for a device that does not inflate", known(4), "only compressed"],
		[
			"a channel of two apps, for a device that does not tell",
			known(8),
			'Name it in devices.json ("app"): lamp, plug',
		],
		["an app that the channel does not have", { "x-ota8266-name": "fan" }, "no firmware of fan"],
		[
			"an image too large for the device",
			{ "x-ESP8266-free-space": "50000" },
			"the device has room for 50000",
		],
		["an image for a larger flash", { "x-ESP8266-chip-size": "1048576" }, "made for a flash of 4194304"],
	])("none is sent, and the log says why: %s", async (_, changes, reason) => {
		const { status, body } = await ask(bench, changes);
		expect(status).toBe(404);
		expect(body.toString()).toContain(reason);
		expect(bench.log.at(-1)?.reason).toContain(reason);
	});

	test("fits to the byte", async () => {
		expect((await ask(bench, { "x-ESP8266-free-space": "50001" })).status).toBe(200);
		expect((await ask(bench, known(7, { "x-ESP8266-chip-size": "1048576" }))).status).toBe(200);
	});
});

describe("a device that was interrupted", () => {
	test.each([
		["bytes=0-", 0, 50_001],
		["bytes=16384-", 16_384, 50_001],
		["bytes=50000-", 50_000, 50_001],
		["bytes=100-99999", 100, 50_001],
		["bytes=4096-8191", 4096, 8192],
	])("gets what it asks for with %s", async (range, start, end) => {
		const { status, headers, body } = await ask(bench, { Range: range });
		expect(status).toBe(206);
		expect(body.equals(image.subarray(start, end))).toBe(true);
		expect(headers).toMatchObject({
			"content-length": String(end - start),
			"content-range": `bytes ${start}-${end - 1}/50001`,
			"x-md5": md5(image),
			etag: tag,
		});
	});

	test.each(["bytes=50001-", "bytes=-5", "bytes=0-1,4-5", "bytes=9-8"])("gets 416 for %s", async (range) => {
		const { status, headers } = await ask(bench, { Range: range });
		expect(status).toBe(416);
		expect(headers["content-range"]).toBe("bytes */50001");
	});

	test("goes on while the image is the same, and begins anew where it is not", async () => {
		expect((await ask(bench, { Range: "bytes=40000-", "If-Range": tag })).status).toBe(206);
		const { status, body } = await ask(bench, { Range: "bytes=40000-", "If-Range": '"other"' });
		expect(status).toBe(200);
		expect(body.equals(image)).toBe(true);
	});

	test("need not ask twice: HEAD with a range has its header", async () => {
		const { status, headers, body } = await ask(bench, { Range: "bytes=40000-" }, "/update", "HEAD");
		expect(status).toBe(206);
		expect(headers["content-length"]).toBe("10001");
		expect(body.length).toBe(0);
	});

	test("is logged with the bytes that it has got", async () => {
		const socket = connect(bench.port, "127.0.0.1", () => {
			socket.write(deviceRequest({ "x-ESP8266-mode": "spiffs", "x-ESP8266-STA-MAC": "00:00:00:00:00:0F" }));
		});
		socket.once("data", () => socket.destroy());
		await until(() => bench.log.at(-1)?.mac === "00:00:00:00:00:0F");
		expect(bench.log.at(-1)).toMatchObject({ status: 200, reason: "sends lamp 1.2.0; connection lost" });
		await until(() => bench.server.metrics.downloadsRunning === 0);
	});
});

describe("with --known-only", () => {
	let strict: Bench;

	beforeAll(async () => {
		strict = await serve(
			{ "stable/lamp-1.0.0.bin": old, "devices.json": `{"${MAC}":{}}` },
			{ knownOnly: true },
		);
	});

	afterAll(() => strict.close());

	test("a device that devices.json names gets its image", async () => {
		expect((await ask(strict)).status).toBe(200);
	});

	test("another one gets 404", async () => {
		const changes = { "x-ESP8266-STA-MAC": "00:00:00:00:00:01" };
		expect((await ask(strict, changes)).status).toBe(404);
		expect(strict.log.at(-1)).toMatchObject({ reason: "unknown device: add it to devices.json" });
		expect(await versionFor(strict, changes)).toBe(404);
	});
});
