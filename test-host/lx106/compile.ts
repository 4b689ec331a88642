/**
 * `npm run build:lx106`: compiles the C files of modules/ for the ESP8266's CPU, against the headers of the XS
 * engine and the declarations in test-host/xs/sdk. Nothing is linked or run; a warning is an error.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { hashOf } from "../xs/compile";
import { engineSources, packageKey } from "../xs/package";
import { COMPILER } from "./link";

const SPECS = "/usr/lib/xtensa-lx106-elf/picolibc.specs";
const INSTALL = "apt-get install gcc-xtensa-lx106 picolibc-xtensa-lx106-elf";
/** The SDK's own flags, and all warnings. */
const FLAGS: readonly string[] = [
	"-std=gnu99",
	"-Os",
	"-mlongcalls",
	"-mtext-section-literals",
	"-falign-functions=4",
	"-ffunction-sections",
	"-fdata-sections",
	"-fno-jump-tables",
	"-Wall",
	"-Wextra",
	"-Werror",
	// The engine's header uses size_t without it.
	"-include",
	"stddef.h",
];

const root = join(import.meta.dirname, "../..");
const cache = join(root, "node_modules/.cache/ota8266-xs");

/** The C files of the device, as paths in the project. */
export function nativeFiles(): string[] {
	const files = readdirSync(join(root, "modules"), { recursive: true, encoding: "utf8" });
	return files
		.filter((file) => file.endsWith(".c"))
		.sort()
		.map((file) => `modules/${file}`);
}

/** Whether the compiler is there. */
export function hasCompiler(): boolean {
	try {
		execFileSync(COMPILER, [`--specs=${SPECS}`, "--version"], { stdio: "ignore" });
		return true;
	} catch {
		return false;
	}
}

/** Compiles a file, given as a path in the project, and gives the object's sizes. Throws Error where it is not right. */
export function compile(file: string): string {
	const folder = join(cache, "lx106");
	mkdirSync(folder, { recursive: true });
	const object = join(folder, `${basename(file)}.o`);
	const includes = [
		join(root, "test-host/xs/sdk"),
		join(engineSources(join(cache, `package-${hashOf(packageKey)}`)), "includes"),
	].map((path) => `-I${path}`);
	execFileSync(COMPILER, [`--specs=${SPECS}`, ...FLAGS, ...includes, "-c", join(root, file), "-o", object], {
		stdio: ["ignore", "inherit", "inherit"],
	});
	const [, sizes = ""] = execFileSync("xtensa-lx106-elf-size", [object], { encoding: "utf8" }).split("\n");
	const [text, data, bss] = sizes.trim().split(/\s+/);
	return `${file}: ${text} bytes of code and constants, ${Number(data) + Number(bss)} of variables`;
}

if (process.argv[1] === import.meta.filename) {
	if (hasCompiler()) for (const file of nativeFiles()) process.stdout.write(`${compile(file)}\n`);
	else {
		process.stderr.write(`no compiler for the lx106: ${INSTALL}\n`);
		process.exitCode = 1;
	}
}
