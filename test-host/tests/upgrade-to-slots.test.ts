/** A board with eboot gets boot loader, partition table and application through the air, as `pack --upgrade` made them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { decodeTable } from "../../tools/partitions/binary";
import { makeFirmware } from "../virtual/firmware";
import { buildRtosBoot } from "../virtual/image-builder";
import { BoardBench, FIRST, until } from "./board-bench";
import { ota8266Here } from "./command-line";
import { engines } from "./engines";

const TABLE = 0x8000;
const OTA_0 = 0x10000;
const OTA_1 = 0x110000;
/** Where Moddable has them in both layouts. */
const PREFERENCES = 0x100000;

async function packed(application: Uint8Array): Promise<Uint8Array> {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-"));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	const file = (name: string, bytes: Uint8Array) => {
		writeFileSync(join(folder, name), bytes);
		return join(folder, name);
	};
	const out = join(folder, "upgrade.bin");
	const { code, stderr } = await ota8266Here(
		...["pack", "--upgrade", "--partitions", "partitions/two-slots-4m.csv"],
		...["--bootloader", file("bootloader.bin", buildRtosBoot()), "--eboot", file("firmware.bin", FIRST)],
		...["--in", file("lamp.bin", application), "--out", out],
	);
	expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	return readFileSync(out);
}

async function update(bench: BoardBench, image: Uint8Array, version: string): Promise<void> {
	const url = `http://127.0.0.1:${bench.httpPort}/update?kind=firmware`;
	bench.restarting();
	const answer = await fetch(url, { method: "PUT", body: new Uint8Array(image) });
	expect(answer.status).toBe(200);
	await until(
		() => bench.version === version,
		() => `${version} in ${JSON.stringify(bench.uart)}`,
	);
	await bench.ready();
}

test.each(engines)("a board with eboot becomes one with two slots, on %s", async (engineName) => {
	const bench = await BoardBench.started(engineName);
	const preferences = bench.get(PREFERENCES, 0x2000);
	const application = await makeFirmware({ version: "2.0.0", slot: OTA_0 });
	await update(bench, await packed(application), "2.0.0");
	expect(bench.uart).toContain("boot: Loaded app from partition at offset 0x10000");
	expect(Buffer.compare(bench.get(OTA_0, application.length), application)).toBe(0);
	expect(decodeTable(bench.get(TABLE, 0xc00)).partitions.map(({ label }) => label)).toContain("ota_1");
	expect(Buffer.compare(bench.get(PREFERENCES, 0x2000), preferences)).toBe(0);

	// From now on an update goes into the slot that does not run.
	const next = await makeFirmware({ version: "3.0.0", slot: OTA_0 });
	await update(bench, next, "3.0.0");
	expect(bench.uart).toContain("boot: Loaded app from partition at offset 0x110000");
	expect(Buffer.compare(bench.get(OTA_1, next.length), next)).toBe(0);
	await bench.printed("firmware confirmed");
	expect(await bench.reset()).toBe("3.0.0");
});
