import { expect, test } from "vitest";
import { lengthFaults, takesRAM, violations } from "../boundaries";

const names = new Set(["timer", "crypt", "board", "embedded:storage/flash"]);
const check = (file: string, line: string) => violations(file, `${line}\n`, names);

test.each([
	["ota/a.ts", 'import { b } from "./b";'],
	["ota/a.ts", 'import Timer from "timer";'],
	["ota/a.ts", 'import flash, { type Flash } from "embedded:storage/flash";'],
	["main.ts", 'import board from "board";'],
	["main.ts", 'import config from "mc/config";'],
	["main.ts", 'import { Updater } from "./ota/updater";'],
	["modules/flash/flash.ts", 'import { SECTOR } from "../../ota/image";'],
])("%s may say %s", (file, line) => {
	expect(check(file, line)).toEqual([]);
});

test.each([
	["ota/a.ts", 'import { x } from "../modules/flash";', "leaves ota/"],
	["ota/a.ts", 'export * from "../main";', "leaves ota/"],
	["ota/a.ts", 'import { readFileSync } from "node:fs";', "is in no manifest"],
	["ota/a.ts", 'import board from "board";', "is no module for ota/"],
	["ota/a.ts", 'const x = await import("node:fs");', "is in no manifest"],
	["ota/a.ts", 'import "crypto";', "is in no manifest"],
	["main.ts", 'import { x } from "./test-host/virtual/nor";', "is no device code"],
	["main.ts", 'import wifi from "wifi";', "is in no manifest"],
])("%s may not say %s", (file, line, fault) => {
	expect(check(file, line)).toEqual([expect.stringContaining(fault)]);
});

test("a device file has at most 300 lines", () => {
	for (const file of ["ota/a.ts", "modules/a/a.c"]) {
		expect(lengthFaults(file, "\n".repeat(300))).toEqual([]);
		expect(lengthFaults(file, "\n".repeat(301))).toEqual([`${file}: 301 lines, more than 300`]);
	}
	expect(violations("ota/a.ts", "\n".repeat(301), names)).toHaveLength(1);
});

test.each([
	["main", "export default function main() {}", false],
	["ota/a", "export class A {}", true],
	["ota/b", "export class B {}", false],
	["ota/c", "export interface C {}", false],
])("%s with %s, not preloaded, takes RAM: %s", (name, source, takes) => {
	expect(takesRAM(name, source, new Set(["ota/b"]))).toBe(takes);
});
