/** `ota8266 simulate` with keys and what goes with them, as a user runs it. */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { withClaims } from "../../tools/image/claims";
import { newFirmware, until } from "./board-bench";
import { ota8266Here, usage } from "./command-line";
import { signedBy } from "./signature-bench";
import { ecPair, failure, rsaPair, temporaryFolder } from "./signing-bench";
import { exitCode, port, type Run, run } from "./simulate-bench";
import { temporaryFile } from "./temporary-flash";

const folder = temporaryFolder();
const rsa = rsaPair(folder, "rsa");
const p256 = ecPair(folder, "p256");
const stranger = ecPair(folder, "stranger");

interface Bench {
	board: Run;
	otaPort: string;
	/** What the command says that sends it. */
	send(bytes: Uint8Array, ...options: readonly string[]): Promise<string>;
}

async function started(...options: readonly string[]): Promise<Bench> {
	const flash = temporaryFile();
	const image = join(dirname(flash), "image.bin");
	const ports = ["--ota-port", "0", "--http-port", "0", "--no-mdns"];
	const board = run("simulate", "--flash", flash, ...ports, ...options);
	const otaPort = await port(board);
	return {
		board,
		otaPort,
		async send(bytes, ...more) {
			writeFileSync(image, bytes);
			const upload = run("upload", image, "--host", "127.0.0.1", "--port", otaPort, ...more);
			await exitCode(upload.process);
			return upload.out + upload.errors;
		},
	};
}

describe("a board with --public-key", () => {
	test("takes what one of its keys has signed, and nothing else", async () => {
		const keys = ["--public-key", rsa.publicFile, "--public-key", p256.publicFile];
		const { board, send } = await started(...keys);
		const image = await newFirmware("2.0.0");
		for (const bytes of [image, signedBy(stranger, image), signedBy(rsa, image, true)]) {
			expect(await send(bytes)).toContain("Signature verification failed");
		}
		for (const [pair, version] of [
			[rsa, "2.0.0"],
			[p256, "3.0.0"],
		] as const) {
			expect(await send(signedBy(pair, await newFirmware(version)))).toContain("verified");
			await until(() => board.out.includes(`update to ${version} took effect`));
		}
	});

	test("and --allow-legacy takes the older form too", async () => {
		const { board, send } = await started("--public-key", rsa.publicFile, "--allow-legacy");
		await send(signedBy(rsa, await newFirmware("2.0.0"), true));
		await until(() => board.out.includes("update to 2.0.0 took effect"));
	});

	test("and --min-version-counter, --board refuses older ones and other boards', and keeps what it took", async () => {
		const options = ["--public-key", p256.publicFile, "--min-version-counter", "2", "--board", "lamp"];
		const { board, send } = await started(...options);
		const image = await newFirmware("2.0.0");
		const claiming = (claims: Parameters<typeof withClaims>[1]) => signedBy(p256, withClaims(image, claims));
		expect(await send(signedBy(p256, image))).toContain("version counter is none, this board takes 2");
		expect(await send(claiming({ versionCounter: 1 }))).toContain("version counter is 1, this board takes 2");
		const other = await send(claiming({ versionCounter: 2, board: "fan" }));
		expect(other).toContain("for the board fan, and this is lamp");
		await send(claiming({ versionCounter: 5, board: "lamp" }));
		await until(() => board.out.includes("update to 2.0.0 took effect"));
		expect(await send(claiming({ versionCounter: 4 }))).toContain("version counter is 4, this board takes 5");
	});
});

test("a board with --atomic-filesystem has a compressed filesystem brought to its place", async () => {
	const files = new Uint8Array(200_000).fill(0xff);
	files.set(Buffer.from("little filesystem"), 100_000);
	const plain = await started();
	expect(await plain.send(gzipSync(files), "--filesystem")).toContain(
		"gzip, which is for atomic updates only",
	);
	const { board, send } = await started("--atomic-filesystem");
	expect(await send(gzipSync(files), "--filesystem")).toContain("verified");
	await until(() => board.out.includes("update of the filesystem (200000 bytes) took effect"));
});

describe("is refused in one line, and no flash is made:", () => {
	test.each([
		["a key that is not there", ["--public-key", "/nowhere/public.key"], "/nowhere/public.key"],
		["what is no key", ["--public-key", import.meta.filename], "cannot be used"],
		["a policy without a key", ["--min-version-counter", "1"], "want a --public-key"],
		["a board without a key", ["--board", "lamp"], "want a --public-key"],
		["the older form without a key", ["--allow-legacy"], "want a --public-key"],
		["the same key five times", Array(5).fill(["--public-key", rsa.publicFile]).flat(), "room for 4 keys"],
	])("%s", async (_, options, message) => {
		const flash = temporaryFile();
		const outcome = await ota8266Here(
			"simulate",
			"--flash",
			flash,
			"--ota-port",
			"0",
			"--http-port",
			"0",
			...options,
		);
		expect(failure(outcome)).toContain(message);
	});

	test.each([
		["--min-version-counter", "-1"],
		["--min-version-counter", "4294967296"],
		["--board", ""],
		["--board", "n".repeat(33)],
	])("%s %s", async (option, value) => {
		const { code, stderr } = await usage("simulate", option, value);
		expect(stderr).toContain(option);
		expect(code).toBe(2);
	});
});
