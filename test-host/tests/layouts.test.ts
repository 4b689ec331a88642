import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
	type LayoutFile,
	layoutFaults,
	layoutsFile,
	layoutsHeader,
	linkerScripts,
	readLayouts,
} from "../../partitions/generate";
import { linkerScript, linkFaults } from "../../partitions/linker-script";
import { layoutFor } from "../virtual/layout";
import { skipsXS, xsNote } from "./native-bench";

const layouts = readLayouts();

test("the device's table is the one that the layout files make: npm run layouts", () => {
	expect(readFileSync(layoutsFile, "utf8")).toBe(layoutsHeader(layouts));
});

test.each(linkerScripts(layouts))("%s is the one that its layout makes: npm run layouts", (file, text) => {
	expect(readFileSync(file, "utf8")).toBe(text);
});

test("there is a layout for each usual size of flash, of 4 MiB one for each usual filesystem", () => {
	expect(layouts.map(([, { flashSize, filesystemMiB }]) => [Number(flashSize), filesystemMiB])).toEqual([
		[0x80000, undefined],
		[0x100000, undefined],
		[0x200000, undefined],
		[0x400000, 1],
		[0x400000, 3],
		[0x400000, 2],
		[0x800000, undefined],
		[0x1000000, undefined],
	]);
});

describe.skipIf(skipsXS)(`the device's table${xsNote}`, () => {
	/** What a build with these "defines" of its manifest has of it. */
	const table = (...defines: string[]) => {
		const sdk = join(import.meta.dirname, "../xs/sdk");
		const { status, stdout, stderr } = spawnSync(
			"gcc",
			["-E", "-P", `-I${sdk}`, ...defines.map((define) => `-DMODDEF_OTA8266_${define}`), layoutsFile],
			{ encoding: "utf8" },
		);
		return { status, stderr, rows: stdout.split("\n").filter((line) => line.includes("0x400000,")) };
	};

	test.each([
		["without a choice", [], "nodemcu-4m.json"],
		["with 1 MiB of filesystem", ["FILESYSTEM_MIB=(1)"], "nodemcu-4m-1m.json"],
		["with 2 MiB of filesystem", ["FILESYSTEM_MIB=(2)"], "nodemcu-4m.json"],
		["with 3 MiB of filesystem", ["FILESYSTEM_MIB=(3)"], "nodemcu-4m-3m.json"],
	])("%s has one layout for 4 MiB", (_what, defines, file) => {
		const { rows } = table(...defines);
		const wanted = Object.entries(layouts.find(([name]) => name === file)?.[1].partitions ?? {});
		expect(rows).toHaveLength(wanted.length);
		for (const [i, [name, { offset, size }]] of wanted.entries()) {
			expect(rows[i]).toContain(`{0x400000, ${offset}, ${size}, `);
			expect(rows[i]).toContain(`"${name}"}`);
		}
	});

	test("is refused with a filesystem that there is no layout for", () => {
		const { status, stderr } = table("FILESYSTEM_MIB=(4)");
		expect(status).not.toBe(0);
		expect(stderr).toContain("no layout has a filesystem of that many MiB: 1, 2, 3");
	});
});

describe.each(layouts)("%s", (_name, layout) => {
	const partitions = new Map(
		Object.entries(layout.partitions).map(([name, { offset, size, ...rest }]) => [
			name,
			{ offset: Number(offset), end: Number(offset) + Number(size), ...rest },
		]),
	);

	test("is in order", () => {
		expect(layoutFaults(layout)).toEqual([]);
	});

	test("has what a firmware, its update and a filesystem need", () => {
		expect([...partitions.keys()]).toEqual(expect.arrayContaining(["running", "nextota", "storage"]));
	});

	test("keeps what runs, the preferences and what only the boot loader writes from being written", () => {
		const kept = ["running", "preferences", "bootstages", "previous"];
		for (const [name, { readOnly = false }] of partitions) {
			expect(readOnly, name).toBe(kept.includes(name));
		}
	});

	test("has places for the boot loader's record and for two copies of its second stage", () => {
		const sizes = ["bootrecord", "bootstages"].map((name) => {
			const { offset = 0, end = 0 } = partitions.get(name) ?? {};
			return end - offset;
		});
		expect(sizes).toEqual([0x1000, 0x2000]);
	});

	test("leaves the last five sectors, EEPROM and the SDK's own, to others", () => {
		for (const [name, { end }] of partitions) {
			expect(end, name).toBeLessThanOrEqual(Number(layout.flashSize) - 5 * 4096);
		}
	});

	test("is the virtual board's", () => {
		const found = layoutFor(Number(layout.flashSize), layout.filesystemMiB);
		expect([...found.keys()]).toEqual([...partitions.keys()]);
	});
});

describe("a layout is refused", () => {
	type Partition = LayoutFile["partitions"][string];
	const running: Partition = { offset: "0x000000", size: "0x100000", readOnly: true };
	const own: Record<string, Partition> = {
		bootrecord: { offset: "0x3fa000", size: "0x1000" },
		bootstages: { offset: "0x102000", size: "0x2000", readOnly: true },
	};
	const faultsOf = (partitions: Record<string, Partition>, flashSize = "0x400000") =>
		layoutFaults({ flashSize, partitions: { running, ...own, ...partitions } });

	test.each([
		["half a sector", { offset: "0x200800", size: "0x1000" }, "not on sectors"],
		["a size of half a sector", { offset: "0x200000", size: "0x1800" }, "not on sectors"],
		["nothing", { offset: "0x200000", size: "0x0" }, "empty"],
		["no number", { offset: "here", size: "0x1000" }, "not on sectors"],
		["a sector beyond the chip", { offset: "0x3ff000", size: "0x2000" }, "beyond the flash"],
		["one sector too many", { offset: "0x0ff000", size: "0x2000" }, "overlaps running"],
		["all of it", { offset: "0x000000", size: "0x400000" }, "overlaps running"],
		[
			"another place than what it is behind",
			{ offset: "0x080000", size: "0x080000", behind: "running" },
			"overlaps running",
		],
		["behind what is not there", { offset: "0x200000", size: "0x1000", behind: "nothing" }, "is no running"],
	])("for a partition that has %s", (_what, partition, fault) => {
		expect(faultsOf({ storage: partition }).join("\n")).toContain(fault);
	});

	test("for a size that no flash has", () => {
		const bootrecord = { offset: "0x200000", size: "0x1000" };
		expect(faultsOf({ bootrecord }, "0x300000")).toEqual(["no flash has 0x300000 bytes"]);
	});

	test("for a name that the table has no room for", () => {
		const partition = { offset: "0x200000", size: "0x1000" };
		expect(faultsOf({ elevenbytes: partition })).toEqual([]);
		expect(faultsOf({ twelve_bytes: partition }).join()).toContain("no name");
		expect(faultsOf({ 'a"b': partition }).join()).toContain("no name");
	});

	test.each([
		["a record of two sectors", { bootrecord: { offset: "0x300000", size: "0x2000" } }, "not of 4096 bytes"],
		[
			"a record that the application may not write",
			{ bootrecord: { offset: "0x300000", size: "0x1000", readOnly: true } },
			"the application writes it",
		],
		[
			"one copy of the second stage",
			{ bootstages: { offset: "0x300000", size: "0x1000", readOnly: true } },
			"not of 8192 bytes",
		],
		[
			"a second stage that the application may write",
			{ bootstages: { offset: "0x300000", size: "0x2000" } },
			"only the boot loader writes it",
		],
		[
			"an application before that the application may write",
			{ previous: { offset: "0x300000", size: "0x10000" } },
			"previous: only the boot loader",
		],
		[
			"less room for the application before than for the one that comes",
			{
				nextota: { offset: "0x200000", size: "0x10000" },
				previous: { offset: "0x300000", size: "0xe000", readOnly: true },
			},
			"previous: smaller than the firmware",
		],
	])("for %s", (_what, partitions: Record<string, Partition>, fault) => {
		expect(faultsOf(partitions)).toEqual([expect.stringContaining(fault)]);
	});

	test.each(["bootrecord", "bootstages"])("without %s", (name) => {
		const { [name]: _, ...partitions }: Record<string, Partition> = { running, ...own };
		expect(layoutFaults({ flashSize: "0x400000", partitions })).toEqual([`${name}: there is none`]);
	});

	test("but not with exactly as much room for the application before as a new one may take", () => {
		const previous = { offset: "0x300000", size: "0xf000", readOnly: true };
		expect(faultsOf({ nextota: { offset: "0x200000", size: "0x10000" }, previous })).toEqual([]);
	});

	test("and then there is no table", () => {
		const layout = { flashSize: "0x400000", partitions: { running, ...own, storage: running } };
		expect(() => layoutsHeader([["faulty.json", layout]])).toThrow("faulty.json: storage: overlaps running");
	});

	test.each([
		["without a filesystem to choose by", {}, { filesystemMiB: 3 }, "one.json: of several layouts"],
		[
			"with the same filesystem",
			{ filesystemMiB: 2, default: true },
			{ filesystemMiB: 2 },
			"two.json: a second",
		],
		[
			"and none is the default",
			{ filesystemMiB: 1 },
			{ filesystemMiB: 3 },
			"one of them has to be the default",
		],
		[
			"and both are the default",
			{ filesystemMiB: 1, default: true },
			{ filesystemMiB: 3, default: true },
			"one of them has to be the default",
		],
	])("when another one is for the same size, %s", (_what, one, two, fault) => {
		const layout = { flashSize: "0x400000", partitions: { running, ...own } };
		const both: [string, LayoutFile][] = [
			["one.json", { ...layout, ...one }],
			["two.json", { ...layout, ...two }],
		];
		expect(() => layoutsHeader(both)).toThrow(fault);
	});

	test("but not for a partition behind the running firmware, in its place", () => {
		expect(faultsOf({ nextota: { offset: "0x0", size: "0x100000", behind: "running" } })).toEqual([]);
	});
});

describe("no application is linked for a layout", () => {
	const partition = (offset: string, size: string) => ({ offset, size });
	const whole: LayoutFile["partitions"] = {
		running: partition("0x0", "0x100000"),
		preferences: partition("0x100000", "0x2000"),
		storage: partition("0x200000", "0x1fa000"),
	};
	const faultsOf = (partitions: LayoutFile["partitions"]) =>
		linkFaults({ flashSize: "0x400000", partitions: { ...whole, ...partitions } });

	test.each([
		[
			"whose firmware begins elsewhere",
			{ running: partition("0x1000", "0xff000") },
			"running: does not begin",
		],
		["whose firmware is larger than what is mapped", { running: partition("0x0", "0x101000") }, "1 MiB"],
		["whose firmware has room for the boot loader only", { running: partition("0x0", "0x1000") }, "no room"],
	])("%s", (_, partitions, fault) => {
		expect(faultsOf(partitions)).toEqual([expect.stringContaining(fault)]);
	});

	test.each(["running", "preferences", "storage"])("without %s", (name) => {
		const { [name]: _, ...partitions } = whole;
		expect(linkFaults({ flashSize: "0x400000", partitions })).toEqual([`${name}: there is none`]);
		expect(() => linkerScript("faulty.json", { flashSize: "0x400000", partitions })).toThrow("faulty.json: ");
	});

	test("but for one that has all of them there is a script, whose irom leaves place for the checksum", () => {
		expect(faultsOf({})).toEqual([]);
		const script = linkerScript("x.json", { flashSize: "0x400000", partitions: whole });
		expect(script).toContain("len = 0xFEFE0");
		// Up to where our boot loader's second stage is loaded.
		const [, start, length] = /iram1_0_seg : org = (\w+), len = (\w+)/.exec(script) ?? [];
		expect(Number(start) + Number(length)).toBeLessThanOrEqual(0x4010e000);
	});
});
