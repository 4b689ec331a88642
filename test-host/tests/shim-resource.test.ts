/** The stand-ins for the SDK's module Resource: the same expressions on both engines. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileFunction } from "node:vm";
import { describe, expect, onTestFinished, test } from "vitest";
import { installGlobals } from "../shims/globals";
import Resource from "../shims/resource";
import { manifestResources } from "../virtual/bundle";
import { type EngineName, engines } from "./engines";
import { chipForTest } from "./shim-bench";
import { container, main, start } from "./xs-bench";

const FILES = [
	{ name: "hello.txt", bytes: new Uint8Array(Buffer.from("hello world")) },
	{ name: "page.html.gz", bytes: Uint8Array.of(0x1f, 0x8b, 0, 255) },
	{ name: "empty", bytes: new Uint8Array(0) },
	{ name: "large", bytes: new Uint8Array(200_000).fill(7) },
];

/** What the body traces where those files are. */
async function traced(engine: EngineName, body: string): Promise<string> {
	if (engine === "xs") {
		const application = main(`${body}\ntrace("end");`, 'import Resource from "Resource";');
		const host = start(container([application], FILES));
		await host.says("end");
		return host.uart().slice(0, -3);
	}
	let uart = "";
	const resources = new Map(FILES.map(({ name, bytes }) => [name, bytes]));
	chipForTest({
		resources,
		uart: (text) => {
			uart += text;
		},
	});
	installGlobals();
	compileFunction(body, ["Resource"])(Resource);
	return uart;
}

describe.each(engines)("a resource on %s", (engine: EngineName) => {
	const value = (expression: string) => traced(engine, `trace(${expression});`);
	const textOf = (slice: string) => value(`String.fromArrayBuffer(new Resource("hello.txt").${slice}) + "|"`);
	const errorOf = (expression: string) =>
		traced(engine, `try { ${expression}; trace("nothing"); } catch (e) { trace(e.constructor.name); }`);

	test("is found by its whole name", async () => {
		const names = '["hello.txt", "page.html.gz", "empty", "page.html", "", "constructor"]';
		expect(await value(`${names}.map((name) => Resource.exists(name))`)).toBe(
			"true,true,true,false,false,false",
		);
	});

	test("that is missing is a URIError, no name a SyntaxError, a symbol a TypeError", async () => {
		expect(await errorOf('new Resource("nothing")')).toBe("URIError");
		expect(await errorOf("new Resource()")).toBe("SyntaxError");
		expect(await errorOf("Resource.exists()")).toBe("SyntaxError");
		expect(await errorOf("new Resource(Symbol())")).toBe("TypeError");
	});

	test("knows its length, and gives its bytes", async () => {
		expect(await value('new Resource("page.html.gz").byteLength')).toBe("4");
		expect(await value('new Uint8Array(new Resource("page.html.gz").slice(0))')).toBe("31,139,0,255");
		expect(await value('new Resource("empty").slice().byteLength')).toBe("0");
	});

	test.each([
		["slice()", "hello world"],
		["slice(6)", "world"],
		["slice(0, 5)", "hello"],
		["slice(6, 100)", "world"],
		["slice(-3)", "hello world"],
		["slice('6', 8.9)", "wo"],
		["slice(5, 2)", ""],
		["slice(2, -1)", ""],
		["slice(11)", ""],
		["slice(20, 15)", ""],
		["slice(undefined, undefined)", ""],
	])("%s of hello world is %j", async (slice, text) => {
		expect(await textOf(slice)).toBe(`${text}|`);
	});

	test.each(["slice(12)", "slice(12, 12)", "slice(12, 20)"])(
		"%s of eleven bytes is a RangeError",
		async (slice) => {
			expect(await errorOf(`new Resource("hello.txt").${slice}`)).toBe("RangeError");
		},
	);

	test("gives a copy: changing it changes no other", async () => {
		const body = `const it = new Resource("hello.txt");
			new Uint8Array(it.slice()).fill(0);
			trace(String.fromArrayBuffer(it.slice()));`;
		expect(await traced(engine, body)).toBe("hello world");
	});

	test("takes no memory for what is not read of it", async () => {
		expect(await value('new Uint8Array(new Resource("large").slice(199_996))')).toBe("7,7,7,7");
	});

	test("refuses another receiver", async () => {
		expect(await errorOf("Resource.prototype.slice.call({})")).toBe("SyntaxError");
	});
});

describe("the manifest's data", () => {
	const folder = () => {
		const path = mkdtempSync(join(tmpdir(), "ota8266-data-"));
		onTestFinished(() => rmSync(path, { recursive: true }));
		mkdirSync(join(path, "page/within"), { recursive: true });
		for (const name of ["update.html.gz", "update.css", "other.txt", ".hidden"])
			writeFileSync(join(path, "page", name), name);
		return path;
	};
	const names = (data: Record<string, string | string[]>) =>
		manifestResources({ data }, folder()).map(({ name, bytes }) => {
			expect(Buffer.from(bytes).toString()).toBe(name);
			return name;
		});

	test("names files, or all of a folder that begin so; hidden ones and folders are none", () => {
		expect(names({ "*": "./page/update.html.gz" })).toEqual(["update.html.gz"]);
		expect(names({ "*": ["./page/update*", "./page/other.txt"] }).sort()).toEqual([
			"other.txt",
			"update.css",
			"update.html.gz",
		]);
		expect(names({ "*": "./page/*" }).sort()).toEqual(["other.txt", "update.css", "update.html.gz"]);
	});

	test("is a name each, without folders", () => {
		expect(names({ "web/*": "./page/other.txt" })).toEqual(["other.txt"]);
	});

	test("may be missing, but not name what is missing", () => {
		expect(manifestResources({}, "/nowhere")).toEqual([]);
		expect(() => names({ "*": "./page/nothing.html" })).toThrow("data has no file ./page/nothing.html");
	});
});
