/** The compiler and the emulator for the ESP8266's CPU. */
import { spawnSync } from "node:child_process";
import { COMPILER } from "./link";

export const SPECS = "/usr/lib/xtensa-lx106-elf/picolibc.specs";
export const EMULATOR = "qemu-system-xtensa";
const INSTALL = "apt-get install gcc-xtensa-lx106 picolibc-xtensa-lx106-elf qemu-system-misc";

/** The SDK's own flags. */
export const MACHINE: readonly string[] = [
	"-std=gnu99",
	"-Os",
	"-mlongcalls",
	"-mtext-section-literals",
	"-falign-functions=4",
	"-ffunction-sections",
	"-fdata-sections",
	"-fno-jump-tables",
	"-fno-common",
];

function runs(command: string, ...options: readonly string[]): boolean {
	return spawnSync(command, options).status === 0;
}

/** Whether the compiler is there. */
export function hasCompiler(): boolean {
	return runs(COMPILER, `--specs=${SPECS}`, "--version");
}

/** Why nothing can be compiled and run here, or undefined. */
export function lacks(): string | undefined {
	if (hasCompiler() && runs(EMULATOR, "--version")) return undefined;
	return `no compiler or emulator for the lx106: ${INSTALL}`;
}
