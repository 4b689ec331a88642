/**
 * Stands for the SDK's mcconfig where there is no SDK: takes its arguments, leaves its files, and like its makefile
 * links only where main.bin is missing. The program that it links is a test's, not the application.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { isSDKPath, readManifest } from "../../tools/manifest/manifest";
import shims from "../shims/manifest.json";
import { link } from "./link";

interface MadeManifest {
	include: string;
	defines: { ota8266: Record<string, string | number> };
}

const { values, positionals } = parseArgs({
	options: {
		m: { type: "boolean", short: "m", default: false },
		d: { type: "boolean", short: "d", default: false },
		p: { type: "string", short: "p", default: "" },
		t: { type: "string", short: "t" },
		o: { type: "string", short: "o", default: "" },
	},
	allowPositionals: true,
});
const [file = ""] = positionals;
const { include, defines } = JSON.parse(readFileSync(file, "utf8")) as MadeManifest;
const { modules } = readManifest(file);
if (/mcconfig fails/.test(readFileSync(include, "utf8"))) process.exit(3);

const folder = (kind: string) =>
	join(values.o, kind, values.p, values.d ? "debug" : "release", basename(dirname(file)));
const [tmp, bin] = [folder("tmp"), folder("bin")];
mkdirSync(tmp, { recursive: true });
mkdirSync(bin, { recursive: true });

const paths: Record<string, string[]> = {};
for (const [name, path] of modules) if (!isSDKPath(path)) paths[name] = [...(paths[name] ?? []), path];
// The SDK's modules, by the names that the shims have, are empty here.
for (const name of Object.keys(shims.modules)) {
	const path = join(tmp, name.replaceAll(/\W/g, "-"));
	writeFileSync(`${path}.js`, "");
	paths[name] ??= [path];
}
writeFileSync(join(tmp, "manifest_flat.json"), JSON.stringify({ modules: paths }));

if (values.m && !existsSync(join(bin, "main.bin"))) {
	const lines = Object.entries(defines.ota8266).map(
		([name, value]) =>
			`#define MODDEF_OTA8266_${name.toUpperCase()} ${typeof value === "string" ? `"${value.slice(1)}"` : value}\n`,
	);
	writeFileSync(join(tmp, "mc.defines.h"), lines.join(""));
	const sources = JSON.parse(process.env.TEST_SOURCES ?? "[]") as string[];
	link(tmp, "main", { sources, includes: tmp, script: process.env.FLASH_LAYOUT ?? "" });
	writeFileSync(join(bin, "main.bin"), "");
}
