/** Imports of modules that no manifest has: mcconfig links them all the same, and the board stops at them. */
import { readFileSync } from "node:fs";
import { importedNames, resolveName } from "../manifest/imports";
import { type Paths, pairs } from "../manifest/manifest";
import { type ModuleFile, moduleFiles } from "../manifest/modules";

/** What mcconfig writes beside its makefile: the manifest with all that it includes, its paths whole. */
export interface FlatManifest {
	modules: Paths;
}

/** Modules that mcconfig makes. */
const MADE: readonly string[] = ["mc/config"];

/** The modules in script of a flat manifest. */
export function linkedModules({ modules }: FlatManifest): ModuleFile[] {
	return moduleFiles({ modules: pairs(modules) }, [".ts", ".js", ".mjs"]);
}

/** The imports that none of the modules answers, and none of the `others` by its name, a line each. */
export function missingImports(modules: readonly ModuleFile[], others: readonly string[] = []): string[] {
	const names = new Set([...MADE, ...others, ...modules.map(([name]) => name)]);
	const missing = modules.flatMap(([importer, file]) =>
		importedNames(readFileSync(file, "utf8"))
			.filter((name) => !names.has(resolveName(name, importer)))
			.map((name) => `"${name}" in ${file}`),
	);
	return [...new Set(missing)];
}
