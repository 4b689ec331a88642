/** `npm run firmware`: makes a firmware file for the virtual board out of main.ts and the manifest. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { VERSION_LENGTH } from "../../ota/descriptor";
import { UpdateError } from "../../ota/errors";
import { SECTOR } from "../../ota/image";
import { flashSizes } from "../../tools/option-values";
import { embeddedKeys, signBuild } from "../../tools/sign-build";
import { applicationText, manifestConfig, manifestConfirms, root } from "./bundle";
import { buildFirmware, buildSlotImage, type FirmwareOptions as ImageOptions } from "./image-builder";
import type { Settings } from "./modules";
import { sizeNibble } from "./slots-flash";

export interface FirmwareOptions {
	/** The application's; this project's own where not given. */
	manifest?: string | undefined;
	version?: string | undefined;
	name?: string | undefined;
	/** Fills the file up to this many bytes. */
	padTo?: number | undefined;
	/** The setting of this name. */
	publicKeys?: string | undefined;
	/** Other settings in place of the manifest's. */
	settings?: Settings;
	/** Bytes of flash that the header tells of; 4 MiB where not given. */
	flashSize?: number | undefined;
	/** Our boot loader in eboot's place. */
	ownBoot?: ImageOptions["ownBoot"];
	/** Flash offset of a slot: an image for that, in place of a firmware for eboot. */
	slot?: number | undefined;
}

/** A firmware file that carries an application, with its manifest's configuration. */
export async function makeFirmware(options: FirmwareOptions = {}): Promise<Uint8Array> {
	const config = manifestConfig(options.manifest);
	const name = options.name ?? String(config.name);
	const version = options.version ?? String(config.version);
	const { publicKeys, settings, slot, padTo, ownBoot, flashSize = 0x400000 } = options;
	const keys = publicKeys && { publicKeys };
	const script = await applicationText({ ...config, ...settings, name, version, ...keys }, options.manifest);
	const header = { flashSize: sizeNibble(flashSize) };
	const confirms = manifestConfirms(options.manifest);
	const image = { script, name, version, confirms, ...header, ...(padTo !== undefined && { padTo }) };
	if (slot === undefined) return buildFirmware({ ...image, ...(ownBoot && { ownBoot }) });
	return buildSlotImage({ ...image, slot });
}

const HELP = `Makes a firmware for the virtual board out of main.ts and manifest.json.

  npm run firmware -- --version 2.0.0 --out dist/firmware-2.0.0.bin
  npm run firmware -- --app examples/lamp --out dist/lamp.bin

  --app FOLDER     another application: the folder of its manifest.json
  --version TEXT   version text (default: the manifest's)
  --name TEXT      name (default: the manifest's)
  --out FILE       where to (default: dist/firmware-VERSION.bin)
  --size BYTES     fills the file up to this size
  --flash-size SIZE  512K, 1M, 2M, 4M, 8M or 16M (default: 4M)
  --slot OFFSET    an image for the slot at this flash offset, as 0x10000 (default: for eboot)
  --gzip           compresses it; the boot loader inflates
  --keys FOLDER    embeds its public.key, and signs with its private.key (default: beside manifest.json)
`;

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			app: { type: "string", default: root },
			version: { type: "string" },
			name: { type: "string" },
			out: { type: "string" },
			size: { type: "string" },
			slot: { type: "string" },
			"flash-size": { type: "string" },
			gzip: { type: "boolean", default: false },
			keys: { type: "string" },
			help: { type: "boolean", default: false },
		},
	});
	if (values.help) {
		process.stdout.write(HELP);
		return;
	}
	const manifest = join(values.app, "manifest.json");
	const version = values.version ?? String(manifestConfig(manifest).version);
	const out = values.out ?? `dist/firmware-${version}.bin${values.gzip ? ".gz" : ""}`;
	const padTo = values.size === undefined ? undefined : Number(values.size);
	if (version.length === 0 || version.length > VERSION_LENGTH) {
		throw new Error(`--version takes 1 to ${VERSION_LENGTH} characters`);
	}
	if (padTo !== undefined && !Number.isInteger(padTo)) throw new Error("--size wants a number of bytes");
	const slot = values.slot === undefined ? undefined : Number(values.slot);
	if (slot !== undefined && !(slot > 0 && slot % SECTOR === 0))
		throw new Error("--slot wants a flash offset");
	if (slot !== undefined && values.gzip)
		throw new Error("--gzip is for eboot: no boot loader of slots inflates");
	const flashSize = flashSizes.get(values["flash-size"] ?? "4M");
	if (flashSize === undefined) throw new Error("--flash-size wants 512K, 1M, 2M, 4M, 8M or 16M");
	const folder = values.keys ?? values.app;
	const publicKeys = await embeddedKeys(folder);
	const made = { manifest, version, name: values.name, padTo, publicKeys, slot, flashSize };
	const firmware = await makeFirmware(made);
	const file = values.gzip ? gzipSync(firmware, { level: 9 }) : firmware;
	mkdirSync(dirname(out), { recursive: true });
	writeFileSync(out, file);
	process.stdout.write(`${out}: ${file.length} bytes, version ${version}\n`);
	await signBuild(folder, out);
}

if (process.argv[1] === import.meta.filename) {
	main().catch((error: unknown) => {
		const usage = !(error instanceof UpdateError);
		process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage ? `\n${HELP}` : ""}`);
		process.exitCode = usage ? 2 : 1;
	});
}
