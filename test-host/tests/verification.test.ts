import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withClaims } from "../../tools/image/claims";
import { concat } from "../../tools/image/gzip-header";
import { privateKey, publicKey } from "../../tools/image/keys";
import { signed } from "../../tools/image/signing";
import { verifyFile } from "../../tools/image/verification";
import { openssl, withOpenSSL } from "./openssl";
import { ecPair, firmware, type Pair, rsaPair, temporaryFolder, withFlip } from "./signing-bench";

const folder = temporaryFolder();
const rsa = rsaPair(folder, "rsa");
const other = rsaPair(folder, "other");
const large = rsaPair(folder, "large", 3072);
const p256 = ecPair(folder, "p256");
const otherP256 = ecPair(folder, "other-p256");
const gzip = Uint8Array.from(gzipSync(firmware));
const LARGEST = 0xffffffff;

const signer = ({ privatePEM, privateFile }: Pair) => privateKey(privatePEM, privateFile);
const verifier = ({ publicPEM }: Pair, name = "public.key") => publicKey(publicPEM, name);
const sign = (payload: Uint8Array, pair: Pair, legacy = false) => signed(payload, signer(pair), legacy);

/** `rsa`, or whatever scheme it is verified with; else why it is not. */
function verdict(bytes: Uint8Array, pairs: Pair | readonly Pair[], legacy = false): string {
	const keys = [pairs].flat().map((pair) => verifier(pair as Pair));
	const result = verifyFile(bytes, keys, legacy);
	return result.ok ? result.scheme : result.reason;
}

function lengthWord(value: number): Uint8Array {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, value, true);
	return bytes;
}

describe("a signed file", () => {
	test.each([
		["RSA of 2048 bits", rsa, 256, "rsa"],
		["RSA of 3072 bits", large, 384, "rsa"],
		["P-256", p256, 64, "ecdsa-raw"],
	])("is payload, signature and the signature's length: %s", (_, pair, length, scheme) => {
		const file = sign(firmware, pair);
		expect(file.length).toBe(firmware.length + length + 4);
		expect(file.subarray(0, firmware.length)).toEqual(firmware);
		expect(file.subarray(-4)).toEqual(lengthWord(length));
		expect(verdict(file, pair)).toBe(scheme);
	});

	test("may be anything: a gzip, an image with claims, a filesystem, one byte, nothing", () => {
		const claims = withClaims(firmware, { versionCounter: 1 });
		for (const payload of [gzip, claims, new Uint8Array(50_000), Uint8Array.of(1), new Uint8Array(0)]) {
			expect(verdict(sign(payload, rsa), rsa)).toBe("rsa");
			expect(verdict(sign(payload, p256), p256)).toBe("ecdsa-raw");
		}
	});

	test("is verified by any of several keys, and says by which", () => {
		const keys = [verifier(other, "old"), verifier(p256, "short"), verifier(rsa, "new")];
		expect(verifyFile(sign(firmware, rsa), keys)).toMatchObject({ ok: true, key: { name: "new" } });
		expect(verifyFile(sign(firmware, p256), keys)).toMatchObject({ ok: true, key: { name: "short" } });
	});

	test("property: with a flipped bit anywhere it is not verified", () => {
		for (const pair of [rsa, p256]) {
			const file = sign(firmware, pair);
			const bit = fc.integer({ min: 0, max: 8 * file.length - 1 });
			const tail = fc.integer({ min: 8 * firmware.length, max: 8 * file.length - 1 });
			fc.assert(
				fc.property(fc.oneof(bit, tail), (at) => {
					const flipped = withFlip(file, at >> 3, 1 << (at & 7));
					expect(verifyFile(flipped, [verifier(pair)], true).ok).toBe(false);
				}),
				{ numRuns: 300 },
			);
		}
	});
});

describe("what is not verified says why", () => {
	test("not signed", () => {
		for (const bytes of [firmware, gzip, withClaims(firmware, { board: "lamp" }), withClaims(gzip, {})]) {
			expect(verdict(bytes, [rsa, p256])).toBe("not signed, it ends with the image");
		}
		expect(verdict(new Uint8Array(3), rsa)).toContain("not signed");
		expect(verdict(new Uint8Array(50_000).fill(0xff), p256)).toBe(
			`not signed, or truncated: the last four bytes (${LARGEST}) are no length of a signature`,
		);
	});

	test("signed with another key of the same kind", () => {
		const reason = "public.key: the signature is of another key, or was damaged, or the file was changed";
		expect(verdict(sign(firmware, rsa), other)).toBe(reason);
		expect(verdict(sign(firmware, p256), otherP256)).toBe(reason);
	});

	test("signed with a key of another kind or size", () => {
		expect(verdict(sign(firmware, rsa), p256)).toBe(
			"key mismatch: the signature has 256 bytes, public.key is P-256",
		);
		expect(verdict(sign(gzip, p256), [rsa, large])).toBe(
			"key mismatch: the signature has 64 bytes, public.key is RSA-2048, public.key is RSA-3072",
		);
		expect(verdict(sign(firmware, large), rsa)).toContain("key mismatch: the signature has 384 bytes");
	});

	test("of several keys each has its reason", () => {
		expect(verdict(sign(firmware, rsa), [other, p256])).toBe(
			"public.key: the signature is of another key, or was damaged, or the file was changed; " +
				"public.key: its signatures (P-256) have another length",
		);
	});

	test("changed after it was signed, which RSA can tell", () => {
		const file = withFlip(sign(firmware, rsa), 5000);
		expect(verdict(file, rsa)).toBe("public.key: it made the signature, but the file was changed since");
		expect(verdict(withFlip(sign(firmware, rsa, true), 5000), rsa, true)).toContain("was changed since");
	});

	test("legacy, where that is not taken", () => {
		const file = sign(firmware, rsa, true);
		expect(verdict(file, rsa, true)).toBe("rsa-legacy");
		expect(verdict(file, rsa)).toBe(
			"public.key: it signed the file in the legacy way, which is not taken without --legacy",
		);
	});

	test.each([0, 255, 257, 64, 260, 0x7fffffff, LARGEST])("a length field that says %i", (value) => {
		for (const payload of [firmware, gzip, withClaims(firmware, { versionCounter: 3 })]) {
			const file = concat(sign(payload, rsa).subarray(0, -4), lengthWord(value));
			expect(verdict(file, rsa)).toBe(`wrong length field: it says ${value}, the signature has 256 bytes`);
		}
	});

	test.each([1, 4, 5, 100, 259])("truncated by %i bytes", (count) => {
		for (const payload of [firmware, gzip]) {
			const file = sign(payload, rsa).subarray(0, -count);
			expect(verdict(file, rsa)).toBe(`truncated, ${260 - count} bytes of a signature are left`);
		}
	});

	test("truncated in the image", () => {
		for (const payload of [firmware, gzip]) {
			const file = sign(payload, rsa).subarray(0, payload.length >> 1);
			expect(verdict(file, rsa)).toBe("truncated, the image itself is cut short or damaged");
		}
	});

	test.each([1, 3, 4, 260, 4096])("%i trailing bytes", (count) => {
		for (const [pair, payload] of [
			[rsa, firmware],
			[p256, gzip],
		] as const) {
			const file = concat(sign(payload, pair), new Uint8Array(count).fill(0xff));
			expect(verdict(file, [large, pair])).toBe(`${count} trailing bytes behind the signature`);
		}
	});

	test("trailing bytes that are a trailer again are part of nothing", () => {
		const file = sign(firmware, rsa);
		expect(verdict(concat(file, file.subarray(-260)), rsa)).toContain("it made the signature");
	});

	test("property: whatever a file is, there is a verdict", () => {
		const keys = [verifier(rsa), verifier(p256)];
		const lengths = fc.constantFrom(0, 64, 70, 256, 384, LARGEST).map(lengthWord);
		const start = fc.constantFrom(new Uint8Array(0), firmware.subarray(0, 5000), gzip.subarray(0, 40));
		fc.assert(
			fc.property(start, fc.uint8Array({ maxLength: 600 }), lengths, (first, bytes, word) => {
				expect(verifyFile(concat(first, bytes, word), keys, true)).toMatchObject({ ok: false });
			}),
		);
	});
});

describe("a legacy signature", () => {
	test("cannot be made with P-256", () => {
		expect(() => sign(firmware, p256, true)).toThrow("legacy signatures are RSA's, and this key is of P-256");
	});
});

withOpenSSL("openssl", () => {
	const file = (name: string, bytes: Uint8Array): string => {
		const path = join(folder, name);
		writeFileSync(path, bytes);
		return path;
	};
	/** SHA-256 over a payload, by openssl. */
	const digest = (payload: Uint8Array) => openssl(["dgst", "-sha256", "-binary"], payload);
	/** Writes `signature` behind `payload`, as the core's signing.py does with what openssl gives it. */
	const appended = (payload: Uint8Array, signature: Uint8Array) =>
		concat(payload, signature, lengthWord(signature.length));
	/** DER of two numbers, each with a zero in front where it would be negative. */
	function toDER(raw: Uint8Array): Uint8Array {
		const numbers = [raw.subarray(0, 32), raw.subarray(32)].map((bytes) => {
			const start = bytes.findIndex((byte) => byte !== 0);
			const digits = bytes.subarray(start);
			const padded = (digits[0] ?? 0) & 0x80 ? concat(Uint8Array.of(0), digits) : digits;
			return concat(Uint8Array.of(2, padded.length), padded);
		});
		const content = concat(...numbers);
		return concat(Uint8Array.of(0x30, content.length), content);
	}

	test("verifies what we sign with RSA", () => {
		const signature = file("rsa.sig", sign(firmware, rsa).subarray(firmware.length, -4));
		const args = ["dgst", "-sha256", "-verify", rsa.publicFile, "-signature", signature];
		expect(String(openssl(args, firmware))).toBe("Verified OK\n");
	});

	test("verifies what we sign with P-256, as DER", () => {
		const raw = sign(firmware, p256).subarray(firmware.length, -4);
		const args = ["dgst", "-sha256", "-verify", p256.publicFile, "-signature", file("ec.sig", toDER(raw))];
		expect(String(openssl(args, firmware))).toBe("Verified OK\n");
	});

	test("verifies what we sign in the legacy way", () => {
		const signature = file("legacy.sig", sign(firmware, rsa, true).subarray(firmware.length, -4));
		const recovered = openssl([
			"pkeyutl",
			"-verifyrecover",
			"-pubin",
			"-inkey",
			rsa.publicFile,
			"-in",
			signature,
		]);
		expect(recovered).toEqual(digest(firmware));
		const hash = file("digest", digest(firmware));
		const args = [
			"pkeyutl",
			"-verify",
			"-pubin",
			"-inkey",
			rsa.publicFile,
			"-sigfile",
			signature,
			"-in",
			hash,
		];
		expect(String(openssl(args))).toContain("Signature Verified Successfully");
	});

	test("signs with P-256 what we verify", () => {
		const der = openssl(["dgst", "-sha256", "-sign", p256.privateFile], firmware);
		expect(verdict(appended(firmware, der), p256)).toBe("ecdsa-der");
	});

	test("makes of our keys the bytes that we make: the core's signing.py", () => {
		for (const pair of [rsa, large]) {
			const signature = openssl(["dgst", "-sha256", "-sign", pair.privateFile], gzip);
			expect(appended(gzip, signature)).toEqual(sign(gzip, pair));
		}
	});

	test("makes of our keys the bytes that we make: signing.py's legacy file", () => {
		const hash = file("digest", digest(gzip));
		const signature = openssl(["pkeyutl", "-sign", "-inkey", rsa.privateFile, "-in", hash]);
		expect(appended(gzip, signature)).toEqual(sign(gzip, rsa, true));
	});
});
