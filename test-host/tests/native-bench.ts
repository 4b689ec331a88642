/** The device's own modules on a bench: scripts run in the XS engine on a chip, and what came of each. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applicationText, manifestConfig } from "../virtual/bundle";
import { decodeApplication, type Module } from "../virtual/modules";
import { type Fault, NorFlash } from "../virtual/nor";
import { RTC_LENGTH, RtcMemory } from "../virtual/rtc";
import { type Peaks, XsEngine } from "../virtual/xs-engine";
import { hasXS, xsProgram } from "./engines";
import { put } from "./temporary-flash";

/** In CI the engine has to be there: what is missing fails. */
export const skipsXS = !hasXS && !process.env.CI;
/** Behind the name of what needs the engine. */
export const xsNote = skipsXS ? " (skipped, to run it: apt-get install gcc-multilib)" : "";

export interface NativeOptions {
	/** Bytes of flash. */
	size?: number;
	/** What lies in it, by flash offset. */
	contents?: readonly (readonly [address: number, bytes: Uint8Array])[];
	faults?: readonly Fault[];
	/** Flash offset of the image that runs; 0 where not given. */
	imageAddress?: number;
	bootMode?: number;
	resetReason?: string;
	/** Imports and functions that the scripts use. */
	helpers?: string;
}

export interface Outcome {
	/** By the scripts' names: what each gave, as JSON (an ArrayBuffer as its bytes), or what it threw. */
	answers: ReadonlyMap<string, string>;
	/** Flash operations in all. */
	operations: number;
	/** What the memories hold in the end. */
	flash: Uint8Array;
	rtc: Uint8Array;
	uart: string;
	/** Undefined where the application was still running in the end. */
	exit: number | undefined;
	/** Undefined where the application was still running in the end. */
	peaks: Peaks | undefined;
}

const MAC = Uint8Array.of(0x18, 0xfe, 0x34, 0xab, 0xcd, 0xef);
const PATIENCE = 15_000;

const MAIN = (count: number) => `
	import trial from "trials";
	function tell(value) {
		if (value instanceof ArrayBuffer) value = Array.from(new Uint8Array(value));
		return value === undefined ? "undefined" : JSON.stringify(value);
	}
	export default function main() {
		for (let i = 0; i < ${count}; i++) {
			let answer;
			try {
				answer = tell(trial(i));
			} catch (error) {
				answer = error.constructor.name;
			}
			trace(i, " ", answer, "\\n");
		}
		trace("done\\n");
	}`;

/** An expression, or statements of which one returns. */
function bodyOf(script: string): string {
	return /\breturn\b/.test(script) ? script : `return ${script};`;
}

/** A function each: all in one would have the locals of all, and the device's stack has 256 slots. */
function trialsModule(scripts: readonly string[], helpers: string): Module {
	const functions = scripts.map((script) => `function () { ${bodyOf(script)} }`);
	const source = `${helpers}
		const trials = Object.freeze([${functions.join(",\n")}]);
		export default function trial(i) { return trials[i](); }`;
	return { name: "trials", preload: true, source };
}

/** Runs scripts one after the other, in one start of the device, on one chip. */
export async function runNative(
	scripts: Readonly<Record<string, string>>,
	options: NativeOptions = {},
): Promise<Outcome> {
	const { size = 0x400000, contents = [], faults = [], helpers = "" } = options;
	const { imageAddress = 0, bootMode = 3, resetReason = "Power On" } = options;
	const names = Object.keys(scripts);
	const device = decodeApplication(await applicationText(manifestConfig()), {})?.modules ?? [];
	const modules = [
		...device.filter(({ name }) => name !== "main"),
		trialsModule(Object.values(scripts), helpers),
		{ name: "main", preload: false, source: MAIN(names.length) },
	];
	const folder = mkdtempSync(join(tmpdir(), "ota8266-native-"));
	const flashFile = join(folder, "flash.bin");
	const flash = NorFlash.open({ file: flashFile, size });
	for (const [address, bytes] of contents) put(flash, address, bytes);
	let peaks: Peaks | undefined;
	const engine = new XsEngine(xsProgram, (told) => {
		peaks = told;
	});
	const control = engine.createControl();
	for (const fault of faults) control.arm(fault);
	const memory = new RtcMemory();
	let uart = "";
	let timer: NodeJS.Timeout | undefined;
	try {
		const exit = await new Promise<number | undefined>((resolve) => {
			const stop = () => run.stop().then(() => resolve(undefined));
			const run = engine.run(
				{
					modules,
					resources: [],
					flashFile,
					imageAddress,
					control,
					rtc: memory,
					mac: MAC,
					bootMode,
					resetReason,
					mdns: {},
				},
				{
					onUART(text) {
						uart += text;
						if (uart.endsWith("done\n")) stop();
					},
					onListening() {},
					onExit: resolve,
				},
			);
			timer = setTimeout(stop, PATIENCE);
		});
		const answers = new Map<string, string>();
		for (const [, index, answer = ""] of uart.matchAll(/^(\d+) (.*)$/gm)) {
			answers.set(names[Number(index)] ?? "", answer);
		}
		const rtc = new Uint8Array(RTC_LENGTH);
		memory.read(0, rtc);
		const { operations } = control;
		const cells = new Uint8Array(readFileSync(flashFile));
		return { answers, operations, flash: cells, rtc, uart, exit, peaks };
	} finally {
		clearTimeout(timer);
		flash.close();
		engine.close();
		rmSync(folder, { recursive: true });
	}
}
