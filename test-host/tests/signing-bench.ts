/** Keys and images for the tests of signatures. */
import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { buildFirmware } from "../virtual/image-builder";

export interface Pair {
	privatePEM: string;
	publicPEM: string;
	/** The same in files. */
	privateFile: string;
	publicFile: string;
}

/** 20 KB, raw. */
export const firmware = buildFirmware({ name: "weather", version: "1.2.0", script: "x".repeat(15_000) });

/** A folder that goes when the file's tests have ended. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-"));
	afterAll(() => rmSync(folder, { recursive: true }));
	return folder;
}

export function rsaPair(folder: string, name: string, modulusLength = 2048): Pair {
	return write(folder, name, generateKeyPairSync("rsa", { modulusLength }));
}

export function ecPair(folder: string, name: string, namedCurve = "P-256"): Pair {
	return write(folder, name, generateKeyPairSync("ec", { namedCurve }));
}

/** A copy with the bits of `mask` flipped in one byte. */
export function withFlip(bytes: Uint8Array, offset: number, mask = 1): Uint8Array {
	const copy = Uint8Array.from(bytes);
	copy[offset] = (copy[offset] ?? 0) ^ mask;
	return copy;
}

function write(folder: string, name: string, { privateKey, publicKey }: KeyPairKeyObjectResult): Pair {
	const privatePEM = String(privateKey.export({ type: "pkcs8", format: "pem" }));
	const publicPEM = String(publicKey.export({ type: "spki", format: "pem" }));
	const privateFile = join(folder, `${name}-private.key`);
	const publicFile = join(folder, `${name}-public.key`);
	writeFileSync(privateFile, privatePEM);
	writeFileSync(publicFile, publicPEM);
	return { privatePEM, publicPEM, privateFile, publicFile };
}
