import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ErrorCode, UpdateError } from "../../ota/errors";
import type { FlatManifest } from "./missing-imports";

export interface Mcconfig {
	/** The manifest that the build has made: its folder's name is the application's for mcconfig. */
	manifest: string;
	/** Where mcconfig puts all that it makes. */
	output: string;
	/** `esp/nodemcu`, or another board of the SDK. */
	platform: string;
	debug: boolean;
	environment: NodeJS.ProcessEnv;
}

/** The manifest with all that it includes, as mcconfig merges them. Throws UpdateError MCCONFIG. */
export async function flatManifest(options: Mcconfig): Promise<FlatManifest> {
	await run(options, []);
	const file = join(folder(options, "tmp"), "manifest_flat.json");
	return JSON.parse(readFileSync(file, "utf8")) as FlatManifest;
}

/** Compiles and links; gives the ELF file. Throws UpdateError MCCONFIG. */
export async function compile(options: Mcconfig): Promise<string> {
	// Make does not know that the linker script is part of the program: without its target it links anew.
	rmSync(join(folder(options, "bin"), "main.bin"), { force: true });
	const elf = join(folder(options, "tmp"), "main.elf");
	rmSync(elf, { force: true });
	await run(options, ["-m"]);
	return elf;
}

function folder({ output, platform, debug, manifest }: Mcconfig, kind: "bin" | "tmp"): string {
	return join(output, kind, platform, debug ? "debug" : "release", basename(dirname(manifest)));
}

async function run(
	{ manifest, output, platform, debug, environment }: Mcconfig,
	more: string[],
): Promise<void> {
	mkdirSync(output, { recursive: true });
	const args = [...more, ...(debug ? ["-d"] : []), "-p", platform, "-t", "build", "-o", output, manifest];
	const child = spawn("mcconfig", args, { env: environment, stdio: ["ignore", "inherit", "inherit"] });
	const [code] = await once(child, "close");
	if (code !== 0) throw new UpdateError(ErrorCode.MCCONFIG, String(code));
}
