/** Before the tests: builds what they run, the XS engine too where there is a compiler for it. */
import { copyFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import build from "./build";
import { buildLx106 } from "./lx106/build";
import { lacks } from "./lx106/toolchain";
import { root } from "./virtual/bundle";
import { buildXsHost, xsHostAvailable } from "./xs/build";

const program = join(root, "dist/xs-host");

/** Puts the XS engine beside the other programs. Throws where it cannot be built. */
export async function buildXS(): Promise<void> {
	// Renamed into place: a board may be running the one before.
	copyFileSync(await buildXsHost(), `${program}.new`);
	renameSync(`${program}.new`, program);
}

export default async function setup(): Promise<void> {
	await build();
	// Without its compiler its tests are skipped, and say so.
	if (process.env.CI || lacks() === undefined) await buildLx106();
	const { available, why } = xsHostAvailable();
	// In CI nothing is skipped: there what is missing fails.
	if (available || process.env.CI) {
		await buildXS();
		return;
	}
	rmSync(program, { force: true });
	process.stdout.write(`The tests on the XS engine are skipped: ${why}\n`);
}

if (process.argv[1] === import.meta.filename) await buildXS();
