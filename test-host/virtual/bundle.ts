/** Bundles the application for the virtual board, and the virtual board itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { shimFiles } from "../shims/names";
import { SETTINGS_MODULE } from "./protocol";

interface Manifest {
	config?: Record<string, string | number | boolean>;
}

export const root = join(import.meta.dirname, "../..");

/** The application's `config` in its manifest. */
export function manifestConfig(): Record<string, string | number | boolean> {
	const manifest = JSON.parse(readFileSync(join(root, "manifest.json"), "utf8")) as Manifest;
	return manifest.config ?? {};
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

/**
 * The application as one script: the SDK's modules stay outside, `mc/config` is baked in as on the device. The
 * board may override settings, as if they had been built in.
 */
export async function bundleApplication(config: Record<string, string | number | boolean>): Promise<string> {
	const settings = `
		import overrides from ${JSON.stringify(SETTINGS_MODULE)};
		export default Object.freeze({ ...${JSON.stringify(config)}, ...overrides });`;
	const result = await build({
		entryPoints: [join(root, "main.ts")],
		bundle: true,
		write: false,
		format: "cjs",
		target: "es2022",
		minify: true,
		legalComments: "none",
		external: [...Object.keys(shimFiles()), SETTINGS_MODULE],
		plugins: [virtualModule("mc/config", settings)],
	});
	return result.outputFiles[0]?.text ?? "";
}

/** Node's programs into dist/: the command line, and the thread that runs the application. */
export async function bundlePrograms(outdir: string): Promise<void> {
	const names = Object.entries(shimFiles());
	// What the application requires is its import's default, where there is one: so Node and esbuild see CommonJS.
	const shims = `
		${names.map(([, file], i) => `import * as m${i} from ${JSON.stringify(file)};`).join("\n")}
		const required = (module) => module.default ?? module;
		export default {
			${names.map(([name], i) => `${JSON.stringify(name)}: required(m${i}),`).join("\n")}
		};`;
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
		external: ["vitest"],
		plugins: [virtualModule("virtual:shims", shims)],
	});
}
