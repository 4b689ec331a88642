import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { deviceKey } from "../../tools/image/device-key";
import { privateKey, publicHalf, publicKey, readPublicKey } from "../../tools/image/keys";
import { openssl, withOpenSSL } from "./openssl";
import { ecPair, rsaPair, temporaryFolder } from "./signing-bench";

const folder = temporaryFolder();
const rsa = rsaPair(folder, "rsa");
const p256 = ecPair(folder, "p256");

/** What is said of a key that cannot be used. */
function refusal(read: () => unknown): string {
	try {
		read();
	} catch (error) {
		return String(error);
	}
	return "none";
}

describe("a key", () => {
	test("is RSA or P-256, private or public", () => {
		expect(privateKey(rsa.privatePEM, "a")).toMatchObject({ name: "a", type: "rsa", bits: 2048 });
		expect(publicKey(rsa.publicPEM, "b")).toMatchObject({ name: "b", type: "rsa", bits: 2048 });
		expect(privateKey(p256.privatePEM, "c")).toMatchObject({ name: "c", type: "p256", bits: 256 });
		expect(publicKey(p256.publicPEM, "d")).toMatchObject({ name: "d", type: "p256", bits: 256 });
	});

	test("has a public half", () => {
		const half = publicHalf(privateKey(p256.privatePEM, "c"));
		expect(half.object.equals(createPublicKey(p256.publicPEM))).toBe(true);
	});

	test("is refused where the other half is wanted", () => {
		expect(refusal(() => publicKey(rsa.privatePEM, "x.key"))).toBe(
			"ERROR[140]: Key x.key cannot be used: it is a private key, give the public one",
		);
		expect(refusal(() => privateKey(rsa.publicPEM, "x.key"))).toBe(
			"ERROR[140]: Key x.key cannot be used: it is a public key, the private one signs",
		);
	});

	test("is refused as public in a file with both halves", () => {
		expect(refusal(() => publicKey(rsa.publicPEM + rsa.privatePEM, "x"))).toContain("it is a private key");
	});

	test("is none in other text, in bytes and in a damaged file", () => {
		expect(refusal(() => publicKey("ssh-rsa AAAA", "x"))).toContain("no public key in PEM");
		expect(refusal(() => privateKey("\x30\x82\x04", "x"))).toContain("no private key in PEM");
		const damaged = rsa.publicPEM.replace("M", "!").slice(0, 200);
		expect(refusal(() => publicKey(`${damaged}\n-----END PUBLIC KEY-----\n`, "x"))).toContain(
			"it is damaged",
		);
	});

	test.each([
		[1024, "it is RSA of 1024 bits, 2048 to 4096 are wanted"],
		[2047, "it is RSA of 2047 bits, 2048 to 4096 are wanted"],
	])("of RSA with %i bits is refused", (modulusLength, reason) => {
		const pair = rsaPair(folder, "small", modulusLength);
		expect(refusal(() => publicKey(pair.publicPEM, "x"))).toContain(reason);
		expect(refusal(() => privateKey(pair.privatePEM, "x"))).toContain(reason);
	});

	test("of RSA with more than 4096 bits is refused", () => {
		const n = Buffer.alloc(513, 0xff).toString("base64url");
		const key = createPublicKey({ key: { kty: "RSA", n, e: "AQAB" }, format: "jwk" });
		const pem = String(key.export({ type: "spki", format: "pem" }));
		expect(refusal(() => publicKey(pem, "x"))).toContain("it is RSA of 4104 bits");
	});

	test("of RSA with which anybody could sign is refused", () => {
		const n = Buffer.alloc(256, 0xff).toString("base64url");
		const key = createPublicKey({ key: { kty: "RSA", n, e: "AQ" }, format: "jwk" });
		const pem = String(key.export({ type: "spki", format: "pem" }));
		expect(refusal(() => publicKey(pem, "x"))).toContain("its exponent is 1");
	});

	test.each([
		["secp384r1", "of the curve secp384r1"],
		["secp256k1", "of the curve secp256k1"],
	])("on the curve %s is refused", (curve, reason) => {
		const pair = ecPair(folder, "other", curve);
		expect(refusal(() => publicKey(pair.publicPEM, "x"))).toContain(reason);
		expect(refusal(() => privateKey(pair.privatePEM, "x"))).toContain(reason);
	});

	test("of another type is refused", () => {
		const { publicKey: key } = generateKeyPairSync("ed25519");
		const pem = String(key.export({ type: "spki", format: "pem" }));
		expect(refusal(() => publicKey(pem, "x"))).toContain("of the type ed25519, RSA or P-256 is wanted");
	});

	test("in a file that is too large for one is not read", async () => {
		const file = join(folder, "large");
		writeFileSync(file, rsa.publicPEM + "\n".repeat(0x10000));
		await expect(readPublicKey(file)).rejects.toThrow(/large: \d+ bytes are no key/);
		await expect(readPublicKey(join(folder, "nowhere"))).rejects.toThrow("nowhere: no such file");
	});
});

withOpenSSL("a key that openssl made", () => {
	test.each([
		["PKCS#8", ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "rsa"],
		["PKCS#1", ["genrsa", "-traditional", "2048"], "rsa"],
		["of P-256 with its parameters in front", ["ecparam", "-name", "prime256v1", "-genkey"], "p256"],
	])("is read: %s", (_, command, type) => {
		const pem = String(openssl(command));
		expect(privateKey(pem, "x").type).toBe(type);
		expect(publicKey(String(openssl(["pkey", "-pubout"], Buffer.from(pem))), "x").type).toBe(type);
	});

	test("with a passphrase is refused, with the way to take it off", () => {
		for (const option of [[], ["-traditional"]]) {
			const args = ["rsa", "-aes128", "-passout", "pass:secret", ...option];
			const pem = String(openssl(args, Buffer.from(rsa.privatePEM)));
			expect(refusal(() => privateKey(pem, "x"))).toContain("openssl pkey -in KEY -out NEW takes it off");
		}
	});

	test("in a certificate is refused, with the way to get it out", () => {
		const args = ["req", "-x509", "-key", rsa.privateFile, "-subj", "/CN=lamp"];
		expect(refusal(() => publicKey(String(openssl(args)), "x"))).toContain("openssl x509 -pubkey -noout");
	});
});

describe("a key for the device", () => {
	test("of RSA is modulus and exponent", () => {
		const text = deviceKey(rsa.publicPEM);
		expect(text).toMatch(/^rsa:[0-9a-f]{512}:010001$/);
	});

	test("of P-256 is x and y, 32 bytes each, leading zeros too", () => {
		// One in 256 has an x that begins with a zero byte.
		let pair = ecPair(folder, "zero");
		for (let tries = 0; tries < 5000 && !deviceKey(pair.publicPEM).startsWith("p256:00"); tries++) {
			pair = ecPair(folder, "zero");
		}
		expect(deviceKey(pair.publicPEM)).toMatch(/^p256:00[0-9a-f]{126}$/);
	});

	test("may be for one kind only", () => {
		expect(deviceKey(p256.publicPEM, "firmware")).toBe(`firmware@${deviceKey(p256.publicPEM)}`);
		expect(deviceKey(p256.publicPEM, "filesystem")).toBe(`filesystem@${deviceKey(p256.publicPEM)}`);
	});

	test("is never made of a private key", () => {
		expect(() => deviceKey(p256.privatePEM)).toThrow("Key public.key cannot be used: it is a private key");
	});

	withOpenSSL("by openssl's account", () => {
		test("has the same modulus", () => {
			const text = String(openssl(["rsa", "-pubin", "-in", rsa.publicFile, "-noout", "-modulus"]));
			expect(text.trim().toLowerCase()).toBe(`modulus=${deviceKey(rsa.publicPEM).split(":")[1]}`);
		});

		test("has the same point", () => {
			const der = openssl(["pkey", "-pubin", "-in", p256.publicFile, "-outform", "DER"]);
			// An SPKI of P-256 ends with the point, uncompressed: 04, x, y.
			expect(deviceKey(p256.publicPEM)).toBe(`p256:${der.subarray(-64).toString("hex")}`);
		});
	});
});
