/** The engine, the device's modules and ota/ on the ESP8266's instruction set: right, without a fault, bounded. */
import { createHash, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { digested, formImage, head, image, signatureVectors } from "../lx106/cases";
import { figuresOf, figuresTable, type Outcome, recordedFigures, runCases, total } from "../lx106/figures";
import { type Run, run } from "../lx106/run";
import { lacks } from "../lx106/toolchain";
import { checks } from "../lx106/workloads/arithmetic";

const lacking = process.env.CI ? undefined : lacks();
/** The device's C stack has 4,096 bytes; what calls the event loop, and an interrupt's own, must find some of it left. */
const STACK_MAX = 3072;
/** A figure may change with each change of the code; this is for what gets out of hand. */
const FACTOR = 2;
/** The emulator has its time, on a machine that has other things to do too. */
const PATIENCE = 240_000;
/** As test-host/xs/host.h has them. */
const Exit = { RESTART: 100, ABORT: 114 };

const hash = (type: string, bytes: Uint8Array) => createHash(type).update(bytes).digest("hex");
const design = readFileSync(new URL("../../DESIGN.md", import.meta.url), "utf8");

const name = `the lx106${lacking ? ` (skipped: ${lacking})` : ""}`;

describe.skipIf(lacking !== undefined)(name, { timeout: PATIENCE }, () => {
	let outcomes: Outcome[] = [];
	let natives: Run;
	const runsOf = (script: string) =>
		outcomes.filter(({ of }) => of.workload.script === script).map((outcome) => outcome.run);

	beforeAll(async () => {
		outcomes = await runCases();
		natives = await run({ script: "natives", resources: { odd: image.subarray(0, 301) } });
	}, PATIENCE);

	test("computes as every other machine, though division and doubles are software", async () => {
		const { uart } = await run({ script: "arithmetic" });
		expect(uart).toBe(`${checks().join(" ")}\n`);
	});

	test("ends at an unaligned load, and says where", async () => {
		const { exit, uart } = await run({ script: "fault" });
		expect(exit).toBe(Exit.ABORT);
		expect(uart).toMatch(/^before\n\r\nFatal exception: unaligned access at 0x402[0-9a-f]{5}/);
	});

	test("takes an update, verified by its MD5", () => {
		const runs = runsOf("receive");
		expect(runs.map(({ uart }) => uart)).toEqual(runs.map(() => `verified ${image.length}\n`));
	});

	test("refuses an update with another MD5", async () => {
		const md5 = "0".repeat(32);
		const { uart } = await run({ script: "receive", settings: { piece: 1460, md5 }, resources: { image } });
		expect(uart).toContain(`expected: ${md5}, calculated: ${hash("md5", image)}`);
		expect(uart).toContain(`failed ${image.length}\n`);
	});

	test("verifies what openssl verifies, and nothing that is a bit different", () => {
		for (const { publicPEM, signature, message } of signatureVectors()) {
			expect(verify("sha256", message, { key: publicPEM, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
		}
		const runs = runsOf("verify");
		expect(runs.map(({ uart }) => uart)).toEqual(
			signatureVectors().map(() => "right: true\nforged: false\n"),
		);
	});

	test("digests as openssl and zlib do", () => {
		const [{ uart = "" } = {}] = runsOf("digests");
		const lines = [
			`MD5 ${hash("md5", digested)}`,
			`SHA256 ${hash("sha256", digested)}`,
			`CRC ${crc32(digested)}`,
		];
		expect(uart).toBe(`${lines.join("\n")}\n`);
	});

	test("finds a form's file between its delimiters", () => {
		const [{ uart = "" } = {}] = runsOf("form");
		expect(uart).toContain(" 32768\n");
		expect(uart).toContain(`part firmware\n${formImage.length} bytes\ncomplete true\n`);
		expect(uart).toContain(`MD5 ${hash("md5", formImage)}\n`);
		expect(head).toContain("32768");
	});

	test("runs every native of modules/ with buffers and flash at odd addresses", () => {
		const bytes = Uint8Array.from({ length: 600 }, (_, i) => 7 * i + 3);
		const lines = [0, 1, 2, 3].flatMap((offset) => [
			`flash ${offset} true`,
			`RTC ${offset} true`,
			`bytes ${offset} ${crc32(bytes)} ${hash("sha256", bytes)} false`,
		]);
		expect(natives.uart.split("\n").slice(0, 13)).toEqual([...lines, "mapped true"]);
		expect(natives.exit).toBe(Exit.RESTART);
		const silent = [...natives.calls].filter(([, calls]) => calls === 0).map(([name]) => name);
		// The hand-over restarts; a run has one restart.
		expect(silent).toEqual(["xs_esp8266_board_restart"]);
	});

	test("leaves a quarter of the C stack unused", () => {
		const measures = [natives, ...outcomes.map((outcome) => outcome.run)].flatMap((one) => [
			...one.measures.values(),
		]);
		for (const { name, stack } of measures) expect(stack, name).toBeLessThanOrEqual(STACK_MAX);
		expect(measures.length).toBeGreaterThan(20);
	});

	test("takes as many instructions as were recorded, within a factor of two", () => {
		const recorded = recordedFigures();
		const figures = figuresOf(outcomes);
		expect(figures.map(({ name }) => name)).toEqual(recorded.map(({ name }) => name));
		figures.forEach((figure, i) => {
			const before = total(recorded[i] ?? figure);
			expect(total(figure), figure.name).toBeGreaterThan(before / FACTOR);
			expect(total(figure), figure.name).toBeLessThan(before * FACTOR);
		});
	});

	test("takes the same in each run", async () => {
		const again = outcomes.find(({ of }) => of.workload.script === "digests");
		expect(again).toBeDefined();
		if (again) expect([...(await run(again.of.workload)).measures]).toEqual([...again.run.measures]);
	});
});

test("DESIGN.md has the figures that were recorded", () => {
	const [, table = ""] = /<!-- lx106 -->\n([\s\S]*)\n<!-- \/lx106 -->/.exec(design) ?? [];
	expect(table).toBe(figuresTable(recordedFigures()));
});
