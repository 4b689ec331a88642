/** Bundles the simulation: the firmware's own files, the SDK's modules on the bench's time, air and flash. */
import { join } from "node:path";
import { build } from "esbuild";
import { shimFiles } from "../shims/names";
import { root } from "../virtual/bundle";

const folder = import.meta.dirname;

/** In the place of what the shims import from Node, or from beside them. */
const replacements: Readonly<Record<string, string>> = {
	"node:net": "device/net.ts",
	"node:dgram": "device/dgram.ts",
	"./connection": "device/connection.ts",
};

/** Writes it to dist/; its path. */
export async function bundleSimulation(): Promise<string> {
	const outfile = join(root, "dist/bench.js");
	await build({
		entryPoints: [join(folder, "simulation.ts")],
		outfile,
		bundle: true,
		format: "esm",
		platform: "node",
		target: "node20",
		packages: "external",
		alias: {
			...shimFiles(),
			crypt: join(folder, "device/crypt.ts"),
			"embedded:storage/flash": join(folder, "device/flash.ts"),
		},
		inject: [join(folder, "device/globals.ts")],
		plugins: [
			{
				name: "bench",
				setup({ onResolve }) {
					onResolve({ filter: /^(node:net|node:dgram|\.\/connection)$/ }, ({ path, importer }) => {
						const replacement = replacements[path];
						const isShim = importer.startsWith(join(folder, "../shims"));
						return isShim && replacement ? { path: join(folder, replacement) } : undefined;
					});
				},
			},
		],
	});
	return outfile;
}
