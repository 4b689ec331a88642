/** Links programs for the ESP8266 with Debian's toolchain, by the linker scripts of partitions/. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Debian calls it so, as Espressif does. */
export const COMPILER = "xtensa-lx106-elf-gcc";
const root = join(import.meta.dirname, "../..");

export interface Program {
	/** C sources, compiled one by one and linked in this order. */
	sources: readonly string[];
	/** A script of partitions/, or a whole path; that of a NodeMCU where not given, the linker's own for "". */
	script?: string;
	/** Where mc.defines.h lies; the tests' own where not given. */
	includes?: string;
	/** More for the linker, such as `--section-start=.odd=0x3ff00000`. */
	linker?: readonly string[];
}

/** Compiles sources into a folder; gives the objects. Throws Error, with what the compiler says. */
export function compileSources(
	folder: string,
	name: string,
	sources: readonly string[],
	includes = join(root, "test-host/xs/sdk"),
): string[] {
	return sources.map((source, i) => {
		const object = join(folder, `${name}-${i}.o`);
		writeFileSync(`${object}.c`, source);
		run(COMPILER, [
			"-c",
			"-Os",
			"-mlongcalls",
			"-mtext-section-literals",
			"-fdata-sections",
			`-I${includes}`,
			"-o",
			object,
			`${object}.c`,
		]);
		return object;
	});
}

/** Links a program, with the SDK's options that matter; gives the ELF file. Throws Error, with what the linker says. */
export function link(folder: string, name: string, program: Program): string {
	const { sources, script = "nodemcu-4m.ld", linker = [], includes } = program;
	const file = join(folder, `${name}.elf`);
	const options = ["--no-check-sections", "--gc-sections", "-static", ...linker].map(
		(option) => `-Wl,${option}`,
	);
	const folders =
		script === "" ? [] : [`-L${import.meta.dirname}`, `-T${resolve(root, "partitions", script)}`];
	const objects = compileSources(folder, name, sources, includes);
	run(COMPILER, ["-nostdlib", "-u", "call_user_start", ...options, ...folders, ...objects, "-o", file]);
	return file;
}

/** What readelf tells of a file's sections that are loaded, in its order. */
export function readelfSections(file: string): { name: string; address: number; size: number }[] {
	const text = execFileSync("xtensa-lx106-elf-readelf", ["-WS", file], { encoding: "utf8" });
	const rows = text.matchAll(/\] (\S+) +PROGBITS +([0-9a-f]{8}) [0-9a-f]+ ([0-9a-f]+) \S+ +\w*A/g);
	return [...rows]
		.map(([, name = "", address = "", size = ""]) => ({
			name,
			address: Number(`0x${address}`),
			size: Number(`0x${size}`),
		}))
		.filter(({ size }) => size > 0);
}

/** Where a program begins, as readelf tells it. */
export function readelfEntry(file: string): number {
	const text = execFileSync("xtensa-lx106-elf-readelf", ["-h", file], { encoding: "utf8" });
	return Number(/Entry point address: +(0x[0-9a-f]+)/.exec(text)?.[1]);
}

/** A section's bytes, as objcopy takes them out. */
export function objcopySection(file: string, name: string): Buffer {
	const out = `${file}${name}.bin`;
	execFileSync("xtensa-lx106-elf-objcopy", ["-O", "binary", "-j", name, file, out]);
	return readFileSync(out);
}

function run(command: string, args: readonly string[]): void {
	const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
	if (status !== 0) throw new Error(stderr);
}
