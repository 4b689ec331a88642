/** The folder changes while the server runs. */
import { mkdir, open, rename, rm, symlink, truncate, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { ask, type Bench, firmware, imageFolder, MAC, put, serve, until, versionFor } from "./serve-bench";

const first = firmware("1.0.0");
const second = firmware("2.0.0");

let bench: Bench;

afterEach(() => bench.close());

const notices = (part: string) => bench.notices.filter((text) => text.includes(part));

describe("an image", () => {
	test("is offered once it lies in the folder", async () => {
		bench = await serve({ "stable/lamp-1.0.0.bin": first });
		expect(await versionFor(bench)).toBe("1.0.0");
		await writeFile(join(bench.folder, "stable/lamp-2.0.0.bin"), second);
		await until(async () => (await versionFor(bench)) === "2.0.0");
		expect(bench.notices).toContain("stable/lamp-2.0.0.bin: offered");
	});

	test("may begin a new channel, or an empty folder", async () => {
		bench = await serve({});
		expect(await versionFor(bench)).toBe(404);
		await put(bench.folder, "stable/lamp-1.0.0.bin", first);
		await until(async () => (await versionFor(bench)) === "1.0.0");
	});

	test("that is taken out is not offered any more: the one before is", async () => {
		bench = await serve({ "stable/lamp-1.0.0.bin": first, "stable/lamp-2.0.0.bin": second });
		await unlink(join(bench.folder, "stable/lamp-2.0.0.bin"));
		await until(async () => (await versionFor(bench)) === "1.0.0");
	});

	test("that is being copied is not offered before it is whole and at rest", async () => {
		bench = await serve({ "stable/lamp-1.0.0.bin": first }, { timing: { look: 10, settle: 1000 } });
		const file = await open(join(bench.folder, "stable/lamp-2.0.0.bin"), "w");
		for (let offset = 0; offset < second.length; offset += 2048) {
			await file.write(second.subarray(offset, offset + 2048));
			await new Promise((resolve) => setTimeout(resolve, 30));
			expect(await versionFor(bench)).toBe("1.0.0");
		}
		await file.close();
		const start = performance.now();
		await until(async () => (await versionFor(bench)) === "2.0.0");
		expect(performance.now() - start).toBeGreaterThan(500);
		// Half of it was never looked at, since it never lay still.
		expect(notices("not offered")).toEqual([]);
	});

	test("of a file server whose clock is ahead is offered too, once it rests", async () => {
		bench = await serve({});
		const path = await put(bench.folder, "stable/lamp-1.0.0.bin", first);
		const tomorrow = Date.now() / 1000 + 86_400;
		await utimes(path, tomorrow, tomorrow);
		await until(async () => (await versionFor(bench)) === "1.0.0");
	});

	test("that stays cut short is not offered, which is said once", async () => {
		bench = await serve({
			"stable/lamp-1.0.0.bin": first,
			"stable/lamp-2.0.0.bin": second.subarray(0, 6000),
		});
		expect(await versionFor(bench)).toBe("1.0.0");
		await new Promise((resolve) => setTimeout(resolve, 100));
		expect(notices("2.0.0")).toEqual(["stable/lamp-2.0.0.bin: application cut short, not offered"]);
		await put(bench.folder, "stable/lamp-2.0.0.bin", second);
		await until(async () => (await versionFor(bench)) === "2.0.0");
	});

	test("that is damaged later is not sent any more, not even before the next look at the folder", async () => {
		bench = await serve({ "stable/lamp-1.0.0.bin": first }, { timing: { look: 300, settle: 1 } });
		await truncate(join(bench.folder, "stable/lamp-1.0.0.bin"), 7000);
		const { status, headers } = await ask(bench);
		expect(status).toBe(503);
		expect(headers["retry-after"]).toBe("30");
		await until(async () => (await versionFor(bench)) === 404);
	});

	test("that is renamed over is sent as the new one", async () => {
		bench = await serve({ "stable/lamp-1.0.0.bin": first });
		const other = firmware("1.0.0", { padTo: 20_000 });
		await put(bench.folder, ".lamp", other);
		await rename(join(bench.folder, ".lamp"), join(bench.folder, "stable/lamp-1.0.0.bin"));
		await until(async () => (await ask(bench)).body.equals(other));
	});
});

describe("the folder", () => {
	test("may have other files, which are no images", async () => {
		bench = await serve({
			"stable/lamp-1.0.0.bin": first,
			"stable/README.md": "x",
			"stable/.lamp-3.0.0.bin": firmware("3.0.0"),
			".hidden/lamp-3.0.0.bin": firmware("3.0.0"),
			"lamp-3.0.0.bin": firmware("3.0.0"),
			"stable/deep/lamp-3.0.0.bin": firmware("3.0.0"),
			"stable/lamp.bin": first,
			"stable/lamp-v3.0.0.bin.gz": first,
		});
		await mkdir(join(bench.folder, "stable/lamp-4.0.0.bin"));
		await bench.server.catalogue.refresh();
		expect(await versionFor(bench)).toBe("1.0.0");
		expect(notices("is named unlike <app>-<version>.bin").map((text) => text.split(":")[0])).toEqual([
			"stable/lamp-v3.0.0.bin.gz",
			"stable/lamp.bin",
		]);
	});

	test("that is gone for a while leaves in force what was offered", async () => {
		bench = await serve({ "stable/lamp-1.0.0.bin": first });
		await rename(bench.folder, `${bench.folder}-away`);
		await until(() => notices("stays offered").length > 0);
		expect(await versionFor(bench)).toBe("1.0.0");
		expect((await ask(bench)).status).toBe(503);
		await rename(`${bench.folder}-away`, bench.folder);
		await until(async () => (await ask(bench)).status === 200);
	});

	test("is not left by a symbolic link, to a file or to a folder", async () => {
		const outside = await imageFolder({ "lamp-9.0.0.bin": firmware("9.0.0") });
		bench = await serve({ "stable/lamp-1.0.0.bin": first });
		await symlink(join(outside, "lamp-9.0.0.bin"), join(bench.folder, "stable/lamp-9.0.0.bin"));
		await symlink(outside, join(bench.folder, "beta"));
		await symlink(join(outside, "gone"), join(bench.folder, "stable/lamp-8.0.0.bin"));
		await put(bench.folder, "devices.json", `{"${MAC}":{"channel":"beta"}}`);
		await until(() => notices("leads out of").length >= 2 && notices("devices.json read").length > 0);
		expect(await versionFor(bench, { "x-ESP8266-STA-MAC": "00:00:00:00:00:01" })).toBe("1.0.0");
		expect(await versionFor(bench)).toBe(404);
		await rm(outside, { recursive: true });
	});

	test("may have symbolic links within", async () => {
		bench = await serve({ "beta/lamp-1.0.0.bin": first });
		await mkdir(join(bench.folder, "stable"));
		await symlink("../beta/lamp-1.0.0.bin", join(bench.folder, "stable/lamp-1.0.0.bin"));
		await until(async () => (await ask(bench)).body.equals(first));
	});

	test("with a symbolic link in the place of an image that was looked at sends nothing", async () => {
		bench = await serve({ "stable/lamp-1.0.0.bin": first }, { timing: { look: 60_000 } });
		const file = join(bench.folder, "stable/lamp-1.0.0.bin");
		await unlink(file);
		await symlink("/etc/passwd", file);
		expect((await ask(bench)).status).toBe(503);
	});
});

describe("devices.json", () => {
	const channel = (name: string) => JSON.stringify({ [MAC]: { channel: name } });

	test("counts as soon as it changes", async () => {
		bench = await serve({ "stable/lamp-1.0.0.bin": first, "beta/lamp-2.0.0.bin": second });
		expect(await versionFor(bench)).toBe("1.0.0");
		await put(bench.folder, "devices.json", channel("beta"));
		await until(async () => (await versionFor(bench)) === "2.0.0");
		expect(bench.notices).toContain("devices.json read: 1 devices");
	});

	test.each([
		["that is faulty", '{"', "JSON"],
		["with a slip of the pen", `{"${MAC}":{"chanel":"stable"}}`, 'unknown "chanel"'],
	])("%s leaves the last good one in force and says so once", async (_, text, message) => {
		const files = { "stable/lamp-1.0.0.bin": first, "beta/lamp-2.0.0.bin": second };
		bench = await serve({ ...files, "devices.json": channel("beta") });
		await put(bench.folder, "devices.json", text);
		await until(() => notices("the last good one stays in force").length > 0);
		await new Promise((resolve) => setTimeout(resolve, 100));
		expect(notices("stays in force")).toEqual([expect.stringContaining(message)]);
		expect(await versionFor(bench)).toBe("2.0.0");
		await put(bench.folder, "devices.json", channel("stable"));
		await until(async () => (await versionFor(bench)) === "1.0.0");
	});

	test("that is gone leaves the last one in force", async () => {
		bench = await serve({ "beta/lamp-2.0.0.bin": second, "devices.json": channel("beta") });
		await unlink(join(bench.folder, "devices.json"));
		await until(() => notices("devices.json is gone").length > 0);
		expect(await versionFor(bench)).toBe("2.0.0");
	});

	test("that is faulty at the start ends it, since there is no good one before", async () => {
		bench = await serve({});
		await expect(serve({ "devices.json": "[]" })).rejects.toThrow(
			"devices.json: the file is to be an object",
		);
	});
});
