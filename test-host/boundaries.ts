/**
 * `npm run boundaries`: which way imports may run. What an update is (ota/) stands on the SDK's module names
 * alone; the device's code never sees Node; every name that it imports is one that a manifest has.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shimFiles } from "./shims/names";

/** Longer device files have more than one concern. */
const LINES_MAX = 300;
/** The SDK's own, made from the manifest. */
const CONFIG = "mc/config";

/** What is wrong with the imports of a device file, given by its path in the project. */
export function violations(file: string, source: string, names: ReadonlySet<string>): string[] {
	const inOTA = file.startsWith("ota/");
	const found: string[] = [];
	for (const [, from, bare] of source.matchAll(
		/(?:\bfrom|\bimport)\s*(?:\(\s*)?"([^"]+)"|\brequire\("([^"]+)"\)/g,
	)) {
		const name = from ?? bare ?? "";
		const relative = name.startsWith(".");
		let fault: string | undefined;
		if (relative && inOTA && !name.startsWith("./")) fault = "leaves ota/";
		else if (relative && !inOTA && !/^(\.|\.\.|\.\.\/\.\.)\/(ota|modules)\/|^\.\/[^/]+$/.test(name))
			fault = "is no device code";
		else if (!relative && !names.has(name) && name !== CONFIG) fault = "is in no manifest";
		else if (!relative && inOTA && !/^(embedded:|timer$|crypt$)/.test(name)) fault = "is no module for ota/";
		if (fault) found.push(`${file}: "${name}" ${fault}`);
	}
	const lines = source.split("\n").length;
	if (lines > LINES_MAX) found.push(`${file}: ${lines} lines, more than ${LINES_MAX}`);
	return found;
}

/** The device's TypeScript files, as paths in the project. */
export function deviceFiles(root: string): string[] {
	const files = ["main.ts"];
	for (const folder of ["ota", "modules"]) {
		try {
			for (const file of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
				if (file.endsWith(".ts")) files.push(`${folder}/${file}`);
			}
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
		}
	}
	return files;
}

if (process.argv[1] === import.meta.filename) {
	const root = join(import.meta.dirname, "..");
	const names = new Set(Object.keys(shimFiles()));
	const files = deviceFiles(root);
	const found = files.flatMap((file) => violations(file, readFileSync(join(root, file), "utf8"), names));
	for (const violation of found) process.stderr.write(`${violation}\n`);
	process.stdout.write(`${files.length} device files, ${found.length} boundary violations\n`);
	process.exitCode = found.length === 0 ? 0 : 1;
}
