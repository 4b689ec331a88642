/** Signed and unsigned updates through each receiver, and on whole boards with both engines. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Signatures } from "../../ota/signature/signatures";
import { withClaims } from "../../tools/image/claims";
import type { Settings } from "../virtual/modules";
import { BoardBench, FIRST, newFirmware } from "./board-bench";
import { ClientBench, serves, TestServer } from "./client-bench";
import { engines } from "./engines";
import { FORM, FormBench, formBody } from "./form-bench";
import { ReceiverBench } from "./receiver-bench";
import { signedBy, textOf } from "./signature-bench";
import { ecPair, rsaPair, temporaryFolder } from "./signing-bench";
import { firmware } from "./updater-bench";

const folder = temporaryFolder();
const rsa = rsaPair(folder, "rsa");
const p256 = ecPair(folder, "p256");
const NEW = firmware("2.0.0", 30_000);
const SIGNED = signedBy(rsa, NEW);
const REFUSED = "ERROR[12]: Signature verification failed";
const chip = { signatures: () => new Signatures({ keys: textOf(rsa) }) };

describe("ArduinoOTA", () => {
	test("refuses an unsigned firmware in the core's words", async () => {
		const bench = new ReceiverBench({}, chip);
		const uploader = await bench.uploader(NEW);
		await uploader.invite();
		await uploader.upload().catch(() => {});
		expect(await bench.ended()).toBe(`error 4: ${REFUSED}`);
		bench.restart();
		expect(bench.runs()).toBe("1.0.0");
	});

	test("installs a signed one", async () => {
		const bench = new ReceiverBench({}, chip);
		const uploader = await bench.uploader(SIGNED);
		await uploader.invite();
		await uploader.upload();
		await bench.restarted;
		expect(bench.runs()).toBe("2.0.0");
	});
});

describe("the form, and PUT", () => {
	test.each(["form", "PUT"])("refuse an unsigned firmware: %s", async (way) => {
		const bench = new FormBench({}, chip);
		const reply =
			way === "PUT"
				? await bench.ask("PUT", "/update", {}, NEW)
				: await bench.ask("POST", "/update", FORM, formBody([["firmware", NEW]]));
		expect(reply.status).toBe(way === "PUT" ? 422 : 200);
		expect(reply.body).toContain(REFUSED);
		bench.restart();
		expect(bench.runs()).toBe("1.0.0");
	});

	test.each(["form", "PUT"])("install a signed one: %s", async (way) => {
		const bench = new FormBench({}, chip);
		const reply =
			way === "PUT"
				? await bench.ask("PUT", "/update", {}, SIGNED)
				: await bench.ask("POST", "/update", FORM, formBody([["firmware", SIGNED]]));
		expect(reply.status).toBe(200);
		await bench.restarted;
		expect(bench.runs()).toBe("2.0.0");
	});
});

describe("the client", () => {
	test("refuses an unsigned firmware, though the server's MD5 is right", async () => {
		const bench = new ClientBench({}, chip);
		const server = await TestServer.start(serves(NEW));
		expect(await bench.ask(server.url)).toMatchObject({ result: "failed", error: { code: 12 } });
		bench.restart();
		expect(bench.runs()).toBe("1.0.0");
	});

	test("installs a signed one, and has told the server that it wants it", async () => {
		const bench = new ClientBench({}, chip);
		const server = await TestServer.start(serves(SIGNED));
		expect(await bench.ask(server.url)).toMatchObject({ result: "updated" });
		await bench.restarted;
		expect(bench.runs()).toBe("2.0.0");
		expect(server.asked[0]?.headers["x-ota8266"]).toBe("1 gzip signed");
	});

	test("does not ask for signatures where it has no key for a firmware", async () => {
		const signatures = () => new Signatures({ keys: textOf(rsa, "filesystem") });
		const bench = new ClientBench({ rebootOnSuccess: false }, { signatures });
		const server = await TestServer.start(serves(NEW));
		expect(await bench.ask(server.url)).toMatchObject({ result: "updated" });
		expect(server.asked[0]?.headers["x-ota8266"]).toBe("1 gzip");
	});
});

describe.each(engines)("a whole board, on %s", (engine) => {
	test.each([
		["RSA", rsa],
		["P-256", p256],
	])("takes what is signed by %s, and nothing else", async (_, pair) => {
		const bench = await BoardBench.started(engine, { publicKeys: textOf(pair) });
		const image = await newFirmware("2.0.0");
		const stranger = await bench.uploader(signedBy(pair === rsa ? p256 : rsa, image));
		await stranger.invite();
		await stranger.upload().catch(() => {});
		expect(await bench.ended()).toBe(`update failed: ${REFUSED}`);
		bench.uart = "";
		const flipped = signedBy(pair, image);
		flipped[50_000] = (flipped[50_000] ?? 0) ^ 1;
		const forger = await bench.uploader(flipped);
		await forger.invite();
		await forger.upload().catch(() => {});
		expect(await bench.ended()).toBe(`update failed: ${REFUSED}`);
		const uploader = await bench.uploader(signedBy(pair, image));
		await uploader.invite();
		await uploader.upload();
		await bench.printed("update to 2.0.0 took effect");
		expect(bench.version).toBe("2.0.0");
	});

	test("refuses the legacy form, and an older counter", async () => {
		const settings = { publicKeys: textOf(rsa), minVersionCounter: 7 };
		const bench = await BoardBench.started(engine, settings);
		const image = await newFirmware("2.0.0");
		const send = async (bytes: Uint8Array) => {
			bench.uart = "";
			const uploader = await bench.uploader(bytes);
			await uploader.invite();
			await uploader.upload().catch(() => {});
			return bench.ended();
		};
		expect(await send(signedBy(rsa, image, true))).toBe(`update failed: ${REFUSED}`);
		expect(await send(signedBy(rsa, withClaims(image, { versionCounter: 6 })))).toMatch(
			/^update failed: ERROR\[147\]: The image's version counter is 6, this board takes 7 and above/,
		);
		expect(await send(signedBy(rsa, withClaims(image, { versionCounter: 7 })))).toMatch(/verified/);
	});

	test("keeps the highest counter that it took, and refuses a lower one after a restart and a power cut", async () => {
		const bench = await BoardBench.started(engine, { publicKeys: textOf(p256) });
		const send = async (versionCounter: number, version: string) => {
			bench.uart = "";
			const bytes = signedBy(p256, withClaims(await newFirmware(version), { versionCounter }));
			const uploader = await bench.uploader(bytes);
			await uploader.invite();
			await uploader.upload().catch(() => {});
		};
		await send(7, "2.0.0");
		await bench.printed("update to 2.0.0 took effect");
		await bench.board.powerOff();
		await bench.powerOn();
		expect(bench.version).toBe("2.0.0");
		await send(6, "3.0.0");
		expect(await bench.ended()).toMatch(
			/^update failed: ERROR\[147\]: .* is 6, this board takes 7 and above/,
		);
		await send(7, "4.0.0");
		await bench.printed("update to 4.0.0 took effect");
	});

	test("installs a signed, compressed filesystem atomically", async () => {
		const files = Buffer.alloc(300_000, 0xff);
		for (let i = 0; i < files.length; i += 997) files[i] = i & 255;
		const settings = { publicKeys: textOf(p256), atomicFilesystem: true };
		const bench = await BoardBench.started(engine, settings);
		const body = signedBy(p256, withClaims(gzipSync(files), { versionCounter: 3 }));
		const put = (path: string, bytes: Uint8Array) =>
			fetch(`http://127.0.0.1:${bench.httpPort}${path}`, { method: "PUT", body: new Uint8Array(bytes) });
		const refused = await put("/update?kind=filesystem", gzipSync(files));
		expect([refused.status, await refused.text()]).toEqual([422, `${REFUSED}\n`]);
		expect(bench.get(0x200000, 16)).toEqual(new Uint8Array(16).fill(0xff));
		expect((await put("/update?kind=filesystem", body)).status).toBe(200);
		expect(bench.get(0x200000, 16)).toEqual(new Uint8Array(16).fill(0xff));
		await bench.printed("the filesystem goes away");
		await bench.printed("update of the filesystem (300000 bytes) took effect");
		expect(Buffer.compare(bench.get(0x200000, files.length), files)).toBe(0);
	});

	test.each<Settings>([
		{ publicKeys: "rsa:00:03" },
		{ publicKeys: "" },
		{ publicKeys: 1 },
		{ signatureBoard: "lamp" },
		{ publicKeys: textOf(rsa), minVersionCounter: "7" },
		{ publicKeys: textOf(rsa), signatureBoard: 5 },
	])("with damaged settings does not open itself to everybody: %j", async (settings) => {
		const bench = new BoardBench({ engineName: engine, settings });
		bench.board.flashByCable(FIRST);
		bench.board.powerOn();
		await bench.printed("xception");
		expect([bench.otaPort, bench.httpPort]).toEqual([0, 0]);
	});
});
