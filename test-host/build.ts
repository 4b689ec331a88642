/**
 * `npm run build`: the update page, the command line, the virtual board and its first firmware, for eboot and for a
 * slot, into dist/; the boot loader too where its compiler is there.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildBootLoader, hasCompiler } from "../boot/build";
import { writePage } from "../pages/build";
import { bundlePrograms, root } from "./virtual/bundle";
import { makeFirmware } from "./virtual/firmware";

const dist = join(root, "dist");
/** Where Espressif's tables have the app that boots first. */
const FIRST_SLOT = 0x10000;

export default async function build(): Promise<void> {
	mkdirSync(dist, { recursive: true });
	await writePage();
	await bundlePrograms(dist);
	// Without it what packs behind it says what to install.
	if (hasCompiler()) buildBootLoader();
	chmodSync(join(dist, "ota8266.js"), 0o755);
	writeFileSync(join(dist, "firmware.bin"), await makeFirmware());
	writeFileSync(join(dist, "firmware-slot.bin"), await makeFirmware({ slot: FIRST_SLOT }));
}

if (process.argv[1] === import.meta.filename) await build();
