import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { imageInfo } from "../../tools/image-info";
import { ota8266, ota8266Here } from "./command-line";
import { withOwnBootLoader } from "./own-firmware";
import { failure, firmware, signingFiles, withFlip } from "./signing-bench";

const { path, rsa, p256, image, damaged, filesystem, signedImage } = signingFiles();

describe("ota8266 pack", () => {
	test("compresses, claims and signs, and tells the sizes", async () => {
		const out = path("new/packed.bin.gz.signed");
		const claims = ["--version-counter", "7", "--board", "nodemcuv2", "--flash-size", "4M"];
		const args = ["pack", "--in", image, "--gzip=best", ...claims, "--sign", p256.privateFile, "--out", out];
		const { code, stdout, stderr } = await ota8266Here(...args);
		expect({ code, stderr }).toEqual({ code: 0, stderr: `Signed binary: ${out}\n` });
		const bytes = readFileSync(out);
		const info = imageInfo(bytes);
		expect(info).toMatchObject({
			faults: [],
			descriptor: { name: "weather" },
			claims: { versionCounter: 7, board: "nodemcuv2", flashSize: 0x400000 },
			signature: { length: 64 },
		});
		expect(stdout).toContain(`${firmware.length} bytes, ${image}`);
		expect(stdout).toMatch(/Gzip +\d+ bytes, [\d.]+ %, zopfli in/);
		expect(stdout).toMatch(/Claims +70 bytes, version counter 7, flash 4 MiB, board nodemcuv2\n/);
		expect(stdout).toMatch(/Signature +68 bytes, ECDSA P-256 with SHA-256, raw\n/);
		expect(stdout).toContain(`${bytes.length} bytes, ${out}`);
		const { stdout: text, code: known } = await ota8266Here("info", out, "--key", p256.publicFile);
		expect(known).toBe(0);
		expect(text).toContain(`64 bytes, verified by ${p256.publicFile}, ECDSA P-256 with SHA-256, raw`);
		expect(text).toMatch(/Claims +version counter 7, flash 4 MiB, board nodemcuv2\n/);
	});

	test("is a command like the others, with its exit code", async () => {
		const out = path("command.bin");
		const packed = await ota8266(
			"pack",
			"--in",
			image,
			"--gzip=best",
			"--sign",
			rsa.privateFile,
			"--out",
			out,
		);
		expect(packed).toMatchObject({ code: 0, stderr: `Signed binary: ${out}\n` });
		expect((await ota8266("verify", out, "--key", rsa.publicFile)).code).toBe(0);
		expect((await ota8266("verify", out, "--key", p256.publicFile)).code).toBe(1);
	});

	test("without a key says that it does not sign", async () => {
		const out = path("unsigned.bin.gz");
		const { code, stderr } = await ota8266Here("pack", "--in", image, "--gzip", "--out", out);
		expect({ code, stderr }).toEqual({ code: 0, stderr: "Not signing the generated binary\n" });
		expect(imageInfo(readFileSync(out))).toMatchObject({ faults: [], gzip: { members: 1 } });
	});

	test("takes a gzip as it is, or compresses it anew, without its name", async () => {
		const named = path("named.gz");
		writeFileSync(path("named"), firmware);
		execFileSync("gzip", ["-f", path("named")]);
		const pack = (out: string, ...more: string[]) =>
			ota8266Here("pack", "--in", named, "--out", path(out), ...more);
		await pack("kept.gz");
		await pack("anew.gz", "--gzip");
		for (const name of ["kept.gz", "anew.gz"]) {
			const bytes = readFileSync(path(name));
			expect(bytes[3]).toBe(0);
			expect(imageInfo(bytes)).toMatchObject({ faults: [], gzip: { inflated: firmware.length } });
		}
	});

	test("refuses what would not start, what is signed, what has claims, and claims that are not true", async () => {
		const out = path("refused.bin");
		const pack = async (file: string, ...more: string[]) =>
			failure(await ota8266Here("pack", "--in", file, "--out", out, ...more));
		expect(await pack(damaged)).toContain("application checksum");
		expect(await pack(signedImage)).toContain("is signed already");
		expect(await pack(image, "--flash-size", "1M")).toBe(
			`${image} cannot be packed: its header asks for a flash of 4 MiB, not 1 MiB\n`,
		);
		const compressed = path("zip.gz");
		writeFileSync(compressed, gzipSync(firmware));
		const twice = path("twice.gz");
		writeFileSync(twice, Buffer.concat([gzipSync("one"), gzipSync("two")]));
		expect(await pack(twice, "--filesystem")).toContain("a gzip that is damaged, or more than one");
		writeFileSync(twice, withFlip(gzipSync(firmware), 30));
		expect(await pack(twice, "--filesystem")).toContain("a gzip that is damaged, or more than one");
		expect(await pack(compressed, "--flash-size", "1M")).toContain("4 MiB, not 1 MiB");
		expect(await pack(image, "--sign", p256.privateFile, "--legacy")).toContain(
			"legacy signatures are RSA's",
		);
		expect(existsSync(out)).toBe(false);
		const claimed = path("claimed.bin");
		await ota8266Here("pack", "--in", image, "--board", "lamp", "--out", claimed);
		expect(await pack(claimed, "--board", "lamp")).toContain("it has claims already");
	});

	test("takes a firmware with our boot loader as it is, its second stage too", async () => {
		const [own, out] = [path("own.bin"), path("own.packed")];
		const bytes = withOwnBootLoader(firmware);
		writeFileSync(own, bytes);
		const pack = (...more: string[]) => ota8266Here("pack", "--in", own, ...more, "--out", out);
		expect((await pack()).code).toBe(0);
		expect(Buffer.compare(readFileSync(out), bytes)).toBe(0);
		await pack("--board", "lamp");
		const unsigned = await ota8266Here("verify", out, "--key", p256.publicFile);
		expect(unsigned.stderr).toContain("not signed, it ends with the image");
		await pack("--board", "lamp", "--gzip", "--sign", p256.privateFile);
		const { code, stdout } = await ota8266Here("info", out, "--key", p256.publicFile);
		expect(code).toBe(0);
		expect(stdout).toContain("The boot loader is our own");
		expect(Buffer.compare(gunzipSync(readFileSync(out).subarray(0, -68)), bytes)).toBe(0);
	});

	test("packs a filesystem, with claims and signature behind it", async () => {
		const out = path("littlefs.packed");
		const args = ["--filesystem", "--version-counter", "3", "--sign", rsa.privateFile, "--out", out];
		expect((await ota8266Here("pack", "--in", filesystem, ...args)).code).toBe(0);
		expect(readFileSync(out).length).toBe(8192 + 64 + 260);
		const { stdout } = await ota8266Here("verify", out, "--key", rsa.publicFile);
		expect(stdout).toContain("version counter 3\n");
	});
});

describe("a compressed filesystem", () => {
	test.each(["raw", "compressed already"])(
		"is packed, with claims in its header, from one that is %s",
		async (from) => {
			const out = path("littlefs.packed.gz");
			const raw = readFileSync(filesystem);
			const zip = path("littlefs.gz");
			writeFileSync(zip, gzipSync(raw));
			const how = from === "raw" ? ["--gzip"] : [];
			const args = ["--filesystem", ...how, "--board", "lamp", "--sign", p256.privateFile, "--out", out];
			expect((await ota8266Here("pack", "--in", from === "raw" ? filesystem : zip, ...args)).code).toBe(0);
			const packed = readFileSync(out);
			expect(Buffer.compare(gunzipSync(packed.subarray(0, -68)), raw)).toBe(0);
			const { stdout } = await ota8266Here("verify", out, "--key", p256.publicFile);
			expect(stdout).toContain("lamp");
		},
	);
});

describe("ota8266 info", () => {
	test("says that it has not verified a signature without a key", async () => {
		const { code, stdout } = await ota8266Here("info", signedImage);
		expect(code).toBe(0);
		expect(stdout).toContain("256 bytes, RSA, not verified");
	});

	test("fails where the key does not fit, however whole the image is", async () => {
		const args = ["info", signedImage, "--key", p256.publicFile];
		expect(failure(await ota8266Here(...args))).toContain("is not verified: key mismatch");
		const { code, stdout } = await ota8266Here(...args, "--json");
		expect(code).toBe(1);
		expect(JSON.parse(stdout)).toMatchObject({ ok: false, kind: "firmware", verification: { ok: false } });
	});
});
