/** `npm run page:flash`: the page that flashes boards by cable, into docs/flash, where people find it built. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { minify, script, style } from "../build";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "docs/flash");

/** What of other makers is in the page. */
const packages = ["esptool-js", "pako", "atob-lite"];

/** The stubs of other chips, which are half of esptool-js, stay out. */
const oneChip: Plugin = {
	name: "one chip",
	setup({ onLoad }) {
		onLoad({ filter: /stub_flasher[/\\]esp32[^/\\]*\.json$/ }, () => ({ contents: "{}", loader: "json" }));
	},
};

/** The files of docs/flash, by their names. */
export async function flashPage(): Promise<Map<string, string>> {
	const html = minify(readFileSync(join(import.meta.dirname, "flash.html"), "utf8"));
	const [css, js] = await Promise.all([style(), script("flash/flash.ts", [oneChip])]);
	const page = html
		.replace('<link rel="stylesheet" href="update.css">', () => `<style>${css}</style>`)
		// A script ends at the first such tag, in a string too.
		.replace(
			'<script src="flash.ts"></script>',
			() => `<script>${js.replaceAll("</script", "<\\/script")}</script>`,
		);
	return new Map([
		["index.html", `${page}\n`],
		["LICENSES.txt", licences()],
	]);
}

function licences(): string {
	return packages
		.map((name) => {
			const path = join(root, "node_modules", name);
			const { version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as { version: string };
			return `${name} ${version}\n\n${licence(path)}`;
		})
		.join(`\n${"=".repeat(78)}\n\n`);
}

function licence(path: string): string {
	for (const name of ["LICENSE", "LICENSE.md"]) {
		try {
			return readFileSync(join(path, name), "utf8");
		} catch {
			// The other name.
		}
	}
	throw new Error(`${path} has no licence`);
}

if (process.argv[1] === import.meta.filename) {
	mkdirSync(folder, { recursive: true });
	for (const [name, text] of await flashPage()) {
		writeFileSync(join(folder, name), text);
		process.stdout.write(`docs/flash/${name}: ${Buffer.byteLength(text)} bytes\n`);
	}
}
