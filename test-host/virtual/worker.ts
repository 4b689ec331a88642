/**
 * The thread that runs the application of the virtual board: a new one after each reset, so that nothing of a
 * run survives but flash and RTC memory. The application sees the SDK's modules and no Node.
 */
import { createContext, runInContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import shims from "virtual:shims";
import { installGlobals } from "../shims/globals";
import { insertChip } from "./chip";
import { layoutFor } from "./layout";
import { NorControl, NorFlash } from "./nor";
import { type ApplicationMessage, type ApplicationStart, Exit, HEARTBEAT, SETTINGS_MODULE } from "./protocol";
import { RtcMemory } from "./rtc";

const start = workerData as ApplicationStart;
const tell = (message: ApplicationMessage) => parentPort?.postMessage(message);

const flash = NorFlash.open({
	file: start.flashFile,
	control: new NorControl(start.flashControl),
	onPowerCut: () => process.exit(Exit.POWER_CUT),
});
const beats = new Int32Array(start.heartbeat);
setInterval(() => Atomics.add(beats, 0, 1), HEARTBEAT);

insertChip({
	flash,
	rtc: new RtcMemory({ buffer: start.rtc }),
	layout: layoutFor(flash.size),
	mac: start.mac,
	bootMode: start.bootMode,
	resetReason: start.resetReason,
	mdns: start.mdns,
	uart: (text) => tell({ uart: text }),
	listening: (protocol, port) => tell({ listening: { protocol, port } }),
	restart: () => process.exit(Exit.RESTART),
});
installGlobals();

const modules = new Map<string, unknown>(Object.entries(shims));
modules.set(SETTINGS_MODULE, start.settings);

function requireModule(name: string): unknown {
	const module = modules.get(name);
	if (!module) throw new Error(`module not found: ${name}`);
	return module;
}

/** Node's globals, which a device does not have: parameters of these names hide them from the application. */
function nodeGlobals(): string[] {
	const standard = new Set<string>(runInContext("Object.getOwnPropertyNames(globalThis)", createContext()));
	standard.delete("console");
	standard.delete("WebAssembly");
	return Object.getOwnPropertyNames(globalThis).filter((name) => name !== "trace" && !standard.has(name));
}

const application: { exports: { default?: unknown } } = { exports: {} };
const load = new Function("require", "module", "exports", ...nodeGlobals(), `"use strict";${start.script}`);
load(requireModule, application, application.exports);
if (typeof application.exports.default === "function") application.exports.default();
