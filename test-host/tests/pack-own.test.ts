/** `ota8266 pack --elf` behind our own boot loader. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SECTOR } from "../../ota/image";
import { imageInfo } from "../../tools/image-info";
import { bootMachine } from "../lx106/boot/boot";
import { readelfEntry } from "../lx106/link";
import { NorFlash } from "../virtual/nor";
import { ResetCause } from "../virtual/outcome";
import { RtcMemory } from "../virtual/rtc";
import { ota8266Here } from "./command-line";
import { application, Programs, withCompiler } from "./lx106";
import { ecPair, failure } from "./signing-bench";

withCompiler("ota8266 pack --elf with our boot loader", () => {
	const programs = new Programs();
	const elf = () => programs.link("lamp", application);
	const out = programs.path("firmware.bin");
	const pack = (file: string, ...more: readonly string[]) =>
		ota8266Here("pack", "--elf", file, ...more, "--out", out);
	const filled = (length: number) => {
		const filler = `__attribute__((section(".irom0.text"), used)) const char filler[${length}] = { 1 };`;
		const program = { sources: [...application.sources, filler], linker: ["-ufiller"] };
		return programs.link(`filled-${length}`, program);
	};

	test("takes it where no other is given, with the places of a NodeMCU's layout", async () => {
		const { code, stdout } = await pack(elf());
		expect(code).toBe(0);
		expect(stdout).toMatch(
			/Boot loader +our own, first stage \d+ bytes, second stage \d+ bytes, inflates gzip, .*boot\.elf\n/,
		);
		const info = imageInfo(readFileSync(out));
		expect(info).toMatchObject({
			kind: "firmware",
			faults: [],
			bootLoader: { flashMode: "DIO", flashFrequency: "40 MHz", flashSize: 0x400000, checksum: "right" },
			ownBootLoader: {
				version: 1,
				config: { record: 0x3fa000, applicationEnd: 0x100000, stages: 0x102000, previous: 0 },
				secondStage: { state: "whole" },
			},
			descriptor: { name: "ota8266", version: "1.0.0" },
		});
	});

	test("makes what the mask ROM and the loader's machine code start", async () => {
		await pack(elf());
		const cells = new Uint8Array(0x400000).fill(0xff);
		cells.set(readFileSync(out));
		let uart = "";
		const print = (text: string) => {
			uart += text;
		};
		const flash = NorFlash.inMemory(cells);
		const outcome = bootMachine({ flash, rtc: new RtcMemory(), print, cause: ResetCause.POWER });
		expect(outcome).toMatchObject({ kind: "jump", entry: readelfEntry(elf()) });
		expect(uart).toMatch(/~ld\r\n$/);
		const { ownBootLoader } = imageInfo(readFileSync(out));
		const { stageLength = 0 } = ownBootLoader?.config ?? {};
		const stage = readFileSync(out).subarray(-stageLength);
		for (const copy of [0x102000, 0x103000]) {
			expect(Buffer.compare(cells.subarray(copy, copy + stageLength), stage)).toBe(0);
		}
	});

	test("takes the layout that is named, or the usual one for the flash", async () => {
		const config = () => imageInfo(readFileSync(out)).ownBootLoader?.config;
		await pack(elf(), "--layout", "nodemcu-4m-1m");
		expect(config()).toMatchObject({ previous: 0x104000, previousEnd: 0x202000, filesystem: 0x300000 });
		await pack(elf(), "--flash-size", "512K");
		expect(config()).toMatchObject({ flashSize: 0x80000, record: 0x70000, stages: 0x6e000 });
		expect(imageInfo(readFileSync(out)).bootLoader?.flashSize).toBe(0x80000);
		await pack(elf(), "--flash-size", "4M", "--layout", "nodemcu-4m");
		expect(config()).toMatchObject({ flashSize: 0x400000, filesystem: 0x200000 });
	});

	test("refuses a layout that there is not, or that is for another flash", async () => {
		expect(failure(await pack(elf(), "--layout", "nodemcu"))).toMatch(
			/^nodemcu: no such layout, there are .*nodemcu-4m/,
		);
		expect(failure(await pack(elf(), "--layout", "nodemcu-4m", "--flash-size", "512K"))).toBe(
			`${elf()} cannot be packed: layout nodemcu-4m is for a flash of 4 MiB, not 512 KiB\n`,
		);
	});

	test("packs an application that leaves a sector to the second stage, and refuses a line more", async () => {
		const packed = (length: number) => pack(filled(length), "--flash-size", "512K");
		await packed(64);
		const { size = 0 } = imageInfo(readFileSync(out)).application ?? {};
		const length = 64 + 0x6e000 - 2 * SECTOR - size;
		expect((await packed(length)).code).toBe(0);
		const { application, ownBootLoader } = imageInfo(readFileSync(out));
		expect(application?.size).toBe(0x6e000 - 2 * SECTOR);
		expect(ownBootLoader?.secondStage).toEqual({ offset: 0x6d000, state: "whole" });
		expect(failure(await packed(length + 16))).toContain(
			`bytes, the flash's layout has room for ${0x6e000}\n`,
		);
	});

	test("leaves length and CRC of what lies before the second stage, where their place is reserved", async () => {
		const words = `__attribute__((section(".ver_number"))) const unsigned core_version[4] = { 0 };`;
		const sources = application.sources.map((source) =>
			source.replace(/^__attribute__.*core_version.*$/m, words),
		);
		const linker = ["--defsym=__crc_len=0x40201010", "--defsym=__crc_val=0x40201014"];
		await pack(programs.link("words", { sources, linker }));
		const bytes = readFileSync(out);
		const info = imageInfo(bytes);
		expect(info).toMatchObject({ faults: [], packerWords: "right" });
		expect(bytes.readUInt32LE(0x1010)).toBe(SECTOR + (info.application?.size ?? 0));
	});

	test("compresses and signs it like any other, and finds the signature missing", async () => {
		const key = ecPair(programs.folder, "p256");
		expect((await pack(elf(), "--gzip", "--sign", key.privateFile)).code).toBe(0);
		const verified = await ota8266Here("info", out, "--key", key.publicFile, "--json");
		expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, ownBootLoader: { version: 1 } });
		await pack(elf());
		expect((await ota8266Here("verify", out, "--key", key.publicFile)).stderr).toContain(
			"not signed, it ends with the image",
		);
	});
});
