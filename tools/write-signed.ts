import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Key } from "./image/keys";
import { signed } from "./image/signing";

/** The words of the Arduino core's tool, which people look for in a build's output. */
export const NOT_SIGNING = "Not signing the generated binary";

/** Signs and writes a file, and says so as the Arduino core's tool does. Gives the bytes of the signature and its length. */
export async function writeSigned(
	file: string,
	payload: Uint8Array,
	{ key, legacy = false }: { key: Key; legacy?: boolean | undefined },
): Promise<number> {
	const bytes = signed(payload, key, legacy);
	await writeFileIn(file, bytes);
	process.stderr.write(`${legacy ? "Legacy signed" : "Signed"} binary: ${file}\n`);
	return bytes.length - payload.length;
}

/** Writes a file, and its folder where there is none: all of it, or what was there before stays. */
export async function writeFileIn(file: string, bytes: Uint8Array): Promise<void> {
	const part = `${file}.part`;
	await mkdir(dirname(file), { recursive: true });
	try {
		await writeFile(part, bytes);
		await rename(part, file);
	} catch (error) {
		await rm(part, { force: true });
		throw error;
	}
}
