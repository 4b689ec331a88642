/** What a program around the XS engine is compiled of: the engine, the host's C files, the device's. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOf, type Unit } from "./compile";
import { identifiersHeader, nativesSource, type Sources } from "./natives";
import { engineSources, packageKey } from "./package";

const here = import.meta.dirname;
export const root = join(here, "../..");
export const cache = join(root, "node_modules/.cache/ota8266-xs");

const ENGINE = [
	"INCLUDE_XSPLATFORM",
	'XSPLATFORM="platform.h"',
	"mxParse=1",
	"mxRun=1",
	"mxSloppy=1",
	"mxNoConsole=1",
	"mxBoundsCheck=1",
	"mxMinusZero=1",
	"mxRegExpUnicodePropertyEscapes=1",
	"mxStringNormalize=1",
].map((definition) => `-D${definition}`);
const STRICT = ["-Wall", "-Wextra", "-Werror"];
/** Not needed, and large. */
const UNUSED = ["xsSnapshot.c"];

/** Files that know the engine from the inside. */
const INSIDE = /^#include "engine\.h"$/m;

/** Files with this ending in a folder and below, in order. */
export function filesOf(folder: string, extension: string): string[] {
	return readdirSync(folder, { recursive: true, encoding: "utf8" })
		.filter((name) => name.endsWith(extension))
		.map((name) => join(folder, name))
		.sort();
}

/** What is made before anything is compiled. */
interface Prepared {
	/** Folder of the engine's sources. */
	engine: string;
	/** Folder of mc.xs.h and natives.c. */
	generated: string;
}

/** Fetches the engine where it lacks, and makes the table of natives. */
export function prepare(sources: Sources): Prepared {
	const engine = engineSources(join(cache, `package-${hashOf(packageKey)}`));
	const header = identifiersHeader(sources);
	const natives = nativesSource(sources);
	const generated = join(cache, `generated-${hashOf(header, natives)}`);
	mkdirSync(generated, { recursive: true });
	writeFileSync(join(generated, "mc.xs.h"), header);
	writeFileSync(join(generated, "natives.c"), natives);
	return { engine, generated };
}

interface Parts extends Prepared {
	/** The host's C files, those that know the engine from the inside among them. */
	ownC: readonly string[];
	/** The device's. */
	moduleC: readonly string[];
	/** Folders of the host's headers; the first platform.h is the engine's. */
	includes: readonly string[];
	/** Of the machine, for all files. */
	machine: readonly string[];
	/** For the engine's files, what is beside the machine's; for the others. */
	engineFlags: readonly string[];
	ownFlags: readonly string[];
	/** Definitions for the engine, and for who knows it from the inside. */
	definitions?: readonly string[];
}

export function unitsOf(parts: Parts): Unit[] {
	const { engine, generated, ownC, moduleC, includes, machine, definitions = [] } = parts;
	const folders = ["includes", "platforms", "sources"].map((folder) => join(engine, folder));
	const system = folders.map((folder) => `-isystem${folder}`);
	const paths = includes.map((folder) => `-I${folder}`);
	const headers = [
		...includes.flatMap((folder) => filesOf(folder, ".h")),
		...filesOf(join(root, "modules"), ".h"),
		join(generated, "mc.xs.h"),
	];
	const defined = [...ENGINE, ...definitions];
	const engineFlags = [...machine, ...parts.engineFlags, "-w", ...defined, ...paths];
	const own = [...machine, ...parts.ownFlags, ...STRICT, ...paths, `-I${generated}`];
	// As the SDK compiles a native module: the engine by its API, which lacks an include, the SDK by its headers.
	const api = [...own, `-I${join(here, "sdk")}`, system[0] ?? "", "-include", "stddef.h"];
	const inside = [...own, ...defined, ...system];

	const units: Unit[] = [];
	const platform = includes.map((folder) => join(folder, "platform.h")).find((file) => existsSync(file));
	for (const file of filesOf(join(engine, "sources"), ".c")) {
		if (UNUSED.some((name) => file.endsWith(`/${name}`))) continue;
		const flags = [...engineFlags, ...folders.map((folder) => `-I${folder}`)];
		units.push({ file, flags, headers: platform ? [platform] : [] });
	}
	for (const file of ownC) {
		const flags = INSIDE.test(readFileSync(file, "utf8")) ? inside : api;
		units.push({ file, flags, headers });
	}
	for (const file of [join(generated, "natives.c"), ...moduleC]) units.push({ file, flags: api, headers });
	return units;
}
