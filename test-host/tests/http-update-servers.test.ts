/** The polling client against servers that others have made: a PHP script as Arduino's users run it, and nginx. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { RunningFirmware } from "../../ota/running";
import { ClientBench, NEW, quickWaits, TestServer, TIMEOUT } from "./client-bench";

const SCRIPT = fileURLToPath(new URL("../fixtures/update.php", import.meta.url));
const has = (program: string, option: string) => spawnSync(program, [option]).status === 0;
/** In CI both have to be there, so that what is missing fails. */
const hasPHP = process.env.CI !== undefined || has("php", "-v");
const hasNginx = process.env.CI !== undefined || has("nginx", "-v");

/** A folder with the firmware 2.0.0 in it. */
function images(): string {
	const folder = mkdtempSync(join(tmpdir(), "ota8266-server-"));
	chmodSync(folder, 0o755);
	onTestFinished(() => rmSync(folder, { recursive: true }));
	writeFileSync(join(folder, "2.0.0.bin"), NEW);
	return folder;
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	return typeof address === "object" && address ? address.port : 0;
}

/** Runs a server until the test ends; resolves when it takes connections. */
async function serve(program: string, options: readonly string[], port: number, env = {}): Promise<void> {
	const child: ChildProcess = spawn(program, options, { env: { ...process.env, ...env } });
	let said = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on("data", (data) => {
			said += data;
		});
	}
	onTestFinished(
		() =>
			new Promise<void>((resolve) => {
				child.once("close", () => resolve());
				if (!child.kill()) resolve();
			}),
	);
	await expect.poll(() => answers(port), { timeout: 10_000, message: said }).toBe(true);
}

function answers(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1", () => {
			socket.destroy();
			resolve(true);
		});
		socket.on("error", () => resolve(false));
	});
}

/** A bench whose client knows the MD5 of what runs. */
async function benchOf(mac?: Uint8Array): Promise<ClientBench> {
	const bench = new ClientBench({ timeout: TIMEOUT }, mac && { mac });
	await new Promise<void>((resolve) => new RunningFirmware().measure(resolve));
	return bench;
}

describe.skipIf(!hasPHP)("the PHP script of Arduino's documentation (apt-get install php-cli)", () => {
	const start = async () => {
		const port = await freePort();
		const IMAGES = images();
		await serve("php", ["-S", `127.0.0.1:${port}`, SCRIPT], port, { IMAGES });
		return `http://127.0.0.1:${port}/update.php`;
	};

	test("updates a board that it knows, and leaves it alone when it has the version", async () => {
		const url = await start();
		const bench = await benchOf();
		expect(await bench.ask(url, "2.0.0")).toEqual({ result: "no updates" });
		const version = await new Promise((resolve) => bench.client.availableVersion(url, "1.0.0", resolve));
		expect(version).toEqual({ result: "available", version: "2.0.0" });
		expect(await bench.ask(url, "1.0.0")).toEqual({ result: "updated" });
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
		bench.start();
		const running = new RunningFirmware();
		await new Promise<void>((resolve) => running.measure(resolve));
		expect(await bench.short(url, bench.clientOf({ running, timeout: TIMEOUT }))).toBe("no updates");
	});

	test("does not know another board", async () => {
		const url = await start();
		const bench = await benchOf(Uint8Array.of(0x18, 0xfe, 0x34, 1, 2, 3));
		expect(await bench.short(url)).toBe("failed -104");
		expect(bench.told).toEqual([]);
	});
});

describe.skipIf(!hasNginx)("nginx with plain files (apt-get install nginx-light)", () => {
	const start = async () => {
		const port = await freePort();
		const folder = images();
		const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
		const config = `
			daemon off;
			master_process off;
			pid ${folder}/pid;
			error_log stderr;
			events {}
			http {
				access_log ${folder}/access.log;
				${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
				server {
					listen 127.0.0.1:${port};
					root ${folder};
					location /secret/ { return 403; }
					location /moved { return 302 /2.0.0.bin; }
				}
			}`;
		writeFileSync(join(folder, "nginx.conf"), config);
		await serve("nginx", ["-e", "stderr", "-p", folder, "-c", join(folder, "nginx.conf")], port);
		return `http://127.0.0.1:${port}`;
	};

	test("updates a board without any logic, and tells what it has not", async () => {
		const url = await start();
		const bench = await benchOf();
		expect(await bench.short(`${url}/none.bin`)).toBe("failed -102");
		expect(await bench.short(`${url}/secret/2.0.0.bin`)).toBe("failed -103");
		expect(await bench.short(`${url}/moved`)).toBe("updated");
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("sends the rest of what broke, by its ETag", async () => {
		quickWaits();
		const url = await start();
		const bench = await benchOf();
		const asked: (string | undefined)[] = [];
		const statuses: number[] = [];
		// In front of it, one that breaks the first answer.
		const proxy = await TestServer.start(async (request, response) => {
			const headers: Record<string, string> = {};
			for (const name of ["range", "if-range"]) {
				const value = request.headers[name];
				if (typeof value === "string") headers[name] = value;
			}
			asked.push(headers.range);
			const answer = await fetch(`${url}/2.0.0.bin`, {
				headers: { ...headers, "accept-encoding": "identity" },
			});
			const body = new Uint8Array(await answer.arrayBuffer());
			statuses.push(answer.status);
			const passed = ["etag", "content-length", "content-range"];
			const kept = passed.flatMap((name) => {
				const value = answer.headers.get(name);
				return value === null ? [] : [[name, value]];
			});
			response.writeHead(answer.status, Object.fromEntries(kept)).flushHeaders();
			if (asked.length > 1) response.end(body);
			else response.write(body.subarray(0, 10_000), () => response.socket?.end());
		});
		expect(await bench.short(proxy.url)).toBe("updated");
		expect(asked).toEqual([undefined, "bytes=8192-"]);
		expect(statuses).toEqual([200, 206]);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});
});
