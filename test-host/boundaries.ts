/**
 * `npm run boundaries`: which way imports may run. What an update is (ota/) stands on the SDK's module names
 * alone; the device's code never sees Node; every name that it imports is one that a manifest has.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { missingImports } from "../tools/build/missing-imports";
import { importedNames } from "../tools/manifest/imports";
import { shimFiles } from "./shims/names";
import { manifestModules, manifestPreload, ownManifest, root } from "./virtual/bundle";

/** Longer device files have more than one concern. */
const LINES_MAX = 300;
/** The SDK's own, made from the manifest. */
const CONFIG = "mc/config";

/** Whether a device module that the manifest does not preload would take RAM for its code. One of types has none. */
export function takesRAM(name: string, source: string, preload: ReadonlySet<string>): boolean {
	return name !== "main" && !preload.has(name) && /^export (?!(type|interface)\b)/m.test(source);
}

/** What is wrong with the imports of a device file, given by its path in the project. */
export function violations(file: string, source: string, names: ReadonlySet<string>): string[] {
	const inOTA = file.startsWith("ota/");
	const found: string[] = [];
	for (const name of importedNames(source)) {
		const isRelative = name.startsWith(".");
		let fault: string | undefined;
		if (isRelative && inOTA && !join(dirname(file), name).startsWith("ota/")) fault = "leaves ota/";
		else if (isRelative && !inOTA && !/^(\.|\.\.|\.\.\/\.\.)\/(ota|modules)\/|^\.\/[^/]+$/.test(name))
			fault = "is no device code";
		else if (!isRelative && !names.has(name) && name !== CONFIG) fault = "is in no manifest";
		else if (!isRelative && inOTA && !/^(embedded:|timer$|crypt$)/.test(name))
			fault = "is no module for ota/";
		if (fault) found.push(`${file}: "${name}" ${fault}`);
	}
	return [...found, ...lengthFaults(file, source)];
}

/** Of a device file in TypeScript or C. */
export function lengthFaults(file: string, source: string): string[] {
	const lines = source.replace(/\n$/, "").split("\n").length;
	return lines > LINES_MAX ? [`${file}: ${lines} lines, more than ${LINES_MAX}`] : [];
}

/** What is wrong with the C of the device's modules, and of the boot loader. */
function nativeFaults(): string[] {
	return ["modules", "boot"].flatMap((folder) =>
		readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
			.filter((name) => /\.[chS]$/.test(name))
			.flatMap((name) => lengthFaults(`${folder}/${name}`, readFileSync(join(root, folder, name), "utf8"))),
	);
}

/** What is wrong with an application: its own modules, and this project's as it includes them. */
function applicationFaults(manifest: string): string[] {
	const preload = manifestPreload(manifest);
	const modules = manifestModules(manifest);
	const sdk = Object.keys(shimFiles());
	const names = new Set([...sdk, ...modules.map(([name]) => name)]);
	const missing = missingImports(modules, sdk).map((fault) => `${relative(root, manifest)} lacks ${fault}`);
	const faults = modules.flatMap(([name, path]) => {
		const file = relative(root, path);
		const source = readFileSync(path, "utf8");
		const faults = violations(file, source, names);
		if (takesRAM(name, source, preload)) faults.push(`${file}: "${name}" is not preloaded`);
		return faults;
	});
	return [...faults, ...missing];
}

/** The manifests of the applications in this project, and those that others include. */
export function applicationManifests(): string[] {
	const examples = readdirSync(join(root, "examples"), { withFileTypes: true });
	const folders = examples.filter((entry) => entry.isDirectory()).map(({ name }) => name);
	const included = readdirSync(join(root, "manifests")).map((name) => join(root, "manifests", name));
	return [ownManifest, ...included, ...folders.map((name) => join(root, "examples", name, "manifest.json"))];
}

if (process.argv[1] === import.meta.filename) {
	const manifests = applicationManifests();
	const found = new Set([...manifests.flatMap(applicationFaults), ...nativeFaults()]);
	for (const violation of found) process.stderr.write(`${violation}\n`);
	process.stdout.write(
		`${manifestModules().length} device modules, ${manifests.length} manifests, ${found.size} boundary violations\n`,
	);
	process.exitCode = found.size === 0 ? 0 : 1;
}
