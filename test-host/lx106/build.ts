/**
 * The XS engine, the device's C files and those of the XS host that need no Linux, as a program of the ESP8266's
 * instructions for QEMU's machine `sim`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildExecutable } from "../xs/compile";
import { cache, filesOf, prepare, root, unitsOf } from "../xs/units";
import { COMPILER, MACHINE, SPECS } from "./toolchain";

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

/** Functions that measures.c stands around. */
function wrapped(): string[] {
	const source = readFileSync(join(machine, "measures.c"), "utf8");
	return [...source.matchAll(/^WRAP_(?:NATIVE\(\w+, |CHIP\()(\w+)/gm)].map(([, name]) => `-Wl,--wrap=${name}`);
}

/** Builds the program where it is not built yet; gives its path. Throws where it cannot be built. */
export async function buildLx106(): Promise<string> {
	const modules = join(root, "modules");
	const ownC = [...SHARED.map((name) => join(host, name)), ...filesOf(machine, ".c")];
	const moduleC = filesOf(modules, ".c");
	const prepared = prepare({
		scripts: filesOf(modules, ".ts"),
		hostScripts: [
			...SHARED_SCRIPTS.map((name) => join(host, "modules", name)),
			...filesOf(join(import.meta.dirname, "modules"), ".js"),
		],
		c: [...ownC, ...moduleC],
	});
	const units = unitsOf({
		...prepared,
		ownC,
		moduleC,
		includes: [machine, host],
		machine: [`--specs=${SPECS}`, ...MACHINE],
		engineFlags: [],
		ownFlags: [],
	});
	const link = [
		`--specs=${SPECS}`,
		...["-nostartfiles", "-Wl,--gc-sections", `-T${script}`],
		...wrapped(),
		"-lm",
	];
	return buildExecutable(
		{ compiler: COMPILER, units, link, linkFiles: [script] },
		join(cache, "lx106-objects"),
	);
}
