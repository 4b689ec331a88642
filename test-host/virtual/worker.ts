/**
 * The thread that runs the application of the virtual board: a new one after each reset, so that nothing of a
 * run survives but flash and RTC memory. The application sees the SDK's modules and no Node.
 */
import { createContext, runInContext, SourceTextModule, SyntheticModule } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import shims from "virtual:shims";
import { resolveName } from "../../tools/manifest/imports";
import { installGlobals } from "../shims/globals";
import { insertChip } from "./chip";
import { Exit } from "./engine";
import { layoutFor } from "./layout";
import { NorControl, NorFlash } from "./nor";
import { RtcMemory } from "./rtc";
import { HEARTBEAT, type ThreadMessage, type ThreadStart } from "./thread";
import { SharedWords } from "./words";

const start = workerData as ThreadStart;
const tell = (message: ThreadMessage) => parentPort?.postMessage(message);

const control = new NorControl(new SharedWords(start.control));
const flash = NorFlash.open({
	file: start.flashFile,
	control,
	onPowerCut: () => process.exit(Exit.POWER_CUT),
});
setInterval(() => control.beat(), HEARTBEAT);

insertChip({
	flash,
	rtc: new RtcMemory({ buffer: start.rtc }),
	layout: layoutFor(flash.size),
	imageAddress: start.imageAddress,
	mac: start.mac,
	bootMode: start.bootMode,
	resetReason: start.resetReason,
	resources: new Map(start.resources.map(({ name, bytes }) => [name, bytes])),
	mdns: start.mdns,
	uart: (text) => tell({ uart: text }),
	listening: (protocol, port) => tell({ listening: { protocol, port } }),
	restart: () => process.exit(Exit.RESTART),
});
installGlobals();

/** Node's globals, which a device does not have: each module hides them from itself. */
const standard = new Set<string>(runInContext("Object.getOwnPropertyNames(globalThis)", createContext()));
const foreign = Object.getOwnPropertyNames(globalThis).filter(
	(name) => name !== "trace" && (name === "console" || name === "WebAssembly" || !standard.has(name)),
);
const hidden = `const ${foreign.map((name) => `${name}=undefined`).join()};`;

type AnyModule = SourceTextModule | SyntheticModule;
const modules = new Map<string, AnyModule>();
for (const { name, source } of start.modules) {
	modules.set(name, new SourceTextModule(hidden + source, { identifier: name }));
}
// Where the SDK's module or a native one has a stand-in on Node, that counts.
for (const [name, exports] of Object.entries(shims)) {
	const names = Object.keys(exports);
	const module: SyntheticModule = new SyntheticModule(
		names,
		() => {
			for (const key of names) module.setExport(key, exports[key]);
		},
		{ identifier: name },
	);
	modules.set(name, module);
}

function find(specifier: string, importer: { identifier: string }): AnyModule {
	const name = resolveName(specifier, importer.identifier);
	const module = modules.get(name);
	if (!module) throw new Error(`module not found: ${name}`);
	return module;
}

const main = find("main", { identifier: "" });
await main.link(find);
await main.evaluate();
const { default: application } = main.namespace as { default?: unknown };
if (typeof application === "function") application();
