/** The compiler and the emulator for the ESP8266's CPU. */
import { spawnSync } from "node:child_process";

export const COMPILER = "xtensa-lx106-elf-gcc";
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

/** Why nothing can be compiled and run here, or undefined. */
export function lacks(): string | undefined {
	const compiler = spawnSync(COMPILER, [`--specs=${SPECS}`, "--version"]);
	const emulator = spawnSync(EMULATOR, ["--version"]);
	return compiler.status === 0 && emulator.status === 0
		? undefined
		: `no compiler or emulator for the lx106: ${INSTALL}`;
}
