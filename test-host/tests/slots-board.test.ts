/** A whole board with two slots: the very flow of the demo of Espressif's SDK, and what can go wrong behind it. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { buildSlotImage } from "../virtual/image-builder";
import { encodeApplication } from "../virtual/modules";
import { type BoardBench, until } from "./board-bench";
import { engines } from "./engines";
import { Serve } from "./serve-process";
import { OTA_0, OTA_1, slotFirmware, startedInSlot } from "./slots-board-bench";

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** The demo's own server, `python3 -m http.server`, on a free port; the URL of the file. */
async function pythonServer(file: Uint8Array): Promise<string> {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-demo-"));
	writeFileSync(join(folder, "lamp.bin"), file);
	const options = ["--bind", "127.0.0.1", "--directory", folder, "0"];
	const server = spawn("python3", ["-u", "-m", "http.server", ...options]);
	onTestFinished(() => {
		server.kill();
		rmSync(folder, { recursive: true });
	});
	let told = "";
	server.stdout.on("data", (text) => {
		told += text;
	});
	const port = () => / port (\d+)/.exec(told)?.[1];
	await until(() => port() !== undefined);
	return `http://127.0.0.1:${port()}/lamp.bin`;
}

/** A server of files that counts, and tells as little, or with `tells` what ours does. Its URL, and how often it was asked. */
async function fileServer(file: Uint8Array, tells = false): Promise<{ url: string; readonly asked: number }> {
	const md5 = createHash("md5").update(file).digest("hex");
	let asked = 0;
	const server = createServer((_request, response) => {
		asked += 1;
		response.writeHead(200, {
			"content-length": file.length,
			"content-type": "application/octet-stream",
			...(tells && { "x-md5": md5, etag: '"2.0.0"' }),
		});
		response.end(file);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	onTestFinished(() => {
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}/lamp.bin`,
		get asked() {
			return asked;
		},
	};
}

const polling = (url: string) => ({ updateUrl: url, updateInterval: 60, updateFirst: 0.2 });

async function comesUp(bench: BoardBench, version: string): Promise<void> {
	await until(
		() => bench.version === version,
		() => `${version} in ${JSON.stringify(bench.uart)}`,
	);
}

describe.each(engines)("a board with two slots, on %s,", (engineName) => {
	test("takes an image from a server of files into the other slot, and confirms it", async () => {
		const image = await slotFirmware("2.0.0");
		const url = await pythonServer(image);
		const bench = await startedInSlot({ engineName, settings: polling(url) });
		expect(bench.uart).toContain("boot: Loaded app from partition at offset 0x10000");
		await comesUp(bench, "2.0.0");
		expect(bench.uart).toContain("boot: Loaded app from partition at offset 0x110000");
		expect(same(bench.get(OTA_1, image.length), image)).toBe(true);
		await bench.printed("firmware confirmed");
		await bench.printed("update to 2.0.0 took effect");
		// The same file is no news.
		expect(await bench.reset()).toBe("2.0.0");
		await bench.printed("update check: no updates: ERROR[161]: It runs already");
	});

	test("takes one from ota8266 serve", async () => {
		const image = await slotFirmware("2.0.0");
		const serve = await Serve.started(image);
		const url = `http://127.0.0.1:${serve.port}/update`;
		const bench = await startedInSlot({ engineName, settings: polling(url) });
		await comesUp(bench, "2.0.0");
		await bench.printed("firmware confirmed");
		expect(same(bench.get(OTA_1, image.length), image)).toBe(true);
		await bench.printed("update check: no updates");
	});

	test("takes the next one into the first slot again, by ArduinoOTA", async () => {
		const bench = await startedInSlot({ engineName });
		for (const [version, slot] of [
			["2.0.0", OTA_1],
			["3.0.0", OTA_0],
		] as const) {
			const image = await slotFirmware(version);
			const uploader = await bench.uploader(image);
			bench.restarting();
			expect(await uploader.invite()).toBe("OK");
			await uploader.upload();
			await comesUp(bench, version);
			await bench.ready();
			expect(same(bench.get(slot, image.length), image)).toBe(true);
			await bench.printed("firmware confirmed");
		}
	});

	test("takes one by the form", async () => {
		const bench = await startedInSlot({ engineName });
		const image = await slotFirmware("2.0.0");
		const url = `http://127.0.0.1:${bench.httpPort}/update?kind=firmware`;
		const answer = await fetch(url, { method: "PUT", body: new Uint8Array(image) });
		expect(answer.status).toBe(200);
		await comesUp(bench, "2.0.0");
		await bench.printed("firmware confirmed");
	});

	test.each([
		["tells nothing of it", false],
		["tells its MD5 and an ETag", true],
	])(
		"goes back from one that is not well until its deadline, and does not take it again where the server %s",
		async (_name, tells) => {
			// Of so much memory the chip cannot have as much free.
			const image = await slotFirmware("2.0.0", { trialFreeHeap: 1_000_000, trialDeadline: 1 });
			const server = await fileServer(image, tells);
			const bench = await startedInSlot({ engineName, settings: polling(server.url) });
			await bench.printed("firmware not confirmed, rolled back: free memory");
			await comesUp(bench, "1.0.0");
			await bench.printed("update check: no updates: ERROR[160]: Not taken again");
			expect(server.asked).toBeGreaterThanOrEqual(2);
			// Where it is known before it comes, it does not come.
			const begun = bench.uart.split("update of the firmware begins").length - 1;
			expect(begun).toBe(tells ? 1 : 2);
			expect(await bench.reset()).toBe("1.0.0");
		},
	);

	test("goes back from one that crashes at its start", async () => {
		const script = encodeApplication({
			config: {},
			modules: [
				{
					name: "main",
					preload: false,
					source: `export default function main() { throw new Error("crash"); }`,
				},
			],
		});
		const image = buildSlotImage({ script, name: "bench", version: "2.0.0", slot: OTA_0 });
		const bench = await startedInSlot({ engineName });
		const uploader = await bench.uploader(image);
		bench.restarting();
		await uploader.invite();
		await uploader.upload();
		await comesUp(bench, "1.0.0");
		expect(bench.uart).toContain("boot: Loaded app from partition at offset 0x110000");
	});
});
