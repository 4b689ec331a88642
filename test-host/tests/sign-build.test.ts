import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, type Mock, test, vi } from "vitest";
import { parseKeys } from "../../ota/signature/key-text";
import { publicKey } from "../../tools/image/keys";
import { verifyFile } from "../../tools/image/verification";
import { imageInfo } from "../../tools/image-info";
import { embeddedKeys, signBuild } from "../../tools/sign-build";
import { installGlobals } from "../shims/globals";
import { textOf } from "./signature-bench";
import { ecPair, firmware, type Pair, rsaPair, temporaryFolder } from "./signing-bench";

const folder = temporaryFolder();
const rsa = rsaPair(folder, "rsa");
const p256 = ecPair(folder, "p256");
let count = 0;

/** An application's folder with these keys in it, and what its build has made. */
function built(keys: { private?: Pair; public?: Pair }): { application: string; file: string } {
	count += 1;
	const application = join(folder, `application-${count}`);
	mkdirSync(application);
	if (keys.private) copyFileSync(keys.private.privateFile, join(application, "private.key"));
	if (keys.public) copyFileSync(keys.public.publicFile, join(application, "public.key"));
	const file = join(application, "firmware.bin");
	writeFileSync(file, firmware);
	return { application, file };
}

let stderr: Mock;
const said = () => stderr.mock.calls.map(([text]) => text).join("");

beforeEach(() => {
	stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true) as unknown as Mock;
});
afterEach(() => {
	stderr.mockRestore();
});

describe("a build", () => {
	test.each([
		["RSA", rsa],
		["P-256", p256],
	])("is signed where both keys lie beside the manifest: %s", async (_, pair) => {
		const { application, file } = built({ private: pair, public: pair });
		expect(await signBuild(application, file)).toBe(`${file}.signed`);
		const keys = [publicKey(pair.publicPEM, "x")];
		expect(verifyFile(readFileSync(`${file}.signed`), keys)).toMatchObject({ ok: true });
		expect(said()).toBe(`Enabling binary signing\nSigned binary: ${file}.signed\n`);
	});

	test("is not signed without keys", async () => {
		const { application, file } = built({});
		expect(await signBuild(application, file)).toBeUndefined();
		expect(existsSync(`${file}.signed`)).toBe(false);
		expect(said()).toBe("Not enabling binary signing\n");
	});

	test("with one key only is not signed, and told which is missing", async () => {
		const half = built({ public: rsa });
		expect(await signBuild(half.application, half.file)).toBeUndefined();
		const missing = join(half.application, "private.key");
		expect(said()).toBe(`Enabling binary signing\nNot signing the generated binary: ${missing} is missing\n`);
		const other = built({ private: rsa });
		expect(await signBuild(other.application, other.file)).toBeUndefined();
		expect(said()).toContain(`Not enabling binary signing\nNot signing the generated binary: `);
	});

	test("fails where the keys are no pair, since no board would take the next update", async () => {
		const { application, file } = built({ private: rsa, public: p256 });
		await expect(signBuild(application, file)).rejects.toThrow("no board would take what it signs");
		expect(said()).toContain("Not signing the generated binary\n");
		expect(existsSync(`${file}.signed`)).toBe(false);
	});

	test("fails where a key is none", async () => {
		const { application, file } = built({ private: rsa, public: rsa });
		writeFileSync(join(application, "public.key"), rsa.privatePEM);
		await expect(signBuild(application, file)).rejects.toThrow("it is a private key, give the public one");
	});

	test("leaves no signed file of an earlier build, which would be sent in its place", async () => {
		const { application, file } = built({});
		writeFileSync(`${file}.signed`, "old");
		await signBuild(application, file);
		expect(existsSync(`${file}.signed`)).toBe(false);
	});
});

describe("the public keys of a build", () => {
	test("are public.key, and those that are to come or for one kind only", async () => {
		const { application } = built({ public: rsa });
		const add = (name: string, { publicPEM }: Pair) => writeFileSync(join(application, name), publicPEM);
		expect(await embeddedKeys(application)).toBe(textOf(rsa));
		add("next.public.key", p256);
		add("next.firmware.public.key", p256);
		add("filesystem.public.key", p256);
		add("xpublic.key", p256);
		add("public.key.old", p256);
		const keys = [textOf(rsa), textOf(p256, "filesystem"), textOf(p256, "firmware"), textOf(p256)].join(" ");
		expect(await embeddedKeys(application)).toBe(keys);
		installGlobals();
		expect(parseKeys(keys)).toHaveLength(4);
		add("fifth.public.key", p256);
		await expect(embeddedKeys(application)).rejects.toThrow("a board has room for 4 keys");
	});

	test("are none where none lies there, and all of them have to be keys", async () => {
		const { application } = built({});
		expect(await embeddedKeys(application)).toBeUndefined();
		writeFileSync(join(application, "next.public.key"), "none");
		await expect(embeddedKeys(application)).rejects.toThrow("next.public.key cannot be used");
	});
});

describe("npm run firmware", () => {
	/** What it says on stderr. */
	function make(...args: readonly string[]): Promise<{ code: number; stderr: string }> {
		return new Promise((resolve) => {
			const parameters = ["--import", "tsx", "test-host/virtual/firmware.ts", ...args];
			execFile(process.execPath, parameters, (error, _stdout, stderr) => {
				resolve({ code: typeof error?.code === "number" ? error.code : 0, stderr });
			});
		});
	}

	test("signs what it has made", async () => {
		const { application } = built({ private: p256, public: p256 });
		const out = join(application, "dist/made.bin");
		expect(await make("--keys", application, "--out", out, "--gzip")).toEqual({
			code: 0,
			stderr: `Enabling binary signing\nSigned binary: ${out}.signed\n`,
		});
		const file = readFileSync(`${out}.signed`);
		expect(verifyFile(file, [publicKey(p256.publicPEM, "x")])).toMatchObject({ ok: true });
		expect(imageInfo(file)).toMatchObject({ faults: [], signature: { length: 64 } });
	});

	test("fails where it cannot sign, without its usage", async () => {
		const { application } = built({ private: rsa, public: p256 });
		const { code, stderr } = await make("--keys", application, "--out", join(application, "made.bin"));
		expect(code).toBe(1);
		expect(stderr).toMatch(/no board would take what it signs: .*\n$/);
	});
});
