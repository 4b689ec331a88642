/** Keys and images for the tests of signatures. */
import { generateKeyPairSync, type KeyPairKeyObjectResult } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { privateKey } from "../../tools/image/keys";
import { signed } from "../../tools/image/signing";
import { buildFirmware } from "../virtual/image-builder";
import type { Outcome } from "./command-line";

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

/** Keys and images in files, as the commands take them. */
export function signingFiles() {
	const folder = temporaryFolder();
	const path = (name: string) => join(folder, name);
	const file = (name: string, bytes: Uint8Array): string => {
		writeFileSync(path(name), bytes);
		return path(name);
	};
	const rsa = rsaPair(folder, "rsa");
	return {
		path,
		rsa,
		p256: ecPair(folder, "p256"),
		image: file("firmware.bin", firmware),
		damaged: file("damaged.bin", withFlip(firmware, 6000)),
		filesystem: file("littlefs.bin", new Uint8Array(8192).fill(0xff, 100)),
		/** By the RSA key. */
		signedImage: file("signed.bin", signed(firmware, privateKey(rsa.privatePEM, "private.key"))),
	};
}

/** What a command said on stderr, when it failed as it should. */
export function failure({ code, stderr }: Outcome): string {
	expect(code).toBe(1);
	return stderr;
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
