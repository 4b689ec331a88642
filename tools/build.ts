/** `ota8266 build`: an application for the board, with the Moddable SDK. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { ErrorCode, UpdateError } from "../ota/errors";
import { madeManifest } from "./build/made-manifest";
import { compile, flatManifest, type Mcconfig } from "./build/mcconfig";
import { memoryRows } from "./build/memory";
import { linkedModules, missingImports } from "./build/missing-imports";
import { findSdk, INSTRUCTIONS, type Sdk } from "./build/sdk";
import { type ElfFlags, elfOptions, findElfBootLoader, readElfInput } from "./elf-input";
import { requireInflating } from "./image/boot-loader";
import { compress } from "./image/compress";
import { layoutNamed, layoutsFolder, USUAL_LAYOUT } from "./layouts";
import { readManifest } from "./manifest/manifest";
import { embeddedKeys, signBuild } from "./sign-build";
import { table } from "./table";
import { writeFileIn } from "./write-signed";

interface BuildFlags extends ElfFlags {
	app: string;
	layout: string;
	platform: string;
	debug?: boolean;
	gzip?: true | "best";
	out?: string;
}

const EXAMPLES = `
Examples:
  $ ota8266 build                                          the application in this folder
  $ ota8266 build --app examples/lamp --layout generic-1m
  $ ota8266 build --bootloader ~/Arduino/bootloaders/eboot/eboot.elf --gzip=best

MODDABLE and ESP_BASE name the SDK and its tools: ${INSTRUCTIONS}
Where private.key and public.key lie beside manifest.json the firmware takes only signed updates, and is signed.
Exit code: 0 built, 1 not built, 2 wrong usage.`;

export function buildCommand(): Command {
	const command: Command = new Command("build")
		.description("compile, link, pack and sign an application for the board, with the Moddable SDK")
		.option("--app <folder>", "where the application's manifest.json lies", ".")
		.option("--layout <name>", "how the flash is shared out: one of partitions/", USUAL_LAYOUT)
		.option("--platform <name>", "the SDK's name of the board", "esp/nodemcu")
		.option("--bootloader <file>", "eboot.elf of an Arduino core (default: our own)")
		.option("--debug", "build for the debugger")
		.addOption(new Option("--gzip [best]", "leave a compressed firmware too").choices(["best"]))
		.option("--out <folder>", "where to (default: dist/device in the application's folder)")
		.addHelpText("after", EXAMPLES)
		.action(build);
	for (const option of elfOptions) command.addOption(option);
	return command;
}

async function build(flags: BuildFlags): Promise<void> {
	const { environment, version: sdkVersion } = requireSdk();
	const manifest = resolve(flags.app, "manifest.json");
	const { config } = readManifest(manifest);
	const [name, version] = [String(config.name ?? ""), String(config.version ?? "")];
	const found = layoutNamed(flags.layout);
	const { layout } = found;
	const bootLoader = await findElfBootLoader(flags.bootloader, found);
	const out = resolve(flags.out ?? join(flags.app, "dist/device"));
	const firmware = join(out, `${fileName(`${name}-${version}${flags.debug ? "-debug" : ""}`)}.bin`);
	if (flags.gzip) requireInflating(`${firmware}.gz`, bootLoader);
	const publicKeys = await embeddedKeys(flags.app);
	const made = madeManifest({
		manifest,
		name,
		version,
		publicKeys,
		inflates: bootLoader.inflates,
		filesystemMiB: layout.filesystemMiB,
	});
	// What an earlier build has left would be taken for this one's.
	for (const file of [firmware, `${firmware}.gz`]) {
		for (const stale of [file, `${file}.signed`]) rmSync(stale, { force: true });
	}

	// mcconfig calls the application by this folder, and make takes what another one of that name has left for its own.
	const folder = `${fileName(name)}-${createHash("sha256").update(manifest).digest("hex").slice(0, 8)}`;
	const mcconfig: Mcconfig = {
		manifest: join(out, folder, "manifest.json"),
		output: join(out, "build"),
		platform: flags.platform,
		debug: flags.debug === true,
		environment: { ...environment, FLASH_LAYOUT: join(layoutsFolder, `${flags.layout}.ld`) },
	};
	mkdirSync(join(out, folder), { recursive: true });
	writeFileSync(mcconfig.manifest, made);
	const missing = missingImports(linkedModules(await flatManifest(mcconfig)));
	requireNone(missing.map((fault) => new UpdateError(ErrorCode.IMPORTS, fault)));
	const linked = await compile(mcconfig);
	const elf = firmware.replace(/\.bin$/, ".elf");
	copyFileSync(linked, elf);

	const input = await readElfInput(elf, { ...flags, layout, bootLoader });
	await writeFileIn(firmware, input.firmware);
	const rows = [["SDK", `Moddable ${sdkVersion}`], ...input.rows, ...memoryRows(elf)];
	rows.push(["Built", `${input.firmware.length} bytes, ${firmware}`]);
	await signBuild(flags.app, firmware);
	if (flags.gzip) {
		const gzip = await compress(input.firmware, flags.gzip === "best" ? "zopfli" : "zlib");
		await writeFileIn(`${firmware}.gz`, gzip);
		rows.push(["Gzip", `${gzip.length} bytes, ${firmware}.gz`]);
		await signBuild(flags.app, `${firmware}.gz`);
	}
	process.stdout.write(table(rows));
}

/** The SDK that is there. Throws UpdateError NO_SDK. */
function requireSdk(): Sdk {
	const { faults, ...sdk } = findSdk(process.env, process.platform);
	requireNone(faults.map((fault) => new UpdateError(ErrorCode.NO_SDK, fault, INSTRUCTIONS)));
	return sdk;
}

/** A text as a file may be called. */
function fileName(text: string): string {
	return text.replaceAll(/[^\w.+-]/g, "_");
}

/** Throws the last of these errors, and tells of the others before. */
function requireNone(errors: readonly UpdateError[]): void {
	const last = errors.at(-1);
	for (const { message } of errors.slice(0, -1)) process.stderr.write(`${message}\n`);
	if (last) throw last;
}
