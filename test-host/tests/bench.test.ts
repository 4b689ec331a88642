/** The bench: whole updates by the real receivers, in virtual time. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleSimulation } from "../bench/bundle";
import { chart } from "../bench/chart";
import { TYPICAL, WORST } from "../bench/figures";
import { benchFirmware } from "../bench/image";
import { runMatrix } from "../bench/matrix";
import { goalsTable, phaseTable, shortTable } from "../bench/report";
import { CORE, FAST, rows, SLOW } from "../bench/rows";
import type * as Simulation from "../bench/simulation";
import { root } from "../virtual/bundle";

/** Bytes of a firmware that is not large. */
const LENGTH = 40_000;

let simulate: typeof Simulation.simulate;

beforeAll(async () => {
	({ simulate } = (await import(await bundleSimulation())) as typeof Simulation);
});

const lossy = { ...FAST, loss: 0.02 };

function everything(): string {
	const conditions = [SLOW, FAST, lossy];
	const results = runMatrix({ simulate, rows, conditions, flash: TYPICAL, imageLength: LENGTH });
	const tables = [
		shortTable(results, [SLOW, FAST]),
		goalsTable(results, FAST, SLOW),
		...conditions.map((condition) => phaseTable(results, condition)),
	];
	return [...tables, JSON.stringify(results), chart(results.filter((one) => one.condition === FAST))].join(
		"\n",
	);
}

test("the same figures come out of two runs, lost packets included", () => {
	const first = everything();
	for (const { name } of rows) expect(first).toContain(name);
	expect(everything()).toBe(first);
});

describe("an update in virtual time", () => {
	const old = benchFirmware("1.0.0", LENGTH);
	const firmware = benchFirmware("2.0.0", LENGTH);
	const air = { ...FAST, seed: 1 };
	const sectors = Math.ceil(LENGTH / 4096);

	test("copies as eboot does: an erase and a program of each sector but the boot loader's, equal one", () => {
		const { copy } = simulate({ way: "upload", flash: TYPICAL, air, old, firmware });
		const least = (sectors - 1) * (0.045 + 16 * 0.0004);
		expect(copy).toBeGreaterThan(least);
		expect(copy).toBeLessThan(least * 1.1);
	});

	test("waits in the transfer for an erase and a program of each sector, at least", () => {
		const { transfer, waiting } = simulate({ way: "put", flash: TYPICAL, air, old, firmware });
		expect(transfer * waiting).toBeGreaterThan(sectors * (0.045 + 15 * 0.0004));
		expect(waiting).toBeLessThan(1);
	});

	test("takes as many round trips as espota waits for", () => {
		const near = simulate({ way: "core", flash: TYPICAL, air, old, firmware }).transfer;
		const far = simulate({
			way: "core",
			flash: TYPICAL,
			air: { ...air, roundTrip: 120 },
			old,
			firmware,
		}).transfer;
		// The invitation, its answer, the connection and each piece.
		expect((far - near) / 0.1).toBeCloseTo(Math.ceil(LENGTH / 1460) + 2, -1);
	});

	test("is no faster on a worse flash", () => {
		const time = (flash: typeof TYPICAL) => simulate({ way: "poll", flash, air, old, firmware }).transfer;
		expect(time(WORST)).toBeGreaterThan(time(TYPICAL));
	});

	test("transfers less and copies longer where it is compressed", () => {
		const gzip = gzipSync(firmware, { level: 9 });
		const raw = simulate({ way: "form", flash: TYPICAL, air, old, firmware });
		const packed = simulate({ way: "form", flash: TYPICAL, air, old, firmware, gzip });
		expect(packed.transfer).toBeLessThan(raw.transfer);
		expect(packed.copy).toBeGreaterThan(raw.copy);
	});

	test("fails where the board refuses what is sent", () => {
		const damaged = firmware.slice().fill(0, 0x1000, 0x1010);
		for (const { way } of [{ way: "upload" }, { way: "put" }, { way: "poll" }] as const) {
			expect(() => simulate({ way, flash: TYPICAL, air, old, firmware: damaged })).toThrow("application header");
		}
	});
});

test("the bench's image is a firmware of 560 KB whose gzip has 0.62 of its size", () => {
	const image = benchFirmware("2.0.0");
	expect(image.length).toBe(560 * 1024);
	expect(gzipSync(image, { level: 9 }).length / image.length).toBeCloseTo(0.62, 2);
});

describe("the bench's files", () => {
	test.each(["README.md", "DESIGN.md"])("%s has a line of each row", (name) => {
		const [, table = ""] =
			/<!-- bench -->\n([\s\S]*)\n<!-- \/bench -->/.exec(readFileSync(join(root, name), "utf8")) ?? [];
		for (const row of [CORE, ...rows]) expect(table).toContain(`| ${row.name} |`);
	});

	test("the chart tells in words what it draws", () => {
		const svg = readFileSync(join(root, "docs/bench.svg"), "utf8");
		const [, description = ""] = /<desc id="description">(.*)<\/desc>/.exec(svg) ?? [];
		for (const { name } of rows) expect(description).toContain(name.replaceAll("`", ""));
		expect(svg).toContain("prefers-color-scheme:dark");
	});
});
