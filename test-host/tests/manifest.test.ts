/** Manifests of mcconfig, as the tools read them; and what their modules import. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { linkedModules, missingImports } from "../../tools/build/missing-imports";
import { importedNames } from "../../tools/manifest/imports";
import { readManifest } from "../../tools/manifest/manifest";
import { temporaryFolder } from "./signing-bench";

const temporary = temporaryFolder();

/** A folder with these files. */
function files(contents: Record<string, string | object>): string {
	const folder = mkdtempSync(join(temporary, "m-"));
	for (const [name, content] of Object.entries(contents)) {
		mkdirSync(dirname(join(folder, name)), { recursive: true });
		writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
	}
	return folder;
}

describe("a manifest", () => {
	test("has what it includes, each once, before its own, with whole paths", () => {
		const folder = files({
			"app/manifest.json": {
				include: [
					"$(MODDABLE)/examples/manifest_base.json",
					"../lib/a.json",
					"../lib/b.json",
					{ git: "https://x" },
				],
				config: { name: "app", level: 2 },
				modules: {
					"*": ["./main", "$(MODULES)/x/*"],
					sensor: { source: "./drivers/sensor", transform: "x" },
				},
				preload: "sensor",
			},
			"lib/a.json": {
				include: "./b.json",
				config: { level: 1, port: 80 },
				modules: { "a/*": "./a/*" },
				preload: ["a/one"],
			},
			"lib/b.json": { include: "./a.json", data: { "*": "./page/*" }, modules: { b: "../b" } },
		});
		expect(readManifest(join(folder, "app/manifest.json"))).toEqual({
			config: { name: "app", level: 2, port: 80 },
			modules: [
				["b", join(folder, "b")],
				["a/*", join(folder, "lib/a/*")],
				["*", join(folder, "app/main")],
				["*", "$(MODULES)/x/*"],
				["sensor", join(folder, "app/drivers/sensor")],
			],
			data: { "*": [join(folder, "lib/page/*")] },
			preload: ["a/one", "sensor"],
		});
	});

	test("that is missing, or no JSON, is told by its name", () => {
		const folder = files({ "broken.json": "{", "includes.json": { include: "./nowhere.json" } });
		expect(() => readManifest(join(folder, "broken.json"))).toThrow(`${folder}/broken.json: no manifest (`);
		expect(() => readManifest(join(folder, "includes.json"))).toThrow(
			`${folder}/nowhere.json: no such manifest`,
		);
	});
});

describe("the imports of a module", () => {
	test.each([
		['import a from "a";', ["a"]],
		["import { b } from 'b'", ["b"]],
		['import { type C } from "c";', ["c"]],
		['import "d";', ["d"]],
		['export * from "./e";', ["./e"]],
		['const f = await import("f");', ["f"]],
		['const g = require("g"), h = Modules.importNow("h");', ["g", "h"]],
		['import type { I } from "i";', []],
		['export type { J } from "j";', []],
		['import type {\n\tK,\n} from "k";\nimport l from "l";', ["l"]],
		['// import m from "m";\n/* import "n"; */\nconst url = "http://o";', []],
		['import {\n\tp,\n} from "p";', ["p"]],
	])("of %j are %j", (source, names) => {
		expect(importedNames(source)).toEqual(names);
	});
});

describe("what is imported and not linked", () => {
	const folder = files({
		"main.ts":
			'import a from "lib/a"; import config from "mc/config"; import "lib/left-out"; import "./beside";',
		"beside.js": 'import "lib/none";',
		"lib/a.ts": 'import b from "./b"; import { c } from "../beside";',
		"lib/b.ts": "",
		"lib/left-out.ts": "",
		"lib/types.d.ts": "",
	});
	const modules = linkedModules({
		modules: {
			"*": [join(folder, "main"), { source: join(folder, "beside") }],
			"lib/*": join(folder, "lib/*"),
			"~": [join(folder, "lib/left-out")],
			"gone/*": "/nowhere/*",
		},
	});

	test("is looked for in all modules of the flat manifest, without those that it leaves out", () => {
		expect(modules.map(([name]) => name).sort()).toEqual(["beside", "lib/a", "lib/b", "main"]);
	});

	test("is told with the file", () => {
		expect(missingImports(modules)).toEqual([
			`"lib/left-out" in ${join(folder, "main.ts")}`,
			`"lib/none" in ${join(folder, "beside.js")}`,
		]);
		expect(missingImports(modules, ["lib/none", "lib/left-out"])).toEqual([]);
	});
});
