/**
 * `npm run build:xs`: makes the host that runs applications of the virtual board in the XS engine. The engine
 * comes from npm, the rest lies here; both are kept in node_modules/.cache.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildExecutable } from "./compile";
import { cache, filesOf, prepare, root, unitsOf } from "./units";

const here = import.meta.dirname;
/** Stand for the SDK's modules on Node too: in script, on other modules of the SDK. */
const shared = ["http-client.ts", "http-server.ts"].map((name) => join(here, "../shims", name));

/** The chip's pointers, and with them the engine's slots, have 32 bits. */
const MACHINE = ["-m32", "-msse2", "-mfpmath=sse", "-fno-common"];
const LINK = ["-m32", "-lm", "-lpthread"];

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

/** Builds the host where it is not built yet; gives the executable's path. Throws where it cannot be built. */
export async function buildXsHost(): Promise<string> {
	const { available, why } = xsHostAvailable();
	if (!available) throw new Error(why);
	const modules = join(root, "modules");
	const ownC = filesOf(here, ".c");
	const moduleC = filesOf(modules, ".c");
	const prepared = prepare({
		scripts: filesOf(modules, ".ts"),
		hostScripts: [...filesOf(join(here, "modules"), ".js"), ...shared],
		c: [...ownC, ...moduleC],
	});
	const units = unitsOf({
		...prepared,
		ownC,
		moduleC,
		includes: [here],
		machine: MACHINE,
		engineFlags: ["-O2"],
		ownFlags: ["-O1", "-g", "-D_GNU_SOURCE"],
		definitions: ["-DmxMetering=1"],
	});
	return buildExecutable({ compiler: "gcc", units, link: LINK }, join(cache, "objects"));
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
