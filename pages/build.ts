/** `npm run page`: the page that the board serves at /update, as one file, into dist/page. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin, transform } from "esbuild";

/** Bytes as gzip: it lies in the board's flash, and goes out from there over a slow link. */
export const PAGE_MAX = 6_144;

const folder = import.meta.dirname;
export const pageFile = join(folder, "../dist/page/update.html.gz");

/** Browsers of 2021. */
const TARGET = ["chrome91", "firefox89", "safari14.1"];

/** update.css, as small as it gets. */
export async function style(): Promise<string> {
	const source = readFileSync(join(folder, "update.css"), "utf8");
	const { code } = await transform(source, { loader: "css", minify: true, target: TARGET });
	// Names of custom properties become one letter, which esbuild leaves as they are.
	const names = [...new Set(code.match(/--[\w-]+/g))];
	return code
		.trim()
		.replace(
			/(--[\w-]+)(: )?/g,
			(_, name, colon) => `--${(names.indexOf(name) + 10).toString(36)}${colon ? ":" : ""}`,
		);
}

/** A page's script and what it imports, as small as it gets. */
export async function script(entry: string, plugins: Plugin[] = []): Promise<string> {
	const { outputFiles } = await build({
		entryPoints: [join(folder, entry)],
		plugins,
		bundle: true,
		minify: true,
		format: "iife",
		charset: "utf8",
		target: TARGET,
		tsconfig: join(folder, "tsconfig.json"),
		write: false,
	});
	return outputFiles.map(({ text }) => text.trim()).join("");
}

/** Without comments; white space is one space, and none between two tags. */
export function minify(html: string): string {
	return html
		.replace(/<!--.*?-->/gs, "")
		.replace(/\s+/g, " ")
		.replace(/> </g, "><")
		.trim();
}

/** The page as text, with its style and its script in it. */
export async function pageText(): Promise<string> {
	const html = minify(readFileSync(join(folder, "update.html"), "utf8"));
	const [css, js] = await Promise.all([style(), script("update.ts")]);
	return html
		.replace('<link rel="stylesheet" href="update.css">', () => `<style>${css}</style>`)
		.replace('<script src="update.ts"></script>', () => `<script>${js}</script>`);
}

/** The page as the board has it: gzip. Throws when it has become too large. */
export async function buildPage(): Promise<Uint8Array> {
	const page = gzipSync(await pageText(), { level: 9 });
	if (page.length > PAGE_MAX) throw new Error(`pages/: ${page.length} bytes, more than ${PAGE_MAX}`);
	return page;
}

/** Writes the page to `pageFile`. Returns its bytes. */
export async function writePage(): Promise<number> {
	const page = await buildPage();
	mkdirSync(join(folder, "../dist/page"), { recursive: true });
	writeFileSync(pageFile, page);
	return page.length;
}

if (process.argv[1] === import.meta.filename) {
	process.stdout.write(`${pageFile}: ${await writePage()} bytes of at most ${PAGE_MAX}\n`);
}
