import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ota8266Here, usage } from "./command-line";
import { openssl, withOpenSSL } from "./openssl";
import { failure, firmware, signingFiles } from "./signing-bench";

const { path, rsa, p256, image, damaged, filesystem, signedImage } = signingFiles();

describe("the usage of the commands that sign", () => {
	test.each(["keygen", "pack", "sign", "verify"])("is told by %s --help", async (name) => {
		const { code, stdout } = await usage(name, "--help");
		expect(code).toBe(0);
		expect(stdout).toContain(`$ ota8266 ${name}`);
	});

	test.each([
		["keygen", "'--out <folder>' not specified"],
		["keygen --out x --type rsa1024", "Allowed choices are rsa2048, rsa3072, rsa4096, p256."],
		["pack --out y", "give the image to --in, or the program to --elf"],
		["pack --in x", "'--out <file>' not specified"],
		["pack --in x --out y --gzip=worst", "Allowed choices are best."],
		["pack --in x --out y --legacy", "--legacy wants --sign"],
		["pack --in x --out ./x", "--out would overwrite --in"],
		["pack --in x --out y --version-counter -1", "Give a whole number up to 4294967295."],
		["pack --in x --out y --version-counter 4294967296", "Give a whole number up to 4294967295."],
		["pack --in x --out y --version-counter 1.5", "Give a whole number up to 4294967295."],
		["pack --in x --out y --board lämp", "Give 1 to 32 characters of plain ASCII."],
		[`pack --in x --out y --board ${"n".repeat(33)}`, "Give 1 to 32 characters of plain ASCII."],
		["pack --in x --out y --flash-size 3M", "Give one of 512K, 1M, 2M, 4M, 8M, 16M."],
		["sign x", "'--key <file>' not specified"],
		["sign x --key y --out ./x", "--out would overwrite the file that is signed"],
		["verify x", "'--key <file>' not specified"],
		["verify --key x", "missing required argument 'file'"],
	])("is wrong in: %s", async (line, message) => {
		const { code, stderr } = await usage(...line.split(" "));
		expect(stderr).toContain(message);
		expect(code).toBe(2);
	});
});

describe("ota8266 keygen", () => {
	test.each([
		["rsa2048", "RSA-2048"],
		["rsa3072", "RSA-3072"],
		["p256", "P-256"],
	])("makes keys that sign and verify: %s", async (type, text) => {
		const out = path(`made/${type}`);
		const made = await ota8266Here("keygen", "--out", out, "--type", type);
		expect(made).toMatchObject({ code: 0, stderr: "" });
		expect(made.stdout).toContain("keep it secret, out of git");
		expect(statSync(join(out, "private.key")).mode & 0o777).toBe(0o600);
		const file = path(`${type}.bin`);
		await ota8266Here("sign", image, "--key", join(out, "private.key"), "--out", file);
		const { stdout } = await ota8266Here("verify", file, "--key", join(out, "public.key"));
		expect(stdout).toContain(`public.key, ${text}\n`);
	});

	test("overwrites neither key, nor a link", async () => {
		for (const name of ["private.key", "public.key"]) {
			const out = path(`there/${name}`);
			execFileSync("mkdir", ["-p", out]);
			if (name === "private.key") symlinkSync("/nowhere", join(out, name));
			else writeFileSync(join(out, name), "mine");
			const { stderr } = await ota8266Here("keygen", "--out", out, "--type", "p256");
			expect(stderr).toContain(`${join(out, name)} is there already, and stays as it is`);
			const others = ["private.key", "public.key"].filter((other) => other !== name);
			expect(others.map((other) => existsSync(join(out, other)))).toEqual([false]);
		}
	});
});

describe("ota8266 sign", () => {
	test("writes the signed file beside, with the words of Arduino's tool", async () => {
		const { code, stdout, stderr } = await ota8266Here("sign", image, "--key", rsa.privateFile);
		expect({ code, stderr }).toEqual({ code: 0, stderr: `Signed binary: ${image}.signed\n` });
		expect(stdout).toBe(
			`${firmware.length + 260} bytes, 260 of them signature: RSASSA-PKCS1-v1_5 with SHA-256\n`,
		);
		expect(Buffer.compare(readFileSync(`${image}.signed`), readFileSync(signedImage))).toBe(0);
	});

	test("signs in the legacy way, where the key can", async () => {
		const out = path("legacy.bin");
		const { stderr } = await ota8266Here("sign", image, "--key", rsa.privateFile, "--legacy", "--out", out);
		expect(stderr).toBe(`Legacy signed binary: ${out}\n`);
		const refused = failure(await ota8266Here("verify", out, "--key", rsa.publicFile));
		expect(refused).toContain("which is not taken without --legacy");
		expect((await ota8266Here("verify", out, "--key", rsa.publicFile, "--legacy")).code).toBe(0);
		const p256Out = path("legacy-p256.bin");
		const args = ["sign", image, "--key", p256.privateFile, "--legacy", "--out", p256Out];
		expect(failure(await ota8266Here(...args))).toContain("legacy signatures are RSA's");
		expect(existsSync(p256Out)).toBe(false);
	});

	test("refuses what is damaged or signed already, unless it is forced", async () => {
		const again = path("signed-again.bin");
		const args = (file: string, ...more: string[]) =>
			ota8266Here("sign", file, "--key", rsa.privateFile, "--out", again, ...more);
		expect(failure(await args(damaged))).toContain("is damaged or no firmware: application checksum");
		expect(failure(await args(signedImage))).toBe(
			`${signedImage} is signed already: sign the file that was built, or say --force\n`,
		);
		expect(existsSync(again)).toBe(false);
		expect((await args(signedImage, "--force")).code).toBe(0);
		expect((await args(damaged, "--force")).code).toBe(0);
	});

	test("signs a filesystem when it is told that it is one", async () => {
		const args = ["sign", filesystem, "--key", rsa.privateFile];
		expect(failure(await ota8266Here(...args))).toContain("--filesystem says that it is one");
		expect((await ota8266Here(...args, "--filesystem")).code).toBe(0);
		expect(
			failure(await ota8266Here("sign", `${filesystem}.signed`, ...args.slice(2), "--filesystem")),
		).toContain("is signed already");
	});

	test("names a key that is none or not there", async () => {
		const sign = (key: string) => ota8266Here("sign", image, "--key", key, "--out", path("never.bin"));
		expect(failure(await sign(rsa.publicFile))).toContain("it is a public key, the private one signs");
		expect(failure(await sign(image))).toContain("no private key in PEM is in it");
		expect(failure(await sign(path("nowhere.key")))).toBe(`${path("nowhere.key")}: no such file\n`);
	});
});

describe("ota8266 verify", () => {
	test("tells the scheme, the key and the claims", async () => {
		const { code, stdout } = await ota8266Here("verify", signedImage, "--key", rsa.publicFile);
		expect(code).toBe(0);
		expect(stdout.replaceAll(/ +/g, " ")).toBe(
			`Verified ${signedImage}\nKey ${rsa.publicFile}, RSA-2048\n` +
				"Signature 256 bytes, RSASSA-PKCS1-v1_5 with SHA-256\n" +
				`Payload ${firmware.length} bytes\nClaims none\n`,
		);
	});

	test("takes the key that fits of several, as JSON", async () => {
		const args = ["verify", "--key", p256.publicFile, "--key", rsa.publicFile, signedImage, "--json"];
		const { code, stdout } = await ota8266Here(...args);
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toEqual({
			ok: true,
			file: signedImage,
			scheme: "rsa",
			key: rsa.publicFile,
			payload: firmware.length,
			signatureLength: 256,
		});
	});

	test("says why not, as JSON too", async () => {
		const { code, stdout } = await ota8266Here("verify", signedImage, "--key", p256.publicFile, "--json");
		expect(code).toBe(1);
		const reason = `key mismatch: the signature has 256 bytes, ${p256.publicFile} is P-256`;
		expect(JSON.parse(stdout)).toEqual({
			ok: false,
			file: signedImage,
			reason,
			error: { code: 144, text: `${signedImage} is not verified: ${reason}` },
		});
	});

	test("takes no private key", async () => {
		const outcome = await ota8266Here("verify", signedImage, "--key", rsa.privateFile);
		expect(failure(outcome)).toContain("it is a private key, give the public one");
	});
});

withOpenSSL("openssl", () => {
	test("verifies what pack has signed, and reads keygen's keys", async () => {
		const keys = path("openssl");
		await ota8266Here("keygen", "--out", keys);
		chmodSync(join(keys, "private.key"), 0o400);
		const out = path("openssl.bin");
		const key = join(keys, "private.key");
		await ota8266Here("pack", "--in", image, "--gzip", "--board", "lamp", "--sign", key, "--out", out);
		const bytes = readFileSync(out);
		const signature = path("openssl.sig");
		writeFileSync(signature, bytes.subarray(-260, -4));
		const args = ["dgst", "-sha256", "-verify", join(keys, "public.key"), "-signature", signature];
		expect(String(openssl(args, bytes.subarray(0, -260)))).toBe("Verified OK\n");
		expect(String(openssl(["pkey", "-in", key, "-check", "-noout"]))).toContain("Key is valid");
	});
});
