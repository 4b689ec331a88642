/** What the SDK's build for the ESP8266 needs on this machine, and whether it is there. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { coreVersion, sdkCore } from "../arduino-core";

export const INSTRUCTIONS =
	"https://github.com/Moddable-OpenSource/moddable/blob/public/documentation/devices/esp8266.md";

/** Of the Moddable SDK: the least that has what we use, and one major version only. */
const SDK_MAJOR = 8;
const SDK_MINOR_MIN = 2;
/** Espressif's SDK within the Arduino core 2.3.0; its platform.txt tells another version in git than in releases. */
const CORE_SDK = "1.5.3";
/** The SDK's generated configuration wants what this version brought. */
const TYPESCRIPT_MIN = 6;
const GCC = "xtensa-lx106-elf/bin/xtensa-lx106-elf-gcc";
const hosts: Readonly<Record<string, { uname: string; tools: string }>> = {
	linux: { uname: "Linux", tools: "lin" },
	darwin: { uname: "Darwin", tools: "mac" },
};

export interface Sdk {
	/** Of the Moddable SDK. */
	version: string;
	/** For its programs. */
	environment: NodeJS.ProcessEnv;
}

/** Looks for the SDK and all that it builds with. `faults` tells what is missing or wrong, a line each. */
export function findSdk(environment: NodeJS.ProcessEnv, platform: string): Sdk & { faults: string[] } {
	const faults: string[] = [];
	const host = hosts[platform];
	if (!host) faults.push(`the build runs on Linux and macOS, not on ${platform}`);
	const { MODDABLE, ESP_BASE } = environment;
	const version = moddableFault(MODDABLE, faults);
	const programs = MODDABLE ? join(MODDABLE, "build/bin", host?.tools ?? "", "release") : "";
	const path = [programs, environment.PATH ?? ""].filter((folder) => folder !== "").join(delimiter);
	if (MODDABLE) {
		for (const name of ["mcconfig", "xsc", "xsl", "xsid", "mcrez"]) {
			if (!onPath(name, path))
				faults.push(`${name} is neither in ${programs} nor on the PATH: build the SDK's tools`);
		}
	}
	if (!ESP_BASE) faults.push("ESP_BASE is not set: it is the folder of the ESP8266's tools");
	else if (!existsSync(ESP_BASE)) faults.push(`ESP_BASE: there is no folder ${ESP_BASE}`);
	else {
		coreFault(sdkCore(environment) ?? "", faults);
		rtosFault(environment.ESPRESSIF_SDK_ROOT ?? join(ESP_BASE, "ESP8266_RTOS_SDK"), faults);
		const toolchain = environment.TOOLS_ROOT ?? join(ESP_BASE, "toolchain", host?.uname ?? "");
		if (!existsSync(join(toolchain, GCC)))
			faults.push(`the chip's compiler is missing: ${join(toolchain, GCC)}`);
	}
	for (const name of ["make", "python", "perl"]) {
		if (!onPath(name, path)) faults.push(`${name} is not on the PATH`);
	}
	// esptool, which ends the SDK's build, imports it.
	if (onPath("python", path) && spawnIn(path, "python", "-c", "import serial").status !== 0) {
		faults.push("python has no pyserial: pip install pyserial");
	}
	typescriptFault(path, faults);
	return { version, environment: { ...environment, PATH: path }, faults };
}

/** The version of the Moddable SDK, empty where there is none. */
function moddableFault(folder: string | undefined, faults: string[]): string {
	if (!folder) {
		faults.push("MODDABLE is not set: it is the folder of the Moddable SDK");
		return "";
	}
	const version = text(join(folder, "tools/VERSION")).trim();
	const [major = 0, minor = 0] = version.split(".").map(Number);
	if (version === "")
		faults.push(`MODDABLE: ${folder} has no Moddable SDK of ${SDK_MAJOR}.${SDK_MINOR_MIN} or newer`);
	else if (major !== SDK_MAJOR || minor < SDK_MINOR_MIN) {
		faults.push(
			`MODDABLE: version ${version} in ${folder}, wanted is ${SDK_MAJOR}.${SDK_MINOR_MIN} or newer`,
		);
	}
	return version;
}

function coreFault(folder: string, faults: string[]): void {
	if (!existsSync(folder)) faults.push(`the ESP8266 Arduino core 2.3.0 is missing: ${folder}`);
	else if (!text(join(folder, "tools/sdk/version")).startsWith(CORE_SDK)) {
		faults.push(`the Arduino core in ${folder} is ${coreVersion(folder)}, the SDK builds with 2.3.0`);
	}
}

/** It tells its version nowhere: 3.2 was the first whose newlib has a CMakeLists.txt, 3.3 the first with version.cmake. */
function rtosFault(folder: string, faults: string[]): void {
	const newlib = join(folder, "components/newlib");
	if (!existsSync(newlib)) faults.push(`ESP8266_RTOS_SDK 3.2 is missing: ${folder}`);
	else if (!existsSync(join(newlib, "CMakeLists.txt")))
		faults.push(`${folder} is older than 3.2: check out release/v3.2`);
	else if (existsSync(join(folder, "tools/cmake/version.cmake"))) {
		faults.push(`${folder} is newer than 3.2: check out release/v3.2`);
	}
}

function typescriptFault(path: string, faults: string[]): void {
	if (!onPath("tsc", path)) {
		faults.push(`tsc is not on the PATH: npm install --global typescript, ${TYPESCRIPT_MIN} or newer`);
		return;
	}
	const { stdout = "" } = spawnIn(path, "tsc", "--version");
	const version = /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "unknown";
	if (!(Number.parseInt(version, 10) >= TYPESCRIPT_MIN)) {
		faults.push(`tsc is TypeScript ${version}, the SDK wants ${TYPESCRIPT_MIN} or newer`);
	}
}

function spawnIn(path: string, program: string, ...args: readonly string[]) {
	return spawnSync(program, args, { encoding: "utf8", env: { ...process.env, PATH: path } });
}

function onPath(name: string, path: string): boolean {
	return path.split(delimiter).some((folder) => {
		try {
			accessSync(join(folder, name), constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}

function text(file: string): string {
	return existsSync(file) ? readFileSync(file, "utf8") : "";
}
