/** Programs as the chip's own toolchain links them; readelf and objcopy tell what is in them. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readElf, symbolAddress } from "../../tools/elf/elf";
import { compileSources, objcopySection, readelfEntry, readelfSections } from "../lx106/link";
import { application, eboot, oldEboot, Programs, withCompiler } from "./lx106";

withCompiler("a linked program", () => {
	const programs = new Programs();
	const bytes = () => new Uint8Array(readFileSync(programs.link("an-application", application)));

	test.each([
		["an application", application],
		["a boot loader", eboot],
		["an old one", oldEboot],
	])("is read as readelf and objcopy read it: %s", (name, program) => {
		const file = programs.link(name.replaceAll(" ", "-"), program);
		const elf = readElf(readFileSync(file));
		const loaded = elf.sections.filter((section) => section.loaded);
		expect(loaded.map(({ name, address, data }) => ({ name, address, size: data.length }))).toEqual(
			readelfSections(file),
		);
		expect(elf.entry).toBe(readelfEntry(file));
		for (const { name, data } of loaded) {
			expect(Buffer.from(data).equals(objcopySection(file, name)), name).toBe(true);
		}
	});

	test("has the symbols that it defines, and none that it lacks", () => {
		const elf = readElf(bytes());
		expect(symbolAddress(elf, "core_version")).toBe(0x40201010);
		expect(elf.symbols).toContainEqual({
			name: "ota8266_descriptor",
			address: 0x40201020,
			size: 64,
			type: 1,
		});
		expect(elf.symbols.find(({ name }) => name === "call_user_start")).toMatchObject({ type: 2 });
		expect(symbolAddress(elf, "__crc_len")).toBeUndefined();
	});

	test("is refused for another chip, with the chip's name", () => {
		const arm = bytes();
		arm[18] = 40;
		expect(() => readElf(arm)).toThrow("an ELF file for another chip (ARM)");
		const wide = bytes();
		wide[4] = 2;
		wide[18] = 62;
		expect(() => readElf(wide)).toThrow("an ELF file for another chip (x86-64)");
		arm[18] = 200;
		expect(() => readElf(arm)).toThrow("(machine 200)");
	});

	test("is refused before it is linked", () => {
		const [object = ""] = compileSources(programs.folder, "object", application.sources);
		expect(() => readElf(readFileSync(object))).toThrow("an ELF file that is not linked");
	});

	test("is refused when it is cut short anywhere", () => {
		const whole = bytes();
		fc.assert(
			fc.property(fc.nat(whole.length - 1), (length) => {
				expect(() => readElf(whole.subarray(0, length))).toThrow(/^(not an ELF file|a damaged ELF file)/);
			}),
		);
	});

	test("that is damaged is read or refused, and nothing else happens", () => {
		const whole = bytes();
		const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
		fc.assert(
			fc.property(flips, (changes) => {
				const damaged = whole.slice();
				for (const [at, value] of changes) damaged[at] = value;
				try {
					readElf(damaged);
				} catch (error) {
					expect(error).toBeInstanceOf(RangeError);
					expect((error as Error).message).toMatch(/ELF file/);
				}
			}),
			{ numRuns: 300 },
		);
	});
});

describe("what is no ELF file", () => {
	test.each([
		["nothing", new Uint8Array()],
		["three bytes", Uint8Array.of(0x7f, 0x45, 0x4c)],
		["an image", Uint8Array.of(0xe9, 1, 2, 0x40)],
		["zeros", new Uint8Array(100)],
	])("is refused: %s", (_, bytes) => {
		expect(() => readElf(bytes)).toThrow("not an ELF file");
	});

	test("nor is a header that is cut short", () => {
		expect(() => readElf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1, 1))).toThrow("its header is cut short");
	});
});
