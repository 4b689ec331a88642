/** `npm run firmware`: makes a firmware file for the virtual board out of main.ts and the manifest. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { VERSION_LENGTH } from "../../ota/descriptor";
import { UpdateError } from "../../ota/errors";
import { embeddedKeys, signBuild } from "../../tools/sign-build";
import { applicationText, manifestConfig, root } from "./bundle";
import { buildFirmware } from "./image-builder";

export interface FirmwareOptions {
	version?: string | undefined;
	name?: string | undefined;
	/** Fills the file up to this many bytes. */
	padTo?: number | undefined;
	/** The setting of this name. */
	publicKeys?: string | undefined;
}

/** A firmware file that carries main.ts, with the manifest's configuration. */
export async function makeFirmware(options: FirmwareOptions = {}): Promise<Uint8Array> {
	const config = manifestConfig();
	const name = options.name ?? String(config.name);
	const version = options.version ?? String(config.version);
	const { publicKeys } = options;
	const script = await applicationText({ ...config, name, version, ...(publicKeys && { publicKeys }) });
	return buildFirmware({
		script,
		name,
		version,
		...(options.padTo !== undefined && { padTo: options.padTo }),
	});
}

const HELP = `Makes a firmware for the virtual board out of main.ts and manifest.json.

  npm run firmware -- --version 2.0.0 --out dist/firmware-2.0.0.bin

  --version TEXT   version text (default: the manifest's)
  --name TEXT      name (default: the manifest's)
  --out FILE       where to (default: dist/firmware-VERSION.bin)
  --size BYTES     fills the file up to this size
  --gzip           compresses it; the boot loader inflates
  --keys FOLDER    embeds its public.key, and signs with its private.key (default: beside manifest.json)
`;

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			version: { type: "string" },
			name: { type: "string" },
			out: { type: "string" },
			size: { type: "string" },
			gzip: { type: "boolean", default: false },
			keys: { type: "string" },
			help: { type: "boolean", default: false },
		},
	});
	if (values.help) {
		process.stdout.write(HELP);
		return;
	}
	const version = values.version ?? String(manifestConfig().version);
	const out = values.out ?? `dist/firmware-${version}.bin${values.gzip ? ".gz" : ""}`;
	const padTo = values.size === undefined ? undefined : Number(values.size);
	if (version.length === 0 || version.length > VERSION_LENGTH) {
		throw new Error(`--version takes 1 to ${VERSION_LENGTH} characters`);
	}
	if (padTo !== undefined && !Number.isInteger(padTo)) throw new Error("--size wants a number of bytes");
	const folder = values.keys ?? root;
	const publicKeys = await embeddedKeys(folder);
	const firmware = await makeFirmware({ version, name: values.name, padTo, publicKeys });
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
