/** `ota8266 serve` as a process: what it prints, how it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../tools/program";
import { deviceRequest, exchange, firmware, imageFolder, until } from "./serve-bench";

let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
	folder = await imageFolder({
		"stable/lamp-1.0.0.bin": firmware("1.0.0"),
		"stable/lamp-1.0.0.fs.bin": Buffer.alloc(8_000_000),
	});
});

afterAll(() => rm(folder, { recursive: true }));

afterEach(() => {
	for (const child of children.splice(0)) child.kill("SIGKILL");
});

class Served {
	stdout = "";
	stderr = "";
	readonly #child: ChildProcess;
	readonly #exit: Promise<unknown[]>;

	constructor(args: readonly string[]) {
		const env = { ...process.env, UPLOAD_TOKEN: "secret" };
		this.#child = spawn(process.execPath, ["dist/ota8266.js", "serve", ...args], { env });
		children.push(this.#child);
		this.#child.stdout?.on("data", (piece) => {
			this.stdout += piece;
		});
		this.#child.stderr?.on("data", (piece) => {
			this.stderr += piece;
		});
		this.#exit = once(this.#child, "close");
	}

	/** The port, once it listens. */
	async port(): Promise<number> {
		await until(() => /Ctrl-C ends it/.test(this.stderr));
		return Number(/:(\d+)\/update/.exec(this.stderr)?.[1]);
	}

	signal(name: NodeJS.Signals): void {
		this.#child.kill(name);
	}

	async exitCode(): Promise<unknown> {
		return (await this.#exit)[0];
	}
}

async function usage(...args: readonly string[]): Promise<{ code: number; text: string }> {
	let text = "";
	const write = (piece: string): void => {
		text += piece;
	};
	return { code: await run(["serve", ...args], { writeOut: write, writeErr: write }), text };
}

/** A download that does not go on until it is told to. */
async function slowDownload(port: number): Promise<Socket> {
	const socket = connect(port, "127.0.0.1");
	socket.on("error", () => {});
	socket.write(deviceRequest({ "x-ESP8266-mode": "spiffs", "x-ESP8266-chip-size": "16777216" }));
	await once(socket, "data");
	socket.pause();
	return socket;
}

describe("ota8266 serve", () => {
	test("says where devices update from and what it offers, and logs on standard output", async () => {
		const served = new Served([folder, "--port", "0", "--host", "127.0.0.1"]);
		const port = await served.port();
		expect(port).toBeGreaterThan(0);
		expect(served.stderr).toContain(`Devices update from http://127.0.0.1:${port}/update\n`);
		expect(served.stderr).toContain("stable/lamp-1.0.0.bin: offered\n");
		expect(served.stderr).toContain(`${folder}: 2 images\n`);
		expect((await exchange(port, deviceRequest())).status).toBe(200);
		served.signal("SIGINT");
		expect(await served.exitCode()).toBe(0);
		expect(
			served.stdout
				.trimEnd()
				.split("\n")
				.map((line) => JSON.parse(line)),
		).toMatchObject([{ status: 200 }]);
	});

	test("listens on all addresses where none is given", async () => {
		const served = new Served([folder, "--port", "0"]);
		const port = await served.port();
		expect((await exchange(port, deviceRequest())).status).toBe(200);
		await until(() => served.stdout !== "");
		expect(JSON.parse(served.stdout)).toMatchObject({ peer: "127.0.0.1" });
	});

	test("takes uploads with the token of the environment", async () => {
		const served = new Served([
			folder,
			"--port",
			"0",
			"--host",
			"127.0.0.1",
			"--upload-token-env",
			"UPLOAD_TOKEN",
		]);
		const port = await served.port();
		const body = firmware("2.0.0");
		const head = `PUT /images/ci/lamp-2.0.0.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer secret\r\nContent-Length: ${body.length}\r\n\r\n`;
		expect((await exchange(port, Buffer.concat([Buffer.from(head), body]))).status).toBe(201);
	});

	test.each(["SIGINT", "SIGTERM"] as const)(
		"finishes what runs after %s, and accepts nothing more",
		async (name) => {
			const served = new Served([folder, "--port", "0", "--host", "127.0.0.1"]);
			const port = await served.port();
			const idleEnd = once(connect(port, "127.0.0.1").resume(), "close");
			const socket = await slowDownload(port);
			served.signal(name);
			await until(() => served.stderr.includes("finishing 1 downloads"));
			await idleEnd;
			await expect(exchange(port, deviceRequest())).rejects.toThrow("ECONNREFUSED");
			let length = 0;
			socket.on("data", (piece) => {
				length += piece.length;
			});
			socket.resume();
			await once(socket, "close");
			expect(length).toBeGreaterThan(7_900_000);
			expect(await served.exitCode()).toBe(0);
			expect(served.stdout).toContain('"bytes":8000000');
		},
	);

	test("ends at once after a second signal", async () => {
		const served = new Served([folder, "--port", "0", "--host", "127.0.0.1"]);
		const socket = await slowDownload(await served.port());
		served.signal("SIGINT");
		await until(() => served.stderr.includes("finishing"));
		served.signal("SIGINT");
		expect(await served.exitCode()).toBe(1);
		expect(served.stdout).toContain("connection lost");
		socket.destroy();
	});

	test("says that its port is taken", async () => {
		const other = createServer().listen(0, "127.0.0.1");
		await once(other, "listening");
		const { port } = other.address() as { port: number };
		const served = new Served([folder, "--port", String(port), "--host", "127.0.0.1"]);
		expect(await served.exitCode()).toBe(1);
		expect(served.stderr).toContain(
			`TCP port ${port} is taken: end what uses it, or give another one with --port\n`,
		);
		other.close();
	});

	test("says that the folder is missing, or none, or its devices.json faulty", async () => {
		const faulty = await imageFolder({ "devices.json": "{" });
		const missing = new Served([join(folder, "none")]);
		const file = new Served([join(folder, "stable/lamp-1.0.0.bin")]);
		const devices = new Served([faulty, "--port", "0"]);
		expect(await missing.exitCode()).toBe(1);
		expect(missing.stderr).toBe(
			`${folder}/none: no such folder; make ${folder}/none/stable and put images there\n`,
		);
		expect(await file.exitCode()).toBe(1);
		expect(file.stderr).toContain("that is no folder");
		expect(await devices.exitCode()).toBe(1);
		expect(devices.stderr).toMatch(/^devices\.json: .*JSON/);
		await rm(faulty, { recursive: true });
	});

	test("says that it cannot listen on an address that this machine does not have", async () => {
		const served = new Served([folder, "--port", "0", "--host", "192.0.2.77"]);
		expect(await served.exitCode()).toBe(1);
		expect(served.stderr).toContain("cannot listen on TCP port 0");
	});

	test.each([
		["no folder", "", "missing required argument 'dir'"],
		["no port", "x --port http", "a port is a number from 0 to 65535"],
		["two tokens", "x --upload-token a --upload-token-env B", "cannot be used with"],
		["no variable", "x --upload-token-env OTA_NONE", "set the environment variable OTA_NONE"],
		["a token with a line break", "x --upload-token a\nb", "printable characters"],
	])("says what is wrong with the usage: %s", async (_, line, message) => {
		const { code, text } = await usage(...line.split(" ").filter((word) => word !== ""));
		expect(text).toContain(message);
		expect(code).toBe(2);
	});

	test("helps", async () => {
		const { code, text } = await usage("--help");
		expect(code).toBe(0);
		expect(text).toContain("ota8266 serve images");
	});
});
