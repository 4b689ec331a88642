import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimsOf, withClaims } from "../../tools/image/claims";
import { type Compression, compress, inflated } from "../../tools/image/compress";
import { concat, withHeader } from "../../tools/image/gzip-header";
import { privateKey } from "../../tools/image/keys";
import { signed } from "../../tools/image/signing";
import { Inflater } from "../virtual/inflate";
import { BootBench, firmware } from "./boot-bench";
import { ecPair, temporaryFolder } from "./signing-bench";

const folder = temporaryFolder();
const key = privateKey(ecPair(folder, "p256").privatePEM, "private.key");
const OLD = firmware("old", 20_000);
const NEW = firmware("new", 30_001);
const claims = { versionCounter: 7, flashSize: 0x400000, board: "nodemcuv2" };
const ways: readonly Compression[] = ["zlib", "zopfli"];

/** By the decoder that has eboot's habits. */
function inflatedByEboot(gzip: Uint8Array, length: number): Uint8Array {
	let at = 0;
	const inflater = new Inflater(() => gzip[at++] ?? 0xff);
	expect(inflater.gzipHeader()).toBe(true);
	const output = new Uint8Array(length);
	expect(inflater.fill(output, length)).toBe("filled");
	return output;
}

describe.each(ways)("a gzip made by %s", (how) => {
	test("has a header without name and time, the same for the same input", async () => {
		const gzip = await compress(NEW, how);
		expect(Buffer.from(gzip.subarray(0, 10)).toString("hex")).toBe("1f8b08000000000002ff");
		expect(await compress(NEW, how)).toEqual(gzip);
	});

	test("is read by gunzip, with claims and without", async () => {
		const gzip = await compress(NEW, how);
		for (const file of [gzip, withClaims(gzip, claims)]) {
			expect(Buffer.compare(execFileSync("gzip", ["-dc"], { input: file }), NEW)).toBe(0);
			execFileSync("gzip", ["-t"], { input: file });
		}
	});

	test.each([0, 1, 4095, 4096, 4097, 32_767, 32_768, 32_769, 70_000])("holds %i bytes", async (length) => {
		// Twice the same, so that matches reach back as far as they can.
		const half = firmware("x", 40_000).subarray(0, length >> 1);
		const image = concat(half, half, new Uint8Array(length % 2));
		const gzip = withClaims(await compress(image, how), claims);
		expect(Buffer.compare(inflated(gzip), image)).toBe(0);
		expect(inflatedByEboot(gzip, length)).toEqual(image);
	});

	test("property: whatever the image is, it comes back", async () => {
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (image) => {
				const gzip = withClaims(await compress(image, how), claims);
				expect(Buffer.compare(inflated(gzip), image)).toBe(0);
				expect(inflatedByEboot(gzip, image.length)).toEqual(image);
			}),
			{ numRuns: 30 },
		);
	});

	test("with claims and a signature is booted by eboot, which is given the payload", async () => {
		const payload = withClaims(await compress(NEW, how), claims);
		const bench = new BootBench();
		bench.put(0, OLD);
		bench.stage(signed(payload, key), payload.length);
		expect(bench.eboot().kind).toBe("jump");
		expect(bench.uart).toContain("@cp:B0");
		expect(Buffer.compare(bench.get(0, NEW.length), NEW)).toBe(0);
	});
});

test("zopfli makes less of a firmware than zlib", async () => {
	const [zlib, zopfli] = await Promise.all(ways.map((how) => compress(OLD, how)));
	expect(zopfli?.length).toBeLessThan(zlib?.length ?? 0);
});

describe("the claims of an image", () => {
	test("follow a raw one on the next word, as the last 64 bytes of the payload", () => {
		for (const length of [30_000, 30_001, 30_002, 30_003]) {
			const image = firmware("new", length);
			const payload = withClaims(image, claims);
			expect(payload.length).toBe(Math.ceil(length / 4) * 4 + 64);
			expect(payload.subarray(0, length)).toEqual(image);
			expect(payload.subarray(length, -64).every((byte) => byte === 0)).toBe(true);
			expect(claimsOf(payload)).toEqual(claims);
		}
	});

	test("lie in the header of a gzip, at byte 16", async () => {
		const gzip = await compress(NEW, "zlib");
		const payload = withClaims(gzip, claims);
		expect(Buffer.from(payload.subarray(0, 16)).toString("hex")).toBe(
			`${"1f8b0804" + "00000000" + "02ff"}4400${"4f544000"}`,
		);
		expect(payload.subarray(80)).toEqual(gzip.subarray(10));
		expect(claimsOf(payload)).toEqual(claims);
	});

	test("take the place of name, time and other claims in a gzip's header", async () => {
		const gzip = await compress(NEW, "zlib");
		const name = new TextEncoder().encode("firmware.bin\0");
		const named = concat(gzip.subarray(0, 10), name, gzip.subarray(10));
		named[3] = 8;
		expect(withHeader(named)).toEqual(gzip);
		expect(withClaims(withClaims(named, { board: "x" }), claims)).toEqual(withClaims(gzip, claims));
	});

	test("do not keep a raw image from booting, with the signature or without it", () => {
		const payload = withClaims(NEW, claims);
		const file = signed(payload, key);
		for (const length of [payload.length, file.length]) {
			const bench = new BootBench();
			bench.put(0, OLD);
			bench.stage(file, length);
			expect(bench.eboot().kind).toBe("jump");
			expect(Buffer.compare(bench.get(0, payload.length), payload)).toBe(0);
		}
	});

	test("are none in an image that makes none", async () => {
		expect(claimsOf(NEW)).toBeUndefined();
		expect(claimsOf(await compress(NEW, "zlib"))).toBeUndefined();
		expect(claimsOf(new Uint8Array(10))).toBeUndefined();
	});
});
