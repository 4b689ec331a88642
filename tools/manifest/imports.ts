/** What a module imports. */

const COMMENTS = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
/** A statement of types alone leaves no import behind. */
const TYPES = /\b(?:import|export)\s+type\b[^;"']*\bfrom\s*["'][^"']+["']/g;
const IMPORTS =
	/(?:\bfrom|\bimport)\s*(?:\(\s*)?["']([^"'\n]+)["']|\b(?:require|importNow)\(\s*["']([^"'\n]+)["']/g;

/** The names in the import, export and require statements of a module in TypeScript or JavaScript, as they stand there. */
export function importedNames(source: string): string[] {
	const code = source.replace(COMMENTS, "").replace(TYPES, "");
	return [...code.matchAll(IMPORTS)].map(([, from, called]) => from ?? called ?? "");
}

/** The module's name that a specifier means in the module `importer`, as the SDK resolves it. */
export function resolveName(specifier: string, importer: string): string {
	if (!specifier.startsWith(".")) return specifier;
	const path = importer.split("/").slice(0, -1);
	for (const part of specifier.replace(/\.m?js$/, "").split("/")) {
		if (part === "..") path.pop();
		else if (part !== ".") path.push(part);
	}
	return path.join("/");
}
