/** `npm run build:boot`: the boot loader, with Debian's compiler for the ESP8266, into dist/boot.elf. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, parse } from "node:path";
import { readElf } from "../tools/elf/elf";

const COMPILER = "xtensa-lx106-elf-gcc";
const FLAGS = [
	"-std=gnu99",
	"-Os",
	"-ffreestanding",
	"-nostdlib",
	"-mlongcalls",
	"-mtext-section-literals",
	"-mno-serialize-volatile",
	"-fno-jump-tables",
	"-fno-move-loop-invariants",
	"-fno-tree-sra",
	"-ffunction-sections",
	"-fdata-sections",
	"-Wall",
	"-Wextra",
	"-Werror",
];
const folder = import.meta.dirname;
export const bootLoaderFile = join(folder, "../dist/boot.elf");

/** Whether the compiler is there. */
export function hasCompiler(): boolean {
	return spawnSync(COMPILER, ["--version"]).status === 0;
}

/** Compiles and links it. Throws where that fails, a stage that is too large for its place among the reasons. */
export function buildBootLoader(file = bootLoaderFile): void {
	const objects = mkdtempSync(join(tmpdir(), "ota8266-boot-"));
	const script = join(folder, "boot.ld");
	try {
		const sources = readdirSync(folder).filter((name) => /\.[cS]$/.test(name));
		// The linker script tells the stages apart by these names.
		const compiled = sources.map((source) => {
			const object = join(objects, `${parse(source).name}.o`);
			execFileSync(COMPILER, [...FLAGS, "-c", join(folder, source), "-o", object]);
			return object;
		});
		mkdirSync(parse(file).dir, { recursive: true });
		execFileSync(COMPILER, [
			"-nostdlib",
			`-T${script}`,
			"-Wl,--gc-sections",
			...compiled,
			"-o",
			`${file}.new`,
		]);
		// Renamed into place: somebody may be reading the one before.
		renameSync(`${file}.new`, file);
	} finally {
		rmSync(objects, { recursive: true });
	}
}

/** Bytes of each section that lies in flash. */
export function sectionSizes(file = bootLoaderFile): Map<string, number> {
	const { sections } = readElf(readFileSync(file));
	return new Map(sections.filter(({ loaded }) => loaded).map(({ name, data }) => [name, data.length]));
}

if (process.argv[1] === import.meta.filename) {
	buildBootLoader();
	const sizes = sectionSizes();
	const first = (sizes.get(".data") ?? 0) + (sizes.get(".text") ?? 0);
	process.stdout.write(
		`dist/boot.elf: first stage ${first} bytes, second stage ${sizes.get(".second")} bytes, each of 4096\n`,
	);
}
