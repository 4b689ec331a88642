/** The application's modules for the virtual board, by the manifest; and the programs that Node runs. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin, transform } from "esbuild";
import { fitsPath, type Paths, pairs, readManifest } from "../../tools/manifest/manifest";
import { type ModuleFile, moduleFiles } from "../../tools/manifest/modules";
import { shimFiles } from "../shims/names";
import { type Application, encodeApplication, type Resource, type Settings } from "./modules";

export const root = join(import.meta.dirname, "../..");

/** The manifest of this project's own application. */
export const ownManifest = join(root, "manifest.json");

/** The modules that a manifest has evaluated before the application's machine begins. */
export function manifestPreload(manifest = ownManifest): ReadonlySet<string> {
	return new Set(readManifest(manifest).preload);
}

/** An application's `config` in its manifest. */
export function manifestConfig(manifest = ownManifest): Settings {
	return readManifest(manifest).config;
}

/** Whether an application says in its manifest, for the C of its descriptor, that it confirms itself. */
export function manifestConfirms(manifest = ownManifest): boolean {
	const { defines } = JSON.parse(readFileSync(manifest, "utf8")) as {
		defines?: { ota8266?: { confirms?: number } };
	};
	return (defines?.ota8266?.confirms ?? 0) !== 0;
}

/** The modules in TypeScript of a manifest and of those that it includes, names and files, without the SDK's own. */
export function manifestModules(manifest = ownManifest): ModuleFile[] {
	return moduleFiles(readManifest(manifest), [".ts"]);
}

/**
 * The files that a manifest's `data` names, from its folder, as mcconfig and mcrez take them: a path to a file, or
 * one whose last part ends with a star. A resource's name is the file's, whatever folders there are. Throws where
 * a path names none: mcconfig only warns.
 */
export function manifestResources({ data }: { data?: Paths }, folder: string): Resource[] {
	return pairs(data).flatMap(([, path]) => {
		const within = resolve(folder, dirname(path));
		const found = readdirSync(within, { withFileTypes: true }).filter(
			(entry) => entry.isFile() && !entry.name.startsWith(".") && fitsPath(entry.name, path),
		);
		if (found.length === 0) throw new Error(`manifest.json: data has no file ${path}`);
		return found.map(({ name }) => ({ name, bytes: new Uint8Array(readFileSync(join(within, name))) }));
	});
}

/** Ours for the chip, over the SDK's preferences: both engines have a model of the same log, under another name. */
export const MODELLED = "embedded:storage/key-value";

/** A device's module in JavaScript, as both engines take it. */
export async function moduleText(file: string): Promise<string> {
	const { code } = await transform(readFileSync(file, "utf8"), {
		loader: "ts",
		format: "esm",
		target: "es2022",
		minifyWhitespace: true,
		minifySyntax: true,
		legalComments: "none",
	});
	return code;
}

/** An application in text, each module by itself, as the SDK has it. */
export async function applicationText(config: Settings, manifest = ownManifest): Promise<string> {
	// mcconfig's wildcards preload modules in JavaScript only: those in TypeScript are named one by one.
	const preloaded = manifestPreload(manifest);
	const files = manifestModules(manifest).filter(([name]) => name !== MODELLED);
	const modules = await Promise.all(
		files.map(async ([name, file]) => ({
			name,
			preload: preloaded.has(name),
			source: await moduleText(file),
		})),
	);
	const resources = manifestResources(readManifest(manifest), root);
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
