/** `ota8266 pack --elf` behind eboot: what it makes of linked programs, and what it refuses. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readElf, symbolAddress } from "../../tools/elf/elf";
import { imageInfo } from "../../tools/image-info";
import { link, objcopySection, readelfEntry } from "../lx106/link";
import { layoutFor } from "../virtual/layout";
import { VirtualBoard } from "../virtual/virtual-board";
import { until } from "./board-bench";
import { ota8266Here, usage } from "./command-line";
import { application, eboot, oldEboot, Programs, withCompiler } from "./lx106";
import { ecPair, failure } from "./signing-bench";

withCompiler("ota8266 pack --elf", () => {
	const programs = new Programs();
	const path = (name: string) => programs.path(name);
	const elf = () => programs.link("lamp", application);
	const bootLoader = () => programs.link("eboot", eboot);
	let count = 0;

	/** Packs a program, into a folder of its own. */
	async function pack(file: string, ...more: readonly string[]) {
		count += 1;
		const out = path(`packed-${count}/firmware.bin`);
		const flags = more.includes("--bootloader") ? more : ["--bootloader", bootLoader(), ...more];
		return { out, ...(await ota8266Here("pack", "--elf", file, ...flags, "--out", out)) };
	}

	/** What is said of a program that is not packed; nothing is left of it. */
	async function refusal(file: string, ...more: readonly string[]): Promise<string> {
		const { out, ...outcome } = await pack(file, ...more);
		expect(existsSync(dirname(out)) ? readdirSync(dirname(out)) : []).toEqual([]);
		expect(outcome.stderr.trimEnd().split("\n")).toHaveLength(1);
		return failure(outcome);
	}

	test("makes the boot loader's image and the application's, each section a segment with objcopy's bytes", async () => {
		const header = ["--flash-mode", "qio", "--flash-freq", "80", "--flash-size", "4M"];
		const { out, code, stdout } = await pack(elf(), ...header);
		expect(code).toBe(0);
		const bytes = readFileSync(out);
		const info = imageInfo(bytes);
		const flash = { flashMode: "QIO", flashFrequency: "80 MHz", flashSize: 0x400000, checksum: "right" };
		expect(info).toMatchObject({
			kind: "firmware",
			faults: [],
			packerWords: "absent",
			descriptor: { name: "ota8266", version: "1.0.0" },
			bootLoader: { ...flash, entry: readelfEntry(bootLoader()) },
			application: { ...flash, offset: 0x1000, entry: readelfEntry(elf()) },
		});
		expect(info.claims).toBeUndefined();
		const memories = info.application?.segments.map(({ memory }) => memory);
		expect(memories).toEqual(["irom", "IRAM", "DRAM", "DRAM"]);
		const names = [".irom0.text", ".text", ".data", ".rodata"];
		let offset = 0x1008;
		for (const [i, { length }] of info.application?.segments.entries() ?? []) {
			const section = objcopySection(elf(), names[i] ?? "");
			expect(length).toBe((section.length + 3) & ~3);
			expect(bytes.subarray(offset + 8, offset + 8 + section.length).equals(section), names[i]).toBe(true);
			offset += 8 + length;
		}
		const boot = info.bootLoader?.size ?? 0;
		expect([...bytes.subarray(boot, 4096)].every((byte) => byte === 0xaa)).toBe(true);
		expect(stdout).toMatch(/Program +ota8266 1\.0\.0, /);
		const staging = layoutFor(0x400000).get("nextota")?.size;
		expect(stdout).toContain(`1048576 bytes in a flash of 4 MiB, ${staging} for an update`);
	});

	test("makes what the mask ROM and eboot start, as far as the board in software can tell", async () => {
		const { out } = await pack(elf());
		let uart = "";
		const board = new VirtualBoard({
			flashFile: path("board.flash"),
			onUART: (text) => {
				uart += text;
			},
		});
		board.flashByCable(new Uint8Array(readFileSync(out)));
		board.powerOn();
		await until(() => uart.includes("machine code"));
		expect(uart).toContain("~ld");
		board.close();
	});

	test("says of a program without a descriptor that it has no version", async () => {
		const file = programs.link("unnamed", { sources: application.sources.slice(0, 1) });
		const { out, code, stdout } = await pack(file);
		expect(code).toBe(0);
		expect(stdout).toMatch(/Program +without a version/);
		expect(imageInfo(readFileSync(out)).descriptor).toBeUndefined();
	});

	test("leaves length and CRC where the linker script has reserved their place", async () => {
		const words = `__attribute__((section(".ver_number"))) const unsigned core_version[4] = { 0 };`;
		const main = application.sources.map((source) =>
			source.replace(/^__attribute__.*core_version.*$/m, words),
		);
		const linker = ["--defsym=__crc_len=0x40201010", "--defsym=__crc_val=0x40201014"];
		const { out } = await pack(programs.link("words", { sources: main, linker }));
		expect(imageInfo(readFileSync(out))).toMatchObject({ faults: [], packerWords: "right" });
	});

	test("compresses, claims and signs as it packs an image", async () => {
		const key = ecPair(programs.folder, "p256");
		const more = ["--gzip", "--version-counter", "7", "--sign", key.privateFile];
		const { out, code, stdout } = await pack(elf(), ...more);
		expect(code).toBe(0);
		expect(stdout).toContain("inflates gzip");
		const verified = await ota8266Here("info", out, "--key", key.publicFile, "--json");
		expect(JSON.parse(verified.stdout)).toMatchObject({
			ok: true,
			descriptor: { name: "ota8266" },
			gzip: { members: 1 },
			claims: { versionCounter: 7 },
		});
	});

	test("refuses a gzip for a boot loader that does not inflate, and takes it for what is flashed as it is", async () => {
		const old = programs.link("old-eboot", oldEboot);
		expect(await refusal(elf(), "--bootloader", old, "--gzip")).toContain(`${old} does not inflate a gzip`);
		const { code, stdout } = await pack(elf(), "--bootloader", old);
		expect(code).toBe(0);
		expect(stdout).toMatch(/Boot loader +eboot of Arduino core unknown, no gzip, /);
	});

	test("tells the version of the core that the boot loader comes from", async () => {
		mkdirSync(path("core/bootloaders/eboot"), { recursive: true });
		writeFileSync(path("core/platform.txt"), "name=ESP8266\nversion=3.1.2\n");
		const file = path("core/bootloaders/eboot/eboot.elf");
		copyFileSync(bootLoader(), file);
		expect((await pack(elf(), "--bootloader", file)).stdout).toContain(
			"eboot of Arduino core 3.1.2, inflates",
		);
	});

	test.each<[string, string[], string]>([
		[
			"outside the chip's memory",
			["--section-start=.odd=0x3ffe0000"],
			"its section .odd (4 bytes at 0x3ffe0000) lies in no memory of the ESP8266",
		],
		["that ends behind its memory", ["--section-start=.odd=0x3fffbffe"], "lies in no memory of the ESP8266"],
		["over eboot, which loads it", ["--section-start=.odd=0x4010f000"], "lies in no memory of the ESP8266"],
		["in a second place of the flash", ["--section-start=.odd=0x40280000"], "its irom is in 2 sections"],
		[
			"before the application's place",
			["--section-start=.odd=0x40200000"],
			"its irom begins at 0x40200000, eboot wants it at 0x40201010",
		],
		["that is not on whole words", ["--section-start=.odd=0x3fff0001"], "is not on whole words"],
		["over another one", ["--section-start=.odd=0x40100000"], "overlaps"],
	])("refuses a program with a section %s", async (name, linker, reason) => {
		const odd = `__attribute__((section(".odd"), used, aligned(1))) const char odd[4] = "odd";\n`;
		const sources = [...application.sources, `${odd}const char *keep(void) { return odd; }`];
		const file = programs.link(name.replaceAll(/\W/g, "-"), { sources, linker: ["-ukeep", ...linker] });
		expect(await refusal(file)).toContain(`${file} cannot be packed: `);
		expect(await refusal(file)).toContain(reason);
	});

	test("refuses a program that does not begin in IRAM", async () => {
		const file = programs.link("entry", { ...application, linker: ["-e0x40201010"] });
		expect(await refusal(file)).toContain("its entry 0x40201010 lies in no section that is loaded into IRAM");
	});

	test("packs what fills its place in the flash's layout, and refuses a line more", async () => {
		const room = layoutFor(0x80000).get("running")?.size ?? 0;
		const filled = (length: number) => {
			const filler = `__attribute__((section(".irom0.text"), used)) const char filler[${length}] = { 1 };`;
			return programs.link(`filled-${length}`, {
				sources: [...application.sources, filler],
				linker: ["-ufiller"],
			});
		};
		const { out } = await pack(filled(64), "--flash-size", "512K");
		const length = 64 + room - readFileSync(out).length;
		const full = await pack(filled(length), "--flash-size", "512K");
		expect(readFileSync(full.out)).toHaveLength(room);
		expect(imageInfo(readFileSync(full.out)).faults).toEqual([]);
		const zipped = gzipSync(readFileSync(full.out), { level: 9 }).length;
		expect(full.stdout).toContain(
			`${room} bytes in a flash of 512 KiB, 0 for an update, too few for one of this size, a gzip (${zipped}) too`,
		);
		// Half of the place, and a bit: what compresses well still fits behind it.
		const half = await pack(filled(length - room / 2 + 0x5000), "--flash-size", "512K");
		expect(half.stdout).toMatch(/, \d+ for an update, so one of this size only as a gzip/);
		const old = await pack(
			filled(length),
			"--flash-size",
			"512K",
			"--bootloader",
			programs.link("old-eboot", oldEboot),
		);
		expect(old.stdout).toMatch(/ 0 for an update, too few for one of this size$/m);
		const over = filled(length + 16);
		expect(await refusal(over, "--flash-size", "512K")).toBe(
			`${over} cannot be packed: the firmware has ${room + 16} bytes, the flash's layout has room for ${room}\n`,
		);
	});

	test("refuses files that are no program, and boot loaders that are none", async () => {
		const text = path("text");
		writeFileSync(text, "no program");
		expect(await refusal(text)).toBe(`${text} cannot be packed: not an ELF file\n`);
		expect(await refusal(path("nowhere.elf"))).toBe(`${path("nowhere.elf")}: no such file\n`);
		expect(await refusal(elf(), "--bootloader", text)).toBe(`${text} cannot be packed: not an ELF file\n`);
		expect(await refusal(elf(), "--bootloader", elf())).toContain("lies in no memory of the ESP8266");
		const long = programs.link("long", {
			...eboot,
			sources: [`const char table[4080] = { 1 }; int eboot(int n) { return table[n]; }`],
		});
		expect(await refusal(elf(), "--bootloader", long)).toMatch(/\d+ bytes, a boot loader has 4096\n$/);
	});

	test("leaves what was there where it cannot pack", async () => {
		const { out } = await pack(elf());
		const before = readFileSync(out);
		const { code } = await ota8266Here(
			"pack",
			"--elf",
			path("nowhere.elf"),
			"--bootloader",
			bootLoader(),
			"--out",
			out,
		);
		expect(code).toBe(1);
		expect(readFileSync(out).equals(before)).toBe(true);
		expect(readdirSync(dirname(out))).toEqual(["firmware.bin"]);
	});
});

withCompiler("the linker scripts", () => {
	const programs = new Programs();
	const { folder } = programs;

	test("do not link a program without its descriptor in its place", () => {
		const sources = application.sources.slice(1);
		const main = "void call_user_start(void) { for (;;); }";
		expect(() => link(folder, "misplaced", { sources: [main, ...sources] })).toThrow(
			"the descriptor is not in its place",
		);
	});

	test("do not link a program that is larger than its layout", () => {
		const large = `__attribute__((section(".irom0.text"), used)) const char large[480000] = { 1 };`;
		const program = { sources: [...application.sources, large], linker: ["-ularge"] };
		expect(() => link(folder, "fits", { ...program, script: "generic-1m.ld" })).not.toThrow();
		expect(() => link(folder, "large", { ...program, script: "generic-512k.ld" })).toThrow("irom0_0_seg");
	});

	test("tell the SDK where preferences and filesystem lie", () => {
		const main = `extern char _MODPREF_start, _SPIFFS_start, _SPIFFS_end; char *volatile places[3];
			void call_user_start(void) { for (;;) { places[0] = &_MODPREF_start; places[1] = &_SPIFFS_start; places[2] = &_SPIFFS_end; } }`;
		const elf = readElf(readFileSync(programs.link("places", { sources: [main] })));
		const places = ["_MODPREF_start", "_SPIFFS_start", "_SPIFFS_end"].map((name) => symbolAddress(elf, name));
		expect(places).toEqual([0x40300000, 0x40400000, 0x405fa000]);
	});
});

describe("the usage of ota8266 pack", () => {
	test.each([
		[["--out", "x"], "give the image to --in, or the program to --elf"],
		[["--in", "a", "--elf", "b", "--out", "x"], "cannot be used with option"],
		[["--elf", "a", "--filesystem", "--out", "x"], "cannot be used with option"],
		[["--in", "a", "--flash-mode", "dio", "--out", "x"], "want --elf"],
		[["--in", "a", "--layout", "nodemcu-4m", "--out", "x"], "--layout wants --elf"],
		[["--in", "a", "--bootloader", "b", "--out", "x"], "for slots give both"],
		[["--elf", "a", "--partitions", "b", "--out", "x"], "cannot be used with option"],
		[["--elf", "a", "--flash-mode", "fast", "--out", "x"], "Allowed choices are qio, qout, dio, dout"],
		[["--elf", "a", "--flash-freq", "60", "--out", "x"], "Allowed choices are"],
		[["--elf", "a", "--flash-size", "3M", "--out", "x"], "Give one of"],
		[["--elf", "a", "--out", "./a"], "--out would overwrite"],
	])("%j is wrong", async (args, text) => {
		const { code, stderr } = await usage("pack", ...args);
		expect(code).toBe(2);
		expect(stderr).toContain(text);
	});
});
