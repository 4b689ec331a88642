/** Runs a workload's script in the XS engine as the ESP8266's CPU would, in QEMU. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { importedNames, resolveName } from "../../tools/manifest/imports";
import { MODELLED, manifestModules, manifestPreload, moduleText, root } from "../virtual/bundle";
import { buildFirmware } from "../virtual/image-builder";
import type { Module, Settings } from "../virtual/modules";
import { encodeContainer } from "../virtual/xs-engine";
import { buildLx106 } from "./build";
import { EMULATOR } from "./toolchain";

const FLASH_SIZE = 0x400000;
const WORKLOADS = "test-host/lx106/workloads/";

export interface Workload {
	/** The file's name in workloads/. */
	script: string;
	settings?: Settings;
	/** Files that the script finds by the module Resource. */
	resources?: Readonly<Record<string, Uint8Array>>;
}

/** What the stretches of script took that have this name, instructions each. */
export interface Measure {
	name: string;
	/** How often there was one. */
	count: number;
	/** Of the engine, and of natives that are not named below. */
	script: number;
	/** Of the natives of modules/. */
	native: number;
	/** Of the digests' natives. */
	digest: number;
	/** Of what stands for the flash, which on the device waits instead. */
	chip: number;
	/** Bytes of C stack at most, from the event loop on. */
	stack: number;
}

export interface Run {
	/** What was traced. */
	uart: string;
	/** QEMU's exit code: the host's own. */
	exit: number | null;
	measures: ReadonlyMap<string, Measure>;
	/** Calls of each native of modules/ and of the digests, and of the SDK's functions of the flash. */
	calls: ReadonlyMap<string, number>;
}

type Event = Measure | { native: string; calls: number };

/** What measuring takes itself is measured first. */
const NOTHING = "nothing";

function mainOf(name: string): string {
	return `
		import { start, stop } from "measure";
		import run from "${name}";
		export default function main() {
			start("${NOTHING}");
			stop();
			run();
		}`;
}

/** The workload and what it imports of the device's modules, in the engine's words. */
async function modulesOf({ script, settings = {} }: Workload): Promise<Module[]> {
	const preload = manifestPreload();
	const files = new Map(manifestModules());
	files.delete(MODELLED);
	const name = WORKLOADS + script;
	files.set(name, join(root, `${name}.ts`));
	const modules: Module[] = [
		{ name: "main", preload: false, source: mainOf(name) },
		{
			name: "mc/config",
			preload: true,
			source: `export default Object.freeze(${JSON.stringify(settings)});`,
		},
	];
	const waiting = [name];
	for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
		const file = files.get(next);
		// The host has the others.
		if (file === undefined || modules.some((module) => module.name === next)) continue;
		const code = await moduleText(file);
		modules.push({ name: next, preload: preload.has(next) || next === name, source: code });
		waiting.push(...importedNames(code).map((imported) => resolveName(imported, next ?? "")));
	}
	return modules;
}

/** Runs one; several may run at a time. Throws where the program cannot be built. */
export async function run(workload: Workload): Promise<Run> {
	const { program } = await buildLx106();
	const folder = mkdtempSync(join(tmpdir(), "ota8266-lx106-"));
	try {
		const resources = Object.entries(workload.resources ?? {}).map(([name, bytes]) => ({ name, bytes }));
		writeFileSync(join(folder, "application"), encodeContainer(await modulesOf(workload), resources));
		const flash = new Uint8Array(FLASH_SIZE).fill(0xff);
		flash.set(buildFirmware({ name: "lx106", version: "1.0.0", script: "" }));
		writeFileSync(join(folder, "flash"), flash);
		return await emulate(program, folder);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

/** Without what its starts and stops took. */
function without(measure: Measure, nothing: Measure | undefined): Measure {
	return { ...measure, script: measure.script - measure.count * (nothing?.script ?? 0) };
}

function emulate(program: string, folder: string): Promise<Run> {
	const options = [
		...["-machine", "sim", "-cpu", "lx106", "-m", "96M"],
		...["-semihosting", "-nographic", "-monitor", "none", "-serial", "none"],
		// 256 ns an instruction, however fast this machine is: measures.c counts on it.
		...["-icount", "shift=8", "-kernel", program],
	];
	const child = spawn(EMULATOR, options, { cwd: folder, stdio: ["ignore", "pipe", "inherit", "pipe"] });
	let uart = "";
	const measures = new Map<string, Measure>();
	const calls = new Map<string, number>();
	child.stdout?.setEncoding("utf8").on("data", (text: string) => {
		uart += text;
	});
	createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
		const event = JSON.parse(line) as Event;
		if ("calls" in event) calls.set(event.native, event.calls);
		else measures.set(event.name, without(event, measures.get(NOTHING)));
	});
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (exit) => resolve({ uart, exit, measures, calls }));
	});
}
