/** A whole board that polls `ota8266 serve`, on either engine; the server may be killed, the board's power cut. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { BoardBench, newFirmware, until } from "./board-bench";
import { type EngineName, engines } from "./engines";
import { Serve } from "./serve-process";

const SIZE = 400_000;

/** Lies between board and server, slow as Wi-Fi, and counts what goes to the board. */
class Wire {
	sent = 0;
	/** What was asked, the head of each request. */
	readonly asked: string[] = [];
	#server: Server;
	readonly #ends = new Set<Socket>();

	private constructor(server: Server) {
		this.#server = server;
	}

	static async to(serve: Serve, bytesPerSecond: number): Promise<Wire> {
		const server = createServer();
		const wire = new Wire(server);
		server.on("connection", (board) => {
			const there = connect(serve.port, "127.0.0.1");
			wire.#ends.add(there);
			board.on("error", () => there.destroy());
			there.on("error", () => board.destroy());
			board.on("data", (bytes) => {
				wire.asked.push(bytes.toString("latin1"));
				there.write(bytes);
			});
			board.on("close", () => there.destroy());
			there.on("close", () => {
				wire.#ends.delete(there);
				board.destroySoon();
			});
			there.on("data", (bytes: Buffer) => {
				wire.sent += bytes.length;
				board.write(bytes);
				there.pause();
				setTimeout(() => there.resume(), (1000 * bytes.length) / bytesPerSecond);
			});
		});
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		onTestFinished(() => {
			server.close();
		});
		return wire;
	}

	get url(): string {
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/update`;
	}

	/** Loses what a server that has died left on its way, which on this machine is all of it. */
	cut(): void {
		for (const end of this.#ends) end.destroy();
	}

	/** Where the first request that asked for the rest wanted it from. */
	get from(): number {
		const head = this.asked.find((asked) => asked.includes("range: bytes=")) ?? "";
		return Number(/range: bytes=(\d+)-/.exec(head)?.[1]);
	}
}

async function polling(engine: EngineName, url: string): Promise<BoardBench> {
	const settings = { updateUrl: url, updateInterval: 2, updateFirst: 0.2 };
	return BoardBench.started(engine, settings);
}

describe.each(engines)("a board that polls the server (%s)", (engine) => {
	test("comes up in the next version, and then has no more to do", async () => {
		const serve = await Serve.started(await newFirmware("2.0.0", SIZE));
		const wire = await Wire.to(serve, 10_000_000);
		const bench = await polling(engine, wire.url);
		await bench.printed("update check: updated, restarting");
		await bench.printed("2.0.0 ready");
		await bench.printed("update to 2.0.0 took effect");
		await bench.printed("update check: no updates, next in");
		await until(() => serve.log.includes('"status":304'));
	});

	test("goes on where it was when the server is killed in mid-download and started again", async () => {
		const serve = await Serve.started(await newFirmware("2.0.0", SIZE));
		const wire = await Wire.to(serve, 300_000);
		const bench = await polling(engine, wire.url);
		await bench.printed("update 40 %");
		serve.kill();
		wire.cut();
		await serve.start();
		await bench.printed("2.0.0 ready");
		expect(wire.from).toBeGreaterThan(0.3 * SIZE);
		expect(wire.from % 4096).toBe(0);
		// Nothing came twice but what was on its way to the flash, and the heads of two answers.
		expect(wire.sent).toBeLessThan(SIZE + 150_000);
		expect(bench.told.filter((line) => line.endsWith("begins"))).toHaveLength(1);
	});

	test("goes on where it was after a power cut in mid-download", async () => {
		const serve = await Serve.started(await newFirmware("2.0.0", SIZE));
		const wire = await Wire.to(serve, 300_000);
		const bench = await polling(engine, wire.url);
		await bench.printed("update 40 %");
		await bench.board.powerOff();
		const before = wire.sent;
		await bench.powerOn();
		expect(bench.version).toBe("1.0.0");
		await bench.printed("2.0.0 ready");
		const { from } = wire;
		expect(from).toBeGreaterThan(0.3 * SIZE);
		// The second time only the rest came, and its head.
		expect(wire.sent - before).toBeLessThan(SIZE - from + 70_000);
	});
});

test("a server that is not there is asked again later, and later", async () => {
	const bench = await polling("node", "http://127.0.0.1:1/update");
	await bench.printed("update check: failed: ERROR[-1]: connection failed, next in");
});
