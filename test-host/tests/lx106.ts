/** Small programs for the ESP8266, which its own toolchain links, for tests of what is made of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";
import { link, type Program } from "../lx106/link";
import { hasCompiler } from "../lx106/toolchain";
import { root } from "../virtual/bundle";
import { temporaryFolder } from "./signing-bench";

/** Tests that need the chip's compiler. Without it they are skipped, with a name that says what to install; in CI they fail. */
export function withCompiler(name: string, tests: () => void): void {
	const skipped = !hasCompiler() && !process.env.CI;
	const what = "apt-get install gcc-xtensa-lx106 picolibc-xtensa-lx106-elf";
	describe.skipIf(skipped)(skipped ? `${name} (skipped: ${what})` : name, tests);
}

const MAIN = `
__attribute__((section(".ver_number"))) const unsigned core_version = 0x00020300;
__attribute__((section(".irom0.text"), used)) const unsigned strings[] = { 1, 2, 3, 4, 5 };
volatile unsigned counter = 7;
const char text[] = "irom, IRAM, DRAM";
char zeros[100];
extern char _SPIFFS_start[];
void call_user_start(void) { for (;;) counter += (unsigned)_SPIFFS_start + strings[counter & 3] + text[counter & 15] + zeros[counter & 63]; }
`;
/** As the manifest's own: name and version of the tests' mc.defines.h. */
export const DESCRIPTOR = readFileSync(join(root, "modules/descriptor/descriptor.c"), "utf8");
/** An application with code in IRAM, constants in flash, variables in DRAM. */
export const application: Program = { sources: [MAIN, DESCRIPTOR] };
/** In the place of eboot, with constants in data RAM as its later versions have them. */
const boot = (functions: string): Program => ({
	sources: [
		`const int table[] = { 1, 2, 3, 4 };\nint eboot(int n) { return ((volatile const int *)table)[n & 3]; }\n${functions}`,
	],
	script: "",
	linker: [
		"-eeboot",
		"-ueboot",
		"-uuzlib_uncompress",
		"--section-start=.text=0x4010f000",
		"--section-start=.rodata=0x3fff20b8",
	],
});
/** What tells that an eboot inflates is its library. */
export const eboot = boot("int uzlib_uncompress(int n) { return n; }");
export const oldEboot = boot("");

export class Programs {
	readonly folder = temporaryFolder();
	readonly #linked = new Map<string, string>();

	/** The file of a program, linked once. */
	link(name: string, program: Program): string {
		const file = this.#linked.get(name) ?? link(this.folder, name, program);
		this.#linked.set(name, file);
		return file;
	}

	path(name: string): string {
		return join(this.folder, name);
	}
}
