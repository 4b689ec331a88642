/** The SDK's module names, each with the file that stands for it on Node. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function shimFiles(): Record<string, string> {
	const manifest = readFileSync(join(import.meta.dirname, "manifest.json"), "utf8");
	const { modules } = JSON.parse(manifest) as { modules: Record<string, string> };
	for (const [name, path] of Object.entries(modules)) modules[name] = join(import.meta.dirname, path);
	return modules;
}
