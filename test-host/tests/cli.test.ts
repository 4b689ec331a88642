import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { version } from "../../package.json";
import { buildFirmware } from "../virtual/image-builder";
import { type Outcome, ota8266, usage } from "./command-line";
import { FakeDevice, type FakeDeviceOptions } from "./fake-device";

let folder: string;
let image: string;
const firmware = buildFirmware({ name: "weather", version: "1.2.0", script: "x".repeat(20_000) });

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "ota8266-"));
	image = join(folder, "firmware.bin");
	await writeFile(image, firmware);
});

afterAll(() => rm(folder, { recursive: true }));

async function uploadTo(behaviour: FakeDeviceOptions, ...args: readonly string[]): Promise<Outcome> {
	const device = await FakeDevice.start(behaviour);
	const outcome = await ota8266("upload", "--host", "127.0.0.1", "--port", String(device.port), ...args);
	device.close();
	return outcome;
}

describe("ota8266", () => {
	test.each([
		["--help", "Commands:"],
		["upload --help", "$ ota8266 upload"],
		["discover --help", "$ ota8266 discover"],
		["info --help", "$ ota8266 info"],
		["help info", "$ ota8266 info"],
	])("helps with %s, which is no failure", async (line, example) => {
		const { code, stdout } = await usage(...line.split(" "));
		expect(code).toBe(0);
		expect(stdout).toContain(example);
	});

	test("tells its version", async () => {
		expect(await usage("--version")).toMatchObject({ code: 0, stdout: `${version}\n` });
	});

	test.each([
		["no subcommand", "", "Usage: ota8266"],
		["an unknown subcommand", "uplaod", "Did you mean upload?"],
		["an unknown option", "info x --colour", "unknown option '--colour'"],
		["no file", "upload --host x", "missing required argument 'file'"],
		["a file too many", "info x y", "too many arguments"],
		["no host", "upload x", "'--host <address>' not specified"],
		["no port", "upload x --host x --port 70000", "Give a port from 1 to 65535."],
		["no time", "discover --timeout soon", "Give a number of seconds above 0."],
		["two passwords", "upload x --host x --password a --password-env B", "cannot be used with"],
		["no variable", "upload x --host x --password-env OTA_NONE", "set the environment variable OTA_NONE"],
	])("says what is wrong with the usage: %s", async (_, line, message) => {
		const { code, stdout, stderr } = await usage(...line.split(" ").filter((word) => word !== ""));
		expect(stderr).toContain(message);
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
	});

	test("says where help is when the usage was wrong", async () => {
		expect((await usage("info")).stderr).toContain("Add --help");
	});

	test("exits with 2 when the usage was wrong", async () => {
		expect((await ota8266("uplaod")).code).toBe(2);
	});
});

// Each of them starts a Node of its own: together they take as long as a few.
describe.concurrent("ota8266 upload", () => {
	test("sends a firmware and says so", async () => {
		const { code, stdout, stderr } = await uploadTo({}, image);
		expect(code).toBe(0);
		expect(stdout).toMatch(new RegExp(`^Done: ${firmware.length} bytes in \\d+\\.\\d s`));
		expect(stderr).toContain("100 %");
	});

	test("prints one JSON object, with the password from the environment", async () => {
		const outcome = await uploadTo({ password: "secret" }, image, "--password-env", "OTA_PASSWORD", "--json");
		expect(outcome).toMatchObject({ code: 0, stderr: "" });
		expect(JSON.parse(outcome.stdout)).toEqual({
			ok: true,
			bytes: firmware.length,
			ms: expect.any(Number),
			md5: expect.stringMatching(/^[0-9a-f]{32}$/),
			file: image,
			host: "127.0.0.1",
			port: expect.any(Number),
		});
	});

	test("prints a failure as JSON too", async () => {
		const outcome = await uploadTo({ answer: "ERR: ERROR[4]: Not Enough Space\n" }, image, "--json");
		expect(outcome.code).toBe(1);
		expect(JSON.parse(outcome.stdout)).toMatchObject({
			ok: false,
			bytes: 0,
			error: { code: 123, text: expect.stringContaining("ERROR[4]: Not Enough Space") },
		});
	});

	test("does not wait for a password where nobody can type it", async () => {
		const { code, stderr } = await uploadTo({ password: "secret" }, image);
		expect({ code, stderr }).toEqual({
			code: 1,
			stderr: "The board wants a password: give --password or --password-env\n",
		});
	});

	test("gives up after the time that was given", async () => {
		const { code, stderr } = await uploadTo({ deaf: 1000 }, image, "--timeout", "0.1");
		expect(code).toBe(1);
		expect(stderr).toMatch(/^No answer from 127\.0\.0\.1 port \d+: /);
	});

	test("sends the signed image beside the file", async () => {
		const file = join(folder, "other.bin");
		await writeFile(file, firmware);
		await writeFile(`${file}.signed`, firmware.subarray(0, 9000));
		const { stdout, stderr } = await uploadTo({}, file, "--force");
		expect(stdout).toContain("Done: 9000 bytes");
		expect(stderr).toContain(`Sending the signed image ${file}.signed`);
	});

	test("sends no firmware that is damaged", async () => {
		const file = join(folder, "flipped.bin");
		const damaged = firmware.slice();
		damaged[6000] = (damaged[6000] ?? 0) ^ 1;
		await writeFile(file, damaged);
		const { code, stderr } = await uploadTo({}, file);
		expect(code).toBe(1);
		expect(stderr).toContain("is damaged or no firmware, not sent: application checksum");
	});

	test("names a file that is missing or empty", async () => {
		const empty = join(folder, "empty.bin");
		await writeFile(empty, "");
		const missing = join(folder, "missing.bin");
		const outcomes = [await uploadTo({}, empty), await uploadTo({}, missing)];
		expect(outcomes).toEqual([
			{ code: 1, stdout: "", stderr: `${empty}: the file is empty\n` },
			{ code: 1, stdout: "", stderr: `${missing}: no such file\n` },
		]);
	});
});

describe.concurrent("ota8266 info", () => {
	test("describes an image", async () => {
		const { code, stdout } = await ota8266("info", image);
		expect(code).toBe(0);
		expect(stdout).toMatch(/Version +1\.2\.0\n/);
	});

	test("describes it as JSON", async () => {
		const { stdout } = await ota8266("info", image, "--json");
		expect(JSON.parse(stdout)).toMatchObject({ ok: true, file: image, kind: "firmware", faults: [] });
	});

	test("says what is damaged", async () => {
		const damaged = join(folder, "damaged.bin");
		await writeFile(damaged, firmware.subarray(0, 9000));
		const { code, stderr } = await ota8266("info", damaged);
		expect({ code, stderr }).toEqual({ code: 1, stderr: "Damaged: application cut short\n" });
	});

	test("says of another file that it is no image", async () => {
		const { code, stderr } = await ota8266("info", "package.json");
		expect({ code, stderr }).toEqual({ code: 1, stderr: "No image: not an image for the ESP8266\n" });
	});
});
