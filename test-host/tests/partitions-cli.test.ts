import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeTable } from "../../tools/partitions/binary";
import { ota8266, ota8266Here, usage } from "./command-line";
import { failure, temporaryFolder } from "./signing-bench";

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const file = (name: string, content: string | Uint8Array) => {
	writeFileSync(path(name), content);
	return path(name);
};
const CSV = "partitions/two-slots-4m.csv";
const table = path("table.bin");

async function built(): Promise<Uint8Array> {
	if (!existsSync(table)) await ota8266Here("partitions", "build", CSV, "--out", table);
	return readFileSync(table);
}

describe("ota8266 partitions", () => {
	test("shows every layout as a table and a drawing, the smallest flash first", async () => {
		const { code, stdout, stderr } = await ota8266Here("partitions");
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
		const headings = stdout.split("\n").filter((line) => line.includes(" of flash, "));
		const files = readdirSync("partitions").filter((name) => /\.(json|csv)$/.test(name));
		expect(headings.map((line) => line.split(":")[0]).sort()).toEqual(files.sort());
		expect(headings[0]).toBe("generic-512k.json: 512K of flash, for eboot");
		expect(headings.at(-1)).toBe("generic-16m.json: 16M of flash, for eboot");
		expect(headings).toContain(
			'nodemcu-4m-3m.json: 4M of flash, for eboot, with "defines": { "ota8266": { "filesystem_mib": 3 } } in the manifest',
		);
	});

	test("draws a flash of 1 MiB", async () => {
		const { stdout } = await ota8266Here("partitions", "--flash-size", "1M");
		expect(stdout).toContain(`two-slots-1m.csv: 1M of flash, a partition table
Name         Type  SubType  Offset    End       Size
nvs          data  nvs      0x009000  0x00d000    16K
otadata      data  ota      0x00d000  0x00f000     8K
phy_init     data  phy      0x00f000  0x010000     4K
ota_0        app   ota_0    0x010000  0x080000   448K  mapped at 0x40210000
ota_1        app   ota_1    0x080000  0x0f0000   448K  mapped at 0x40280000
preferences  64    0        0x0f0000  0x0f2000     8K
storage      data  spiffs   0x0f2000  0x0fb000    36K

0x000000 ┌────────────────────────────┐
         │ boot loader                │    32K
0x008000 ├────────────────────────────┤
         │ partition table            │     4K
0x009000 ├────────────────────────────┤
         │ nvs                        │    16K
0x00d000 ├────────────────────────────┤
         │ otadata                    │     8K
0x00f000 ├────────────────────────────┤
         │ phy_init                   │     4K
0x010000 ├────────────────────────────┤
         │ ota_0                      │   448K
         │                            │
         │                            │
         │                            │
         │                            │
         │                            │
         │                            │
0x080000 ├────────────────────────────┤
         │ ota_1                      │   448K
`);
		expect(stdout).toContain("│ running, then nextota      │   920K\n");
		expect(stdout).not.toContain("nodemcu");
	});

	test("draws a flash of 16 MiB, whose addresses are longer", async () => {
		const { stdout } = await ota8266Here("partitions", "--flash-size", "16M");
		const drawn = stdout.split("\n").filter((line) => /[│├┌└]/.test(line));
		expect(drawn.at(-1)).toBe(`0x1000000 └${"─".repeat(28)}┘`);
		expect(new Set(drawn.map((line) => line.search(/[│├┌└]/)))).toEqual(new Set([10]));
	});

	test.each([
		["an unknown subcommand", "partitions biuld x", "error: "],
		["no file to build", "partitions build --out x", "missing required argument 'csv'"],
		["no place for it", "partitions build x.csv", "'--out <file>' not specified"],
		["an unknown flash", "partitions verify x --flash-size 3M", "Give one of 512K, 1M"],
		["two forms", "partitions show x --csv --json", "cannot be used with"],
		["the CSV itself as --out", "partitions build x.csv --out ./x.csv", "--out would overwrite the CSV"],
	])("says what is wrong with the usage: %s", async (_, line, message) => {
		const { code, stdout, stderr } = await usage(...line.split(" "));
		expect(stderr).toContain(message);
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
	});
});

describe("ota8266 partitions build", () => {
	test("is a command like the others, with its exit code", async () => {
		const out = path("new/table.bin");
		const outcome = await ota8266("partitions", "build", CSV, "--out", out);
		expect(outcome).toEqual({ code: 0, stdout: `7 partitions, 3072 bytes, ${out}\n`, stderr: "" });
		const digest = createHash("sha256").update(readFileSync(out)).digest("hex");
		expect(digest).toBe("8bcce2ccaaa543b06b65163ee59ebfa17c2d75de2231c50cccc28bf363b8f1b3");
		const refused = await ota8266("partitions", "verify", out, "--flash-size", "2M");
		expect(failure(refused)).toContain("storage ends at 0x3fa000, behind the flash of 0x200000 bytes");
	});

	test("leaves the MD5 out where that is wanted", async () => {
		const out = path("no-md5.bin");
		await ota8266Here("partitions", "build", CSV, "--no-md5", "--out", out);
		const bytes = readFileSync(out);
		expect(bytes.subarray(7 * 32).every((byte) => byte === 0xff)).toBe(true);
		const { stdout } = await ota8266Here("partitions", "verify", out);
		expect(stdout).toBe(`${out}: in order, 7 partitions, 2 OTA slots, no MD5\n`);
	});

	test("makes what is odd, and says so", async () => {
		const csv = file("odd.csv", "a, data, nvs, , 100\n");
		const out = path("odd.bin");
		const { code, stderr } = await ota8266Here("partitions", "build", csv, "--out", out);
		expect(code).toBe(0);
		expect(stderr).toContain(`${csv}: line 1: a is not on sectors`);
		expect(stderr).toContain(`${csv}: no app`);
		expect(readFileSync(out).length).toBe(3072);
	});

	test("refuses what makes no table, with file and line, and leaves none", async () => {
		const out = path("refused.bin");
		const build = async (csv: string, ...more: string[]) =>
			failure(await ota8266Here("partitions", "build", csv, "--out", out, ...more));
		const bad = file("bad.csv", "# a table\nnvs, data, nvs, 0x9000, 16K\notadata, data, ota, 0xc000, 8K\n");
		expect(await build(bad)).toBe(
			`${bad}: line 3: otadata at 0xc000 overlaps nvs, which ends at 0xd000: lines go by their offsets\n`,
		);
		expect(await build(CSV, "--flash-size", "2M")).toBe(
			`${CSV}: line 13: storage ends at 0x3fa000, behind the flash of 0x200000 bytes\n`,
		);
		expect(await build(path("missing.csv"))).toBe(`${path("missing.csv")}: no such file\n`);
		expect(await build(file("empty.csv", ""))).toContain("the file is empty");
		await built();
		expect(await build(table)).toBe(`${table}: it is no CSV, but a partition table\n`);
		expect(existsSync(out)).toBe(false);
	});
});

describe("ota8266 partitions show", () => {
	test("shows a table, or makes a CSV of it, of which the same table is built", async () => {
		await built();
		const { code, stdout } = await ota8266Here("partitions", "show", table);
		expect(code).toBe(0);
		expect(stdout).toMatch(/^preferences +64 +0 +0x100000 +0x102000 +8K$/m);
		const csv = await ota8266Here("partitions", "show", table, "--csv");
		const again = path("again.bin");
		await ota8266Here("partitions", "build", file("again.csv", csv.stdout), "--out", again);
		expect(readFileSync(again)).toEqual(await built());
	});

	test("finds it in a whole flash", async () => {
		const flash = new Uint8Array(0x200000).fill(0xff);
		flash.set(await built(), 0x8000);
		const { code, stdout, stderr } = await ota8266Here(
			"partitions",
			"show",
			file("flash.bin", flash),
			"--json",
		);
		const report = JSON.parse(stdout);
		expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
		expect(report).toMatchObject({ ok: false, kind: "flash", md5: true });
		expect(report.partitions[3]).toEqual({
			label: "ota_0",
			type: 0,
			subtype: 0x10,
			offset: 0x10000,
			size: 0xf0000,
			flags: 0,
		});
		expect(report.problems[0].text).toContain("behind the flash of 0x200000 bytes");
	});

	test("says of another file, or a damaged table, what is wrong with it", async () => {
		const damaged = Uint8Array.from(await built());
		damaged[40] = 7;
		const show = async (name: string, content: string | Uint8Array) =>
			failure(await ota8266Here("partitions", "show", file(name, content)));
		expect(await show("damaged.bin", damaged)).toContain("damaged.bin: MD5 expected: ");
		expect(await show("noise.bin", Uint8Array.of(0xff, 0xfe, 0x80))).toContain(
			"no partition table: not a CSV",
		);
		const cut = damaged.subarray(0, 32);
		expect(await show("cut.bin", cut)).toContain("the table has no end");
	});

	test("makes no CSV where a name is none for one", async () => {
		const bytes = encodeTable([
			{ label: "a,b", type: 0, subtype: 0, offset: 0x10000, size: 0x10000, flags: 0 },
		]);
		const odd = file("odd-name.bin", bytes);
		expect((await ota8266Here("partitions", "show", odd)).stdout).toMatch(/^a,b +app +factory /m);
		expect(failure(await ota8266Here("partitions", "show", odd, "--csv"))).toBe(
			`${odd}: no CSV can have the name "a,b"\n`,
		);
	});
});

describe("ota8266 partitions verify", () => {
	test.each(readdirSync("partitions").filter((name) => name.endsWith(".csv")))("takes %s", async (name) => {
		const size = name.replace(/.*-(\d+)m\.csv/, "$1M");
		const csv = join("partitions", name);
		const { code, stdout } = await ota8266Here("partitions", "verify", csv, "--flash-size", size);
		expect({ code, stdout }).toEqual({ code: 0, stdout: `${csv}: in order, 7 partitions, 2 OTA slots\n` });
	});

	test("fails for what a board can't use, all of it", async () => {
		const csv = file("unfit.csv", "nvs,data,nvs,,4K\nota_0,app,ota_0,64K,1M\n");
		const lines = failure(await ota8266Here("partitions", "verify", csv)).split("\n");
		expect(lines).toEqual([
			`${csv}: line 2: ota_0 crosses a MiB of the flash: the chip maps one at a time for code`,
			`${csv}: OTA slots, but no partition data, ota that says which to boot`,
			`${csv}: one OTA slot only: an update has no place beside what runs`,
			"",
		]);
	});
});
