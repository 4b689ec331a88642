/**
 * `ota8266 build` with folders that look as the SDK does, and a stand-in for mcconfig that links a small program:
 * what is told to mcconfig, what becomes of what it links, what is refused.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { readElf, symbolAddress } from "../../tools/elf/elf";
import { imageInfo } from "../../tools/image-info";
import { root } from "../virtual/bundle";
import { ota8266Here } from "./command-line";
import { fakeSdk } from "./fake-sdk";
import { application, eboot, oldEboot, Programs, withCompiler } from "./lx106";
import { ecPair, failure } from "./signing-bench";

const manifests = join(root, "manifests");

withCompiler("ota8266 build", () => {
	const programs = new Programs();
	const { folder } = programs;
	let count = 0;

	/** An application's folder, with this manifest and this program. */
	function write(manifest: object, main = 'import board from "board";\nexport default board;\n'): string {
		count += 1;
		const app = join(folder, `application-${count}`);
		mkdirSync(app);
		writeFileSync(join(app, "manifest.json"), JSON.stringify(manifest));
		writeFileSync(join(app, "main.ts"), main);
		return app;
	}

	const good = (config: object = { name: "lamp", version: "1.2.0" }) => ({
		include: join(manifests, "updater.json"),
		config,
		modules: { "*": "./main" },
	});

	const sdk = fakeSdk(folder);
	const before = { ...process.env };

	afterEach(() => {
		process.env = { ...before };
	});

	/** Runs it with an SDK's environment, which may be changed. */
	function run(app: string, flags: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
		const sources = JSON.stringify(application.sources);
		process.env = { ...before, ...sdk.environment, TEST_SOURCES: sources, ...environment };
		return ota8266Here("build", "--app", app, ...flags);
	}

	/** The same behind eboot. */
	function build(app: string, flags: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
		const boot = flags.includes("--bootloader") ? [] : ["--bootloader", programs.link("eboot", eboot)];
		return run(app, [...boot, ...flags], environment);
	}

	/** The manifest that the build has made around the application's. */
	function made(app: string): { config: Record<string, unknown>; defines: { ota8266: unknown } } {
		const name = readdirSync(join(app, "dist/device")).find(
			(name) => name.startsWith("lamp-") && !name.includes("."),
		);
		return JSON.parse(readFileSync(join(app, "dist/device", name ?? "", "manifest.json"), "utf8"));
	}

	const device = (app: string) =>
		readdirSync(join(app, "dist/device"))
			.filter((name) => /\.(bin|gz|signed|elf)$/.test(name))
			.sort();

	test("leaves a firmware with name and version, its program, and a compressed one", async () => {
		const app = write(good());
		const { code, stdout, stderr } = await build(app, ["--gzip"]);
		expect({ code, stderr }).toEqual({ code: 0, stderr: "Not enabling binary signing\n".repeat(2) });
		expect(device(app)).toEqual(["lamp-1.2.0.bin", "lamp-1.2.0.bin.gz", "lamp-1.2.0.elf"]);
		for (const name of ["lamp-1.2.0.bin", "lamp-1.2.0.bin.gz"]) {
			expect(imageInfo(readFileSync(join(app, "dist/device", name)))).toMatchObject({
				faults: [],
				descriptor: { name: "lamp", version: "1.2.0" },
			});
		}
		expect(made(app).config).toEqual({});
		expect(stdout).toMatch(/SDK +Moddable 8\.2\.3\n/);
		expect(stdout).toMatch(/Boot loader +eboot of Arduino core unknown, inflates gzip, /);
	});

	test("packs behind our own boot loader where no other is named, for the layout's places", async () => {
		const app = write(good());
		const { code, stdout } = await run(app, ["--layout", "nodemcu-4m-1m", "--gzip"]);
		expect(code).toBe(0);
		expect(stdout).toMatch(/Boot loader +our own, first stage \d+ bytes, second stage \d+ bytes, inflates/);
		expect(made(app).config).toEqual({});
		for (const name of ["lamp-1.2.0.bin", "lamp-1.2.0.bin.gz"]) {
			expect(imageInfo(readFileSync(join(app, "dist/device", name)))).toMatchObject({
				faults: [],
				ownBootLoader: {
					config: { previous: 0x104000, filesystem: 0x300000 },
					secondStage: { state: "whole" },
				},
			});
		}
	});

	test("signs, and embeds the public key, where both keys lie beside the manifest", async () => {
		const app = write(good());
		const pair = ecPair(folder, "p256");
		copyFileSync(pair.privateFile, join(app, "private.key"));
		copyFileSync(pair.publicFile, join(app, "public.key"));
		const { code, stderr } = await build(app);
		expect(code).toBe(0);
		expect(stderr).toContain("Signed binary: ");
		expect(device(app)).toContain("lamp-1.2.0.bin.signed");
		expect(made(app).config.publicKeys).toMatch(/^p256:[0-9a-f]{128}$/);
	});

	test("links anew for another layout, by the script of that", async () => {
		const app = write(good());
		const program = join(app, "dist/device/lamp-1.2.0.elf");
		const filesystem = async (...flags: string[]) => {
			const { code, stdout } = await build(app, flags);
			expect(code).toBe(0);
			return [
				symbolAddress(readElf(readFileSync(program)), "_SPIFFS_start"),
				/flash of (. MiB)/.exec(stdout)?.[1],
			];
		};
		expect(await filesystem()).toEqual([0x40400000, "4 MiB"]);
		expect(await filesystem("--layout", "generic-1m")).toEqual([0x402eb000, "1 MiB"]);
		const { application } = imageInfo(readFileSync(join(app, "dist/device/lamp-1.2.0.bin")));
		expect(application?.flashSize).toBe(0x100000);
	});

	test("tells the chip's C files which of several layouts for its flash it is", async () => {
		const app = write(good());
		const { code, stdout } = await build(app, ["--layout", "nodemcu-4m-1m"]);
		expect(code).toBe(0);
		expect(stdout).toContain("1048576 bytes in a flash of 4 MiB, 1040384 for an update");
		expect(made(app).defines.ota8266).toEqual({ name: "#lamp", version: "#1.2.0", filesystem_mib: 1 });
	});

	test("tells the firmware that its boot loader does not inflate, and refuses to compress for it", async () => {
		const app = write(good());
		const old = programs.link("old-eboot", oldEboot);
		const refused = await build(app, ["--bootloader", old, "--gzip"]);
		expect(failure(refused)).toContain(`${old} does not inflate a gzip`);
		expect(existsSync(join(app, "dist"))).toBe(false);
		expect((await build(app, ["--bootloader", old])).code).toBe(0);
		expect(made(app).config).toEqual({ bootLoaderInflates: false });
	});

	test("finds what is imported and in no manifest, a line each, before it compiles", async () => {
		const main = [
			'import type { Board } from "no/module/of/types";',
			'import wifi from "wifi";',
			'// import nothing from "commented";',
			'import { Signatures } from "ota/signature/signatures";',
			'import "./missing";',
		].join("\n");
		const app = write(good(), main);
		const { code, stderr } = await build(app);
		expect(code).toBe(1);
		const file = join(app, "main.ts");
		expect(stderr.trim().split("\n")).toEqual(
			["wifi", "ota/signature/signatures", "./missing"].map(
				(name) => `Imported, but in no manifest: "${name}" in ${file} (add the module to \`modules\`)`,
			),
		);
		expect(device(app)).toEqual([]);
	});

	test("leaves nothing to flash where mcconfig fails, not that of an earlier build either", async () => {
		const app = write(good());
		expect((await build(app)).code).toBe(0);
		expect(device(app)).toContain("lamp-1.2.0.bin");
		writeFileSync(join(app, "manifest.json"), JSON.stringify({ ...good(), comment: "mcconfig fails" }));
		expect(failure(await build(app))).toBe(
			"The SDK's mcconfig failed with exit code 3, its messages are above\n",
		);
		expect(device(app)).not.toContain("lamp-1.2.0.bin");
	});

	test.each([
		["no version", { name: "lamp" }, "config has no version of 1 to 32 characters"],
		["a version that is too long", { name: "lamp", version: "1".repeat(33) }, "config has no version"],
		["a name that C has no place for", { name: 'la"mp', version: "1" }, "config has no name of 1 to 24"],
	])("refuses an application with %s", async (_, config, reason) => {
		expect(failure(await build(write(good(config))))).toContain(reason);
	});

	test("refuses a layout, a folder and a boot loader that are not there", async () => {
		const app = write(good());
		expect(failure(await build(app, ["--layout", "generic-3m"]))).toMatch(
			/^generic-3m: no such layout, there are .*generic-1m.*nodemcu-4m/,
		);
		const nowhere = join(folder, "nowhere");
		expect(failure(await build(nowhere))).toBe(`${nowhere}/manifest.json: no such manifest\n`);
		expect(failure(await build(app, ["--bootloader", nowhere]))).toBe(`${nowhere}: no such file\n`);
	});

	test("says what is missing where there is no SDK, and where it is told how to set it up", async () => {
		const { code, stderr } = await build(write(good()), [], { MODDABLE: "", ESP_BASE: "" });
		expect(code).toBe(1);
		const lines = stderr.trim().split("\n");
		expect(lines.map((line) => line.split(": ").slice(0, 2).join(": "))).toEqual([
			"Cannot build: MODDABLE is not set",
			"Cannot build: ESP_BASE is not set",
		]);
		for (const line of lines) expect(line).toContain("documentation/devices/esp8266.md tells)");
	});
});
