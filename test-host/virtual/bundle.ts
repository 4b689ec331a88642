/** The application's modules for the virtual board, by the manifest; and the programs that Node runs. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { build, type Plugin, transform } from "esbuild";
import { shimFiles } from "../shims/names";
import { type Application, encodeApplication, type Resource, type Settings } from "./modules";

interface Manifest {
	config: Settings;
	modules: Record<string, string | string[]>;
	data?: Record<string, string | string[]>;
	preload: string[];
}

export const root = join(import.meta.dirname, "../..");

function readManifest(): Manifest {
	return JSON.parse(readFileSync(join(root, "manifest.json"), "utf8")) as Manifest;
}

/** The modules that the manifest has evaluated before the application's machine begins. */
export function manifestPreload(): ReadonlySet<string> {
	return new Set(readManifest().preload);
}

/** The application's `config` in its manifest. */
export function manifestConfig(): Settings {
	return readManifest().config;
}

/** The modules that the manifest takes from this project, names and files. The SDK's own ($(…)) are not among them. */
export function manifestModules(): [name: string, file: string][] {
	const manifest = readManifest();
	const found: [string, string][] = [];
	for (const [name, paths] of Object.entries(manifest.modules)) {
		for (const path of [paths].flat()) {
			if (path.startsWith("$(")) continue;
			const folder = join(root, dirname(path));
			for (const file of readdirSync(folder)) {
				const stem = basename(file, extname(file));
				if (extname(file) !== ".ts" || (basename(path) !== "*" && stem !== basename(path))) continue;
				found.push([name.replace("*", stem), join(folder, file)]);
			}
		}
	}
	return found;
}

/**
 * The files that a manifest's `data` names, from its folder, as mcconfig and mcrez take them: a path to a file, or
 * one whose last part ends with a star. A resource's name is the file's, whatever folders there are. Throws where
 * a path names none: mcconfig only warns.
 */
export function manifestResources({ data = {} }: Pick<Manifest, "data">, folder: string): Resource[] {
	return Object.values(data).flatMap((paths) =>
		[paths].flat().flatMap((path) => {
			const within = join(folder, dirname(path));
			const [start = "", ...more] = basename(path).split("*");
			const found = readdirSync(within, { withFileTypes: true }).filter((entry) => {
				if (!entry.isFile() || entry.name.startsWith(".")) return false;
				return more.length > 0 ? entry.name.startsWith(start) : entry.name === start;
			});
			if (found.length === 0) throw new Error(`manifest.json: data has no file ${path}`);
			return found.map(({ name }) => ({ name, bytes: new Uint8Array(readFileSync(join(within, name))) }));
		}),
	);
}

/** The application in text, each module by itself, as the SDK has it. */
export async function applicationText(config: Settings): Promise<string> {
	// mcconfig's wildcards preload modules in JavaScript only: those in TypeScript are named one by one.
	const preloaded = manifestPreload();
	const modules = await Promise.all(
		manifestModules().map(async ([name, file]) => {
			const { code } = await transform(readFileSync(file, "utf8"), {
				loader: "ts",
				format: "esm",
				target: "es2022",
				minifyWhitespace: true,
				minifySyntax: true,
				legalComments: "none",
			});
			return { name, preload: preloaded.has(name), source: code };
		}),
	);
	const resources = manifestResources(readManifest(), root);
	const application: Application = { config, modules, resources };
	return encodeApplication(application);
}

/** A module that is text made here. */
function virtualModule(name: string, contents: string): Plugin {
	return {
		name,
		setup({ onResolve, onLoad }) {
			onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: name }));
			onLoad({ filter: /.*/, namespace: name }, () => ({ contents, resolveDir: root }));
		},
	};
}

/** Node's programs into a folder: the command line, and the thread that runs an application. */
export async function bundlePrograms(outdir: string): Promise<void> {
	const names = Object.entries(shimFiles());
	const shims = `
		${names.map(([, file], i) => `import * as m${i} from ${JSON.stringify(file)};`).join("\n")}
		export default { ${names.map(([name], i) => `${JSON.stringify(name)}: m${i},`).join("\n")} };`;
	await build({
		entryPoints: {
			ota8266: join(root, "tools/ota8266.ts"),
			worker: join(root, "test-host/virtual/worker.ts"),
		},
		outdir,
		bundle: true,
		format: "esm",
		platform: "node",
		target: "node20",
		packages: "external",
		// A stand-in may stand on others.
		alias: shimFiles(),
		plugins: [virtualModule("virtual:shims", shims)],
	});
}
