/** The command that `npm start` runs, as a user sees it. */
import { createSocket } from "node:dgram";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { newFirmware, until } from "./board-bench";
import { exitCode, port, run } from "./simulate-bench";
import { slotFirmware } from "./slots-board-bench";
import { temporaryFile } from "./temporary-flash";

test("a new board starts, says what to do next, takes an upload, and ends with Ctrl-C", async () => {
	const flash = temporaryFile();
	const image = join(dirname(flash), "firmware-2.0.0.bin");
	writeFileSync(image, await newFirmware());
	const board = run("simulate", "--flash", flash, "--ota-port", "0", "--no-mdns", "--password", "secret");
	const otaPort = await port(board);
	expect(board.out).toContain("ota8266 1.0.0 ready");
	expect(board.errors).toContain("npx ota8266 upload dist/firmware-2.0.0.bin --host 127.0.0.1");

	const upload = run("upload", image, "--host", "127.0.0.1", "--port", otaPort, "--password", "secret");
	expect(await exitCode(upload.process)).toBe(0);
	expect(upload.errors).toContain("100 %");
	await until(() => board.out.includes("update to 2.0.0 took effect"));

	board.process.kill("SIGINT");
	expect(await exitCode(board.process)).toBe(0);
	expect(statSync(flash).size).toBe(0x400000);

	const again = run("simulate", "--flash", flash, "--ota-port", "0", "--no-mdns");
	await until(() => again.out.includes("ota8266 2.0.0 ready"));
});

test("a wrong password is told as such, and the board goes on", async () => {
	const flash = temporaryFile();
	const image = join(dirname(flash), "firmware-2.0.0.bin");
	writeFileSync(image, await newFirmware());
	const board = run("simulate", "--flash", flash, "--ota-port", "0", "--no-mdns", "--password", "secret");
	const upload = run(
		"upload",
		image,
		"--host",
		"127.0.0.1",
		"--port",
		await port(board),
		"--password",
		"guess",
	);
	expect(await exitCode(upload.process)).toBe(1);
	expect(upload.errors).toContain("Authentication Failed");
	expect(board.out).not.toContain("begins");
});

test("a taken port is named, with exit code 1", async () => {
	const taken = createSocket("udp4");
	await new Promise<void>((bound) => taken.bind(0, bound));
	onTestFinished(() => {
		taken.close();
	});
	const { port } = taken.address();
	const flash = temporaryFile();
	const board = run("simulate", "--flash", flash, "--ota-port", String(port));
	expect(await exitCode(board.process)).toBe(1);
	expect(board.errors).toContain(`UDP port ${port} is taken`);
	expect(existsSync(flash)).toBe(false);
});

test("a flash file of another size is told, with exit code 1", async () => {
	const flash = temporaryFile();
	writeFileSync(flash, new Uint8Array(1000));
	const board = run("simulate", "--flash", flash, "--ota-port", "0");
	expect(await exitCode(board.process)).toBe(1);
	expect(board.errors).toContain("1000 bytes");
});

test.each([
	["--mac", "18:FE"],
	["--ota-port", "99999"],
	["--flash-size", "3M"],
	["--boot", "grub"],
])("%s %s is wrong usage, with exit code 2", async (option, value) => {
	const board = run("simulate", option, value);
	expect(await exitCode(board.process)).toBe(2);
	expect(board.errors).toContain(option);
});

test("another firmware is flashed by cable", async () => {
	const flash = temporaryFile();
	const image = join(dirname(flash), "firmware-3.0.0.bin");
	writeFileSync(image, await newFirmware("3.0.0"));
	const board = run("simulate", "--flash", flash, "--ota-port", "0", "--no-mdns", "--firmware", image);
	await until(() => board.out.includes("ota8266 3.0.0 ready"));
});

test("a board that does not start waits for Ctrl-C", async () => {
	const flash = temporaryFile();
	const image = join(dirname(flash), "zeros.bin");
	writeFileSync(image, new Uint8Array(8192));
	const board = run("simulate", "--flash", flash, "--ota-port", "0", "--no-mdns", "--firmware", image);
	await until(() => board.out.includes("ets_main.c"));
	board.process.kill("SIGINT");
	expect(await exitCode(board.process)).toBe(0);
});

test("a firmware that is missing is named, and leaves no flash behind", async () => {
	const flash = temporaryFile();
	const board = run("simulate", "--flash", flash, "--ota-port", "0", "--firmware", "nowhere.bin");
	expect(await exitCode(board.process)).toBe(1);
	expect(board.errors).toContain("nowhere.bin: no such file");
	expect(existsSync(flash)).toBe(false);
});

test("an empty host is wrong usage", async () => {
	const upload = run("upload", "nowhere.bin", "--host", "");
	expect(await exitCode(upload.process)).toBe(2);
	expect(upload.errors).toContain("Give a name or an address");
});

test("a board with slots is made of a partition table, and takes an image into the other slot", async () => {
	const flash = temporaryFile();
	const image = join(dirname(flash), "firmware-2.0.0.bin");
	writeFileSync(image, await slotFirmware("2.0.0"));
	const table = fileURLToPath(new URL("../../partitions/two-slots-4m.csv", import.meta.url));
	const options = ["--flash", flash, "--ota-port", "0", "--no-mdns"];
	const board = run("simulate", ...options, "--partitions", table);
	const otaPort = await port(board);
	expect(board.out).toContain("boot: Loaded app from partition at offset 0x10000");
	expect(board.errors).toContain("npm run firmware -- --version 2.0.0 --slot 0x10000");
	const upload = run("upload", image, "--host", "127.0.0.1", "--port", otaPort);
	expect(await exitCode(upload.process)).toBe(0);
	await until(() => board.out.includes("firmware confirmed"));
	board.process.kill("SIGINT");
	expect(await exitCode(board.process)).toBe(0);
	// Its flash has a table now: that is enough.
	const again = run("simulate", ...options);
	await until(() => again.out.includes("ota8266 2.0.0 ready"));
});

describe("the boot loader", () => {
	const lives = async (options: readonly string[], installed: RegExp) => {
		const flash = temporaryFile();
		const image = join(dirname(flash), "firmware-2.0.0.bin");
		writeFileSync(image, await newFirmware());
		const board = run(
			"simulate",
			"--flash",
			flash,
			"--ota-port",
			"0",
			"--http-port",
			"0",
			"--no-mdns",
			...options,
		);
		const otaPort = await port(board);
		const upload = run("upload", image, "--host", "127.0.0.1", "--port", otaPort);
		expect(await exitCode(upload.process)).toBe(0);
		await until(() => installed.test(board.out));
		await until(() => board.out.includes("update to 2.0.0 took effect"));
		board.process.kill("SIGINT");
		expect(await exitCode(board.process)).toBe(0);

		const again = run("simulate", "--flash", flash, "--ota-port", "0", "--http-port", "0", "--no-mdns");
		await until(() => again.out.includes("~ld\r\nota8266 2.0.0 ready"));
	};

	test("of a new flash is ours, which goes by its record", async () => {
		await lives([], /~cp:0\r\nld\r\nota8266 2.0.0 ready/);
	});

	test("is eboot where that is wanted, which goes by its command", async () => {
		await lives(["--boot", "eboot"], /@cp:B0\r\nld\r\nota8266 2.0.0 ready/);
	});

	test("is that of the file that is flashed, or ours", async () => {
		const image = temporaryFile();
		writeFileSync(image, await newFirmware());
		for (const [options, sign] of [
			[[], "eboot"],
			[["--boot", "ours"], "our own"],
		] as const) {
			const flash = temporaryFile();
			const board = run(
				"simulate",
				"--flash",
				flash,
				"--firmware",
				image,
				"--ota-port",
				"0",
				"--http-port",
				"0",
				...options,
			);
			await port(board);
			expect(readFileSync(flash).subarray(0, 200).includes(sign)).toBe(true);
		}
	});

	test("cannot be ours with a partition table", async () => {
		const flash = temporaryFile();
		const board = run("simulate", "--flash", flash, "--boot", "ours", "--partitions", "table.csv");
		expect(await exitCode(board.process)).toBe(1);
		expect(board.errors).toContain("--partitions");
		expect(existsSync(flash)).toBe(false);
	});
});

test.each([
	["is none", "nvs, data, nvs, 0x9000\n", "line 1"],
	[
		"reaches beyond the flash",
		"ota_0, app, ota_0, 0x10000, 0x400000\n",
		"behind the flash of 0x400000 bytes",
	],
	["has no app to boot", "nvs, data, nvs, 0x9000, 0x4000\n", "app"],
])("a table that %s is told with exit code 1, and no flash is made", async (_name, csv, text) => {
	const flash = temporaryFile();
	const table = join(dirname(flash), "table.csv");
	writeFileSync(table, csv);
	const board = run("simulate", "--flash", flash, "--ota-port", "0", "--partitions", table);
	expect(await exitCode(board.process)).toBe(1);
	expect(board.errors).toContain(text);
	expect(existsSync(flash)).toBe(false);
});
