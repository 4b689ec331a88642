/** Folders that look as the Moddable SDK and what it builds with do, where there is none. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { root } from "../virtual/bundle";

const PROGRAMS = ["make", "perl"];
const TOOLS = ["xsc", "xsl", "xsid", "mcrez"];

export interface FakeSdk {
	folder: string;
	/** The variables that name it, and a path with its programs only. */
	environment: NodeJS.ProcessEnv;
	/** Writes one of its files anew. */
	write(file: string, text: string): void;
}

/** An SDK in which nothing is missing, within `folder`; on Linux's names. */
export function fakeSdk(folder: string): FakeSdk {
	const sdk = mkdtempSync(join(folder, "sdk-"));
	const write = (file: string, text: string) => {
		mkdirSync(dirname(join(sdk, file)), { recursive: true });
		writeFileSync(join(sdk, file), text);
	};
	const program = (file: string, text = "exit 1") => {
		write(file, `#!/bin/sh\n${text}\n`);
		chmodSync(join(sdk, file), 0o755);
	};
	const tools = "moddable/build/bin/lin/release";
	write("moddable/tools/VERSION", "8.2.3\n");
	for (const name of TOOLS) program(`${tools}/${name}`);
	const mcconfig = join(sdk, "mcconfig.mjs");
	const from = join(root, "test-host/lx106");
	buildSync({
		entryPoints: [join(from, "mcconfig.ts")],
		outfile: mcconfig,
		bundle: true,
		format: "esm",
		platform: "node",
		define: { "import.meta.dirname": JSON.stringify(from) },
	});
	program(`${tools}/mcconfig`, `exec '${process.execPath}' '${mcconfig}' "$@"`);
	for (const name of PROGRAMS) program(`bin/${name}`);
	program("bin/python", "exit 0");
	program("bin/tsc", "echo Version 7.0.2");
	write("esp/esp8266-2.3.0/tools/sdk/version", "1.5.3_16_04_18");
	write("esp/ESP8266_RTOS_SDK/components/newlib/CMakeLists.txt", "");
	write("esp/toolchain/Linux/xtensa-lx106-elf/bin/xtensa-lx106-elf-gcc", "");
	// What the linker of the tests needs beside.
	for (const name of ["sh", "env", "xtensa-lx106-elf-gcc"]) {
		const real = ["/usr/bin", "/bin"].map((place) => join(place, name)).find(existsSync);
		if (real) symlinkSync(real, join(sdk, "bin", name));
	}
	const environment = {
		MODDABLE: join(sdk, "moddable"),
		ESP_BASE: join(sdk, "esp"),
		PATH: join(sdk, "bin"),
		HOME: sdk,
	};
	return { folder: sdk, environment, write };
}
