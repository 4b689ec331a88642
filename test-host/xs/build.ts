/**
 * `npm run build:xs`: makes the host that runs applications of the virtual board in the XS engine. The engine
 * comes from npm, the rest lies here; both are kept in node_modules/.cache.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildExecutable, hashOf, type Unit } from "./compile";
import { identifiersHeader, nativesSource } from "./natives";
import { engineSources, packageKey } from "./package";

const here = import.meta.dirname;
/** Stand for the SDK's modules on Node too: in script, on other modules of the SDK. */
const shared = ["http-client.ts", "http-server.ts"].map((name) => join(here, "../shims", name));
const root = join(here, "../..");
const cache = join(root, "node_modules/.cache/ota8266-xs");

/** The chip's pointers, and with them the engine's slots, have 32 bits. */
const MACHINE = ["-m32", "-msse2", "-mfpmath=sse", "-fno-common"];
const ENGINE = [
	"INCLUDE_XSPLATFORM",
	'XSPLATFORM="platform.h"',
	"mxParse=1",
	"mxRun=1",
	"mxSloppy=1",
	"mxNoConsole=1",
	"mxMetering=1",
	"mxBoundsCheck=1",
	"mxMinusZero=1",
	"mxRegExpUnicodePropertyEscapes=1",
	"mxStringNormalize=1",
].map((definition) => `-D${definition}`);
const STRICT = ["-Wall", "-Wextra", "-Werror"];
const LINK = ["-m32", "-lm", "-lpthread"];
/** Not needed, and large. */
const UNUSED = ["xsSnapshot.c"];

/** Files that know the engine from the inside. */
const INSIDE = [
	"application.c",
	"direct.c",
	"exit.c",
	"freeze.c",
	"globals.c",
	"host.c",
	"memory.c",
	"peaks.c",
];

interface Availability {
	available: boolean;
	/** What to do where it is not. */
	why: string;
}

/** Whether the host can be built here. */
export function xsHostAvailable(): Availability {
	const options = ["-m32", "-x", "c", "-", "-o", "/dev/null"];
	const { status, error } = spawnSync("gcc", options, {
		input: "#include <stdio.h>\nint main(void) { return 0; }\n",
	});
	if (!error && status === 0) return { available: true, why: "" };
	return { available: false, why: "no 32-bit C compiler: apt-get install gcc-multilib" };
}

function filesOf(folder: string, extension: string): string[] {
	return readdirSync(folder, { recursive: true, encoding: "utf8" })
		.filter((name) => name.endsWith(extension))
		.map((name) => join(folder, name))
		.sort();
}

/** Builds the host where it is not built yet; gives the executable's path. Throws where it cannot be built. */
export async function buildXsHost(): Promise<string> {
	const { available, why } = xsHostAvailable();
	if (!available) throw new Error(why);
	const engine = engineSources(join(cache, `package-${hashOf(packageKey)}`));

	const modules = join(root, "modules");
	const ownC = filesOf(here, ".c");
	const moduleC = filesOf(modules, ".c");
	const sources = {
		scripts: filesOf(modules, ".ts"),
		hostScripts: [...filesOf(join(here, "modules"), ".js"), ...shared],
		c: [...ownC, ...moduleC],
	};
	const header = identifiersHeader(sources);
	const natives = nativesSource(sources);
	const generated = join(cache, `generated-${hashOf(header, natives)}`);
	mkdirSync(generated, { recursive: true });
	writeFileSync(join(generated, "mc.xs.h"), header);
	writeFileSync(join(generated, "natives.c"), natives);

	const platform = join(here, "platform.h");
	const headers = [...filesOf(here, ".h"), join(generated, "mc.xs.h"), ...filesOf(modules, ".h")];
	const includes = ["includes", "platforms", "sources"].map((folder) => join(engine, folder));
	const system = includes.map((folder) => `-isystem${folder}`);
	const engineFlags = [
		...MACHINE,
		"-O2",
		"-w",
		...ENGINE,
		`-I${here}`,
		...includes.map((folder) => `-I${folder}`),
	];
	const ownFlags = [...MACHINE, "-O1", "-g", "-D_GNU_SOURCE", ...STRICT, `-I${here}`, `-I${generated}`];
	// As the SDK compiles a native module: the engine by its API, which lacks an include, the SDK by its headers.
	const apiFlags = [...ownFlags, `-I${join(here, "sdk")}`, system[0] ?? "", "-include", "stddef.h"];

	const units: Unit[] = [];
	for (const file of filesOf(join(engine, "sources"), ".c")) {
		if (UNUSED.some((name) => file.endsWith(`/${name}`))) continue;
		units.push({ file, flags: engineFlags, headers: [platform] });
	}
	for (const file of ownC) {
		const inside = INSIDE.some((name) => file === join(here, name));
		units.push({ file, flags: inside ? [...ownFlags, ...ENGINE, ...system] : apiFlags, headers });
	}
	units.push({ file: join(generated, "natives.c"), flags: apiFlags, headers });
	for (const file of moduleC) units.push({ file, flags: apiFlags, headers });
	return buildExecutable(units, LINK, join(cache, "objects"));
}

if (process.argv[1] === import.meta.filename) {
	buildXsHost().then(
		(executable) => process.stdout.write(`${executable}\n`),
		(error: unknown) => {
			process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
			process.exitCode = 1;
		},
	);
}
