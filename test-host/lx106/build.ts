/**
 * `npm run build:lx106`: the XS engine, the device's C files and those of the XS host that need no Linux, as a program of the ESP8266's
 * instructions for QEMU's machine `sim`. A warning in ours is an error.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { buildExecutable, objectOf } from "../xs/compile";
import { nativeNames } from "../xs/natives";
import { cache, filesOf, prepare, root, unitsOf } from "../xs/units";
import { COMPILER } from "./link";
import { lacks, MACHINE, SPECS } from "./toolchain";
import { wrapsOf } from "./wraps";

const machine = join(import.meta.dirname, "machine");
const host = join(root, "test-host/xs");
const script = join(machine, "sim.ld");

/** Of test-host/xs; what stands for the others lies in machine/. */
const SHARED = [
	"application.c",
	"digest.c",
	"direct.c",
	"events.c",
	"exit.c",
	"flash-model.c",
	"freeze.c",
	"globals.c",
	"key-value.c",
	"loop.c",
	"machine.c",
	"md5.c",
	"memory.c",
	"options.c",
	"resource.c",
	"sdk/sdk.c",
	"sha1.c",
	"sha256.c",
	"timer.c",
];
const SHARED_SCRIPTS = ["crypt.js", "key-value.js", "resource.js", "timer.js"];

const objects = join(cache, "lx106-objects");

interface Built {
	/** The program's file. */
	program: string;
	/** Objects of the device's C files, by their paths in the project. */
	natives: ReadonlyMap<string, string>;
}

let building: Promise<Built> | undefined;

/** Builds the program where it is not built yet, once at a time. Throws where it cannot be built. */
export function buildLx106(): Promise<Built> {
	building ??= build();
	return building;
}

async function build(): Promise<Built> {
	const lacking = lacks();
	if (lacking) throw new Error(lacking);
	const modules = join(root, "modules");
	const ownC = [...SHARED.map((name) => join(host, name)), ...filesOf(machine, ".c")];
	const moduleC = filesOf(modules, ".c");
	const scripts = [
		...filesOf(modules, ".ts"),
		...SHARED_SCRIPTS.map((name) => join(host, "modules", name)),
		...filesOf(join(import.meta.dirname, "modules"), ".js"),
	];
	const prepared = prepare({
		scripts: scripts.filter((file) => file.endsWith(".ts")),
		hostScripts: scripts.filter((file) => file.endsWith(".js")),
		c: [...ownC, ...moduleC],
	});
	const wraps = wrapsOf(nativeNames(scripts));
	const wrapsFile = join(prepared.generated, "wraps.c");
	writeFileSync(wrapsFile, wraps.source);
	const units = unitsOf({
		...prepared,
		ownC: [...ownC, wrapsFile],
		moduleC,
		includes: [machine, host],
		machine: [`--specs=${SPECS}`, ...MACHINE],
		engineFlags: [],
		ownFlags: [],
	});
	const link = [
		`--specs=${SPECS}`,
		...["-nostartfiles", "-Wl,--gc-sections", `-T${script}`],
		...wraps.options,
		"-lm",
	];
	const program = await buildExecutable({ compiler: COMPILER, units, link, linkFiles: [script] }, objects);
	const natives = units
		.filter(({ file }) => moduleC.includes(file))
		.map((unit): [string, string] => [relative(root, unit.file), objectOf(unit, objects)]);
	return { program, natives: new Map(natives) };
}

/** Code and constants, variables; in bytes. */
function sizesOf(object: string): string {
	const [, sizes = ""] = execFileSync("xtensa-lx106-elf-size", [object], { encoding: "utf8" }).split("\n");
	const [text, data, bss] = sizes.trim().split(/\s+/);
	return `${text} bytes of code and constants, ${Number(data) + Number(bss)} of variables`;
}

if (process.argv[1] === import.meta.filename) {
	buildLx106().then(
		({ program, natives }) => {
			for (const [file, object] of natives) process.stdout.write(`${file}: ${sizesOf(object)}\n`);
			process.stdout.write(`${program}: ${sizesOf(program)}\n`);
		},
		(error: unknown) => {
			process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
			process.exitCode = 1;
		},
	);
}
