import { readdirSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fitsPath, isSDKPath, type Manifest } from "./manifest";

/** A module's name and its file. */
export type ModuleFile = [name: string, file: string];

/** The name that leaves a file out of the others' stars. */
const LEFT_OUT = "~";

/**
 * The modules of a manifest whose files have one of these extensions (`.ts`), by their places: folders that are not
 * there, and the SDK's, have none.
 */
export function moduleFiles(
	{ modules }: Pick<Manifest, "modules">,
	extensions: readonly string[],
): ModuleFile[] {
	const leftOut = new Set(modules.filter(([name]) => name === LEFT_OUT).map(([, path]) => path));
	const found = modules.flatMap(([name, path]) => {
		if (name === LEFT_OUT || isSDKPath(path)) return [];
		const folder = dirname(path);
		return filesIn(folder).flatMap((file): ModuleFile[] => {
			const extension = extname(file);
			const stem = basename(file, extension);
			if (!extensions.includes(extension) || stem.endsWith(".d") || !fitsPath(stem, path)) return [];
			if (leftOut.has(join(folder, stem))) return [];
			return [[name.replace("*", stem), join(folder, file)]];
		});
	});
	// Two manifests may name the same module.
	return [...new Map(found)];
}

function filesIn(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}
