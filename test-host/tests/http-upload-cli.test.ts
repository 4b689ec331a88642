/** `ota8266 upload --http` as a user sees it. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decoded, webURL } from "../../tools/option-values";
import { buildFirmware } from "../virtual/image-builder";
import { type Outcome, ota8266, ota8266With, usage } from "./command-line";
import { FakeWebUpdate, type FakeWebUpdateOptions } from "./fake-web-update";

const folder = mkdtempSync(join(tmpdir(), "ota8266-"));
const image = join(folder, "firmware.bin");
const firmware = buildFirmware({ name: "weather", version: "2.0.0", script: "x".repeat(20_000) });

beforeAll(() => writeFile(image, firmware));
afterAll(() => rm(folder, { recursive: true }));

function status(version: string, uptime: number, result: string): object {
	return { name: "weather", version, uptime, runningMD5: null, update: { result, error: null } };
}

const before = status("1.0.0", 500, "took effect");
const verified = status("1.0.0", 501, "verified");

async function uploadTo(
	behaviour: FakeWebUpdateOptions,
	...args: readonly string[]
): Promise<Outcome & { board: FakeWebUpdate }> {
	const board = await FakeWebUpdate.start(behaviour);
	const outcome = await ota8266("upload", image, "--http", board.url.href, ...args);
	board.close();
	return { ...outcome, board };
}

describe("the URL of a web update", () => {
	test.each([
		["http://192.168.1.50", "http://192.168.1.50/update"],
		["http://192.168.1.50/", "http://192.168.1.50/update"],
		["http://lamp.local:8080", "http://lamp.local:8080/update"],
		["https://lamp.local/firmware/", "https://lamp.local/firmware/"],
		["http://lamp.local?slot=1#top", "http://lamp.local/update?slot=1"],
		["http://[fe80::1]/update", "http://[fe80::1]/update"],
	])("%s is %s", (text, url) => {
		expect(webURL(text).href).toBe(url);
	});

	test("may hold a login", () => {
		const { username, password } = webURL("http://owner:a%40b@lamp.local");
		expect([decoded(username), decoded(password)]).toEqual(["owner", "a@b"]);
	});

	test.each([
		"192.168.1.50",
		"lamp.local:8080/update",
		"ftp://lamp",
		"http://",
		"http://a:%zz@b",
		"http://a%3Ab@c",
	])("is not %s", (text) => {
		expect(() => webURL(text)).toThrow();
	});
});

describe("ota8266 upload", () => {
	test.each([
		["neither --host nor --http", "upload x", "nor '--http <url>'"],
		["both", "upload x --host a --http http://b", "cannot be used with option '--host"],
		["--port with --http", "upload x --http http://b --port 1", "cannot be used with option '--port"],
		["--host-port with --http", "upload x --http http://b --host-port 1", "cannot be used with"],
		["--user with --host", "upload x --host a --user b", "cannot be used with option '--host"],
		["--no-wait with --host", "upload x --host a --no-wait", "cannot be used with option '--host"],
		["no URL", "upload x --http lamp", "Give a URL as http://192.168.1.50/update."],
		["no user", "upload x --http http://b --user a:b", "Give a name without a colon"],
	])("says what is wrong with the usage: %s", async (_, line, message) => {
		const { code, stdout, stderr } = await usage(...line.split(" "));
		expect(stderr).toContain(message);
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
	});
});

// Each of them starts a Node of its own: together they take as long as a few.
describe.concurrent("ota8266 upload --http", () => {
	test("sends a firmware, and says what runs then", async () => {
		const behaviour = { ours: true, status: [before, verified, status("2.0.0", 1, "took effect")] };
		const { code, stdout, stderr } = await uploadTo(behaviour);
		expect(stdout).toMatch(
			new RegExp(
				`^Done: ${firmware.length} bytes in \\d+\\.\\d s, the board has verified them\nnow running 2\\.0\\.0 \\(was 1\\.0\\.0\\)\n$`,
			),
		);
		expect(stderr).toContain("100 %");
		expect(code).toBe(0);
	});

	test("does not wait for the restart with --no-wait", async () => {
		const { code, stdout, board } = await uploadTo({ ours: true, status: [before] }, "--no-wait");
		expect(stdout).toMatch(/^Done: .* the board has verified them\n$/);
		expect(board.lines).toEqual(["GET /update", "PUT /update?kind=firmware"]);
		expect(code).toBe(0);
	});

	test("exits with 1 where the update did not take effect", async () => {
		const behaviour = { ours: true, status: [before, status("1.0.0", 1, "did not take effect")] };
		const { code, stdout, stderr } = await uploadTo(behaviour);
		expect(stdout).toMatch(/^Done: /);
		expect(stderr).toContain("The update was verified, but 1.0.0 runs as before: did not take effect");
		expect(code).toBe(1);
	});

	test("prints one JSON object, with the password from the environment", async () => {
		const behaviour: FakeWebUpdateOptions = {
			ours: true,
			login: ["sha-256"],
			status: [before, status("2.0.0", 1, "took effect")],
		};
		const outcome = await uploadTo(behaviour, "--password-env", "OTA_PASSWORD", "--json");
		expect(outcome).toMatchObject({ code: 0, stderr: "" });
		expect(JSON.parse(outcome.stdout)).toEqual({
			ok: true,
			bytes: firmware.length,
			ms: expect.any(Number),
			md5: expect.stringMatching(/^[0-9a-f]{32}$/),
			file: image,
			host: "127.0.0.1",
			port: expect.any(Number),
			url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/update$/),
			version: "2.0.0",
			was: "1.0.0",
		});
	});

	test("prints a failure as JSON too, without the login of the URL", async () => {
		const board = await FakeWebUpdate.start({ login: ["md5"] });
		const url = `http://admin:guess@127.0.0.1:${board.port}`;
		const { code, stdout } = await ota8266("upload", image, "--http", url, "--json");
		board.close();
		expect(code).toBe(1);
		expect(stdout).not.toContain("guess");
		expect(JSON.parse(stdout)).toMatchObject({ ok: false, bytes: 0, error: { code: 132 } });
	});

	test("takes user and password from the URL", async () => {
		const board = await FakeWebUpdate.start({ login: ["md5"], password: "a@b" });
		const url = `http://admin:a%40b@127.0.0.1:${board.port}`;
		const { code, stdout } = await ota8266("upload", image, "--http", url);
		board.close();
		expect(stdout).toMatch(/the board has taken them\n$/);
		expect(code).toBe(0);
	});

	test("warns where the password goes in clear, with --json too", async () => {
		const { code, stderr, stdout } = await uploadTo({ login: ["basic"] }, "--password", "secret", "--json");
		expect(stderr).toBe("127.0.0.1 wants the password in clear, as everyone in its network can read\n");
		expect(JSON.parse(stdout)).toMatchObject({ ok: true });
		expect(code).toBe(0);
	});

	test("does not wait for a password where nobody can type it", async () => {
		const { code, stderr } = await uploadTo({ login: ["basic"] });
		expect({ code, stderr }).toEqual({
			code: 1,
			stderr: "The board wants a password: give --password or --password-env\n",
		});
	});

	test("sends a filesystem", async () => {
		const { code, board } = await uploadTo({ ours: true }, "--filesystem");
		expect(board.lines).toContain("PUT /update?kind=filesystem");
		expect(code).toBe(0);
	});

	test("gives up after the time that was given", async () => {
		const { code, stderr } = await uploadTo({ page: () => undefined }, "--timeout", "0.1");
		expect(code).toBe(1);
		expect(stderr).toMatch(/^No answer from 127\.0\.0\.1 port \d+: /);
	});

	test("ends with Ctrl-C", async () => {
		const board = await FakeWebUpdate.start({ ours: true, result: () => undefined });
		const args = ["--import", "tsx", "tools/ota8266.ts", "upload", image, "--http", board.url.href, "--json"];
		const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
		let stdout = "";
		child.stdout.on("data", (text) => {
			stdout += text;
		});
		await expect.poll(() => board.upload?.body.length, { timeout: 15_000 }).toBe(firmware.length);
		child.kill("SIGINT");
		const [code] = await once(child, "exit");
		board.close();
		expect(code).toBe(1);
		expect(JSON.parse(stdout)).toMatchObject({ ok: false, bytes: firmware.length, error: { code: 128 } });
	});

	const hasOpenSSL = Boolean(process.env.CI) || spawnSync("openssl", ["version"]).status === 0;

	test.runIf(hasOpenSSL)("trusts a certificate of one's own only where that was said", async () => {
		const key = join(folder, "key.pem");
		const cert = join(folder, "cert.pem");
		const request =
			"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=lamp";
		const made = [
			...request.split(" "),
			"-addext",
			"subjectAltName=IP:127.0.0.1",
			"-keyout",
			key,
			"-out",
			cert,
		];
		expect(spawnSync("openssl", made).status).toBe(0);
		const certificate = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
		const board = await FakeWebUpdate.start({ ours: true, certificate });
		const distrusted = await ota8266("upload", image, "--http", board.url.href);
		expect(board.lines).toEqual([]);
		const trusted = await ota8266With(
			{ NODE_EXTRA_CA_CERTS: cert },
			"upload",
			image,
			"--http",
			board.url.href,
		);
		board.close();
		expect(distrusted.code).toBe(1);
		expect(distrusted.stderr).toMatch(
			/^Certificate of 127\.0\.0\.1:\d+ not trusted \(\w+\): NODE_EXTRA_CA_CERTS=/,
		);
		expect(trusted).toMatchObject({ code: 0 });
	});
});
