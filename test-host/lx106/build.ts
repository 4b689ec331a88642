/**
 * The XS engine, the device's C files and those of the XS host that need no Linux, as a program of the ESP8266's
 * instructions for QEMU's machine `sim`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildExecutable } from "../xs/compile";
import { nativeNames } from "../xs/natives";
import { cache, filesOf, prepare, root, unitsOf } from "../xs/units";
import { COMPILER, MACHINE, SPECS } from "./toolchain";
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

/** Builds the program where it is not built yet; gives its path. Throws where it cannot be built. */
export async function buildLx106(): Promise<string> {
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
	return buildExecutable(
		{ compiler: COMPILER, units, link, linkFiles: [script] },
		join(cache, "lx106-objects"),
	);
}
