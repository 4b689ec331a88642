/** The bench: whole updates by the real receivers, in virtual time. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleSimulation } from "../bench/bundle";
import { chart } from "../bench/chart";
import { TYPICAL, WORST } from "../bench/figures";
import { Updates } from "../bench/flash-before";
import { benchFirmware } from "../bench/image";
import { runMatrix } from "../bench/matrix";
import { goalsTable, phaseTable, savingTable, shortTable } from "../bench/report";
import { CORE, type Condition, FAST, type Row, rows, SLOW, savingRows } from "../bench/rows";
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
	const run = (some: readonly Row[], conditions: readonly Condition[]) =>
		runMatrix({ simulate, rows: some, conditions, flash: TYPICAL, imageLength: LENGTH });
	const whole = run(rows, [SLOW, FAST]);
	const holed = run([CORE, ...rows.filter(({ slots }) => slots)], [lossy]);
	const saved = run(savingRows, [FAST]);
	return [
		shortTable(whole, [SLOW, FAST]),
		goalsTable(whole, FAST, SLOW),
		phaseTable(whole, FAST),
		phaseTable(holed, lossy),
		savingTable(saved, [FAST]),
		JSON.stringify([whole, holed, saved]),
		chart(whole.filter((one) => one.condition === FAST)),
	].join("\n");
}

test("the same figures come out of two runs, lost packets included", () => {
	const first = everything();
	for (const { name } of [...rows, ...savingRows]) expect(first).toContain(name);
	expect(everything()).toBe(first);
});

describe("an update in virtual time", () => {
	const updates = new Updates(LENGTH);
	const air = { ...FAST, seed: 1 };
	const sectors = Math.ceil(LENGTH / 4096);

	function run(way: Simulation.Way, options: Partial<Row & Simulation.Scenario> = {}): Simulation.Phases {
		const row = { name: way, way, gzip: false, ...options };
		return simulate({ ...updates.of(row), way, flash: TYPICAL, air, ...options });
	}

	test("copies as eboot does: an erase and a program of each sector but the boot loader's, equal one", () => {
		const { copy } = run("upload");
		const least = (sectors - 1) * (0.045 + 16 * 0.0004);
		expect(copy).toBeGreaterThan(least);
		expect(copy).toBeLessThan(least * 1.1);
	});

	test("copies nothing where there are two slots", () => {
		expect(run("put", { slots: true }).copy).toBeLessThan(0.1);
	});

	test("waits in the transfer for an erase and a program of each sector, at least", () => {
		const { transfer, waiting } = run("put");
		expect(transfer * waiting).toBeGreaterThan(sectors * (0.045 + 15 * 0.0004));
		expect(waiting).toBeLessThan(1);
	});

	test("takes as many round trips as espota waits for", () => {
		const near = run("core").transfer;
		const far = run("core", { air: { ...air, roundTrip: 120 } }).transfer;
		// The invitation, its answer, the connection and each piece.
		expect((far - near) / 0.1).toBeCloseTo(Math.ceil(LENGTH / 1460) + 2, -1);
	});

	test("is no faster on a worse flash", () => {
		expect(run("poll", { flash: WORST }).transfer).toBeGreaterThan(run("poll").transfer);
	});

	test("transfers less and copies longer where it is compressed", () => {
		const raw = run("form");
		const packed = run("form", { gzip: true });
		expect(packed.transfer).toBeLessThan(raw.transfer);
		expect(packed.copy).toBeGreaterThan(raw.copy);
	});

	test("erases nothing where the flash is erased, and programs nothing where it holds the same", () => {
		const used = run("poll", { savings: [] });
		const blank = run("poll", { savings: ["erased"], staging: "blank" });
		const equal = run("poll", { savings: ["equal"], staging: "equal" });
		const waits = ({ transfer, waiting }: Simulation.Phases) => transfer * waiting;
		expect(waits(used) - waits(blank)).toBeGreaterThan((sectors - 1) * 0.044);
		expect(waits(equal)).toBeLessThan(0.1);
	});

	test("is faster where it erases ahead", () => {
		expect(run("put", { savings: ["ahead"] }).transfer).toBeLessThan(run("put", { savings: [] }).transfer);
	});

	test.each(["upload", "put", "poll"] as const)("fails where the board refuses what comes by %s", (way) => {
		const damaged = updates.of({ name: way, way, gzip: false }).firmware.slice().fill(0, 0x1000, 0x1010);
		expect(() => run(way, { sent: damaged, firmware: damaged })).toThrow("application header");
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
		for (const row of rows) expect(table).toContain(`| ${row.name} |`);
	});

	test("the chart tells in words what it draws", () => {
		const svg = readFileSync(join(root, "docs/bench.svg"), "utf8");
		const [, description = ""] = /<desc id="description">(.*)<\/desc>/.exec(svg) ?? [];
		for (const { name } of rows) expect(description).toContain(name.replaceAll("`", ""));
		expect(svg).toContain("prefers-color-scheme:dark");
	});
});
