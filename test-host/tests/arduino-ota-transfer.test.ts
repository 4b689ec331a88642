/** What goes over TCP in an update: bytes, acknowledgements, result. The same tests on each engine. */
import { describe, expect, test } from "vitest";
import type { Settings } from "../virtual/modules";
import { BoardBench, FIRST, newFirmware } from "./board-bench";
import { type EngineName, engines } from "./engines";
import { md5 } from "./updater-bench";
import { Reader } from "./uploader";

const PASSWORD = "open sesame";
const SIZE = 220_000;
/** What espota sends at a time. */
const PIECE = 1460;
const NEW = await newFirmware("2.0.0", SIZE);

describe.each(engines)("on %s,", (engine: EngineName) => {
	const started = (settings: Settings = {}) => BoardBench.started(engine, { otaTimeout: 400, ...settings });

	/** After a failure: the old firmware, no choice, and a board that takes the next update. */
	async function recovers(bench: BoardBench): Promise<void> {
		await bench.ended();
		expect(await bench.reset()).toBe("1.0.0");
		expect(md5(bench.get(0, FIRST.length))).toBe(md5(FIRST));
		const uploader = await bench.uploader(NEW);
		expect(await uploader.invite(PASSWORD, true)).toBe("OK");
		const socket = await uploader.accept();
		const reader = new Reader(socket);
		socket.write(NEW);
		expect(await reader.result()).toMatch(/OK$/);
		await bench.printed("update to 2.0.0 took effect");
	}

	describe("espota", () => {
		test("uploads: each piece is acknowledged with its count, then comes OK in a read of its own", async () => {
			const bench = await started({ otaPassword: PASSWORD });
			const uploader = await bench.uploader(NEW);
			expect(await uploader.invite(PASSWORD)).toBe("OK");
			const { acknowledgements, result } = await uploader.upload();
			const counts = Array.from({ length: Math.floor(SIZE / PIECE) }, () => `${PIECE}`);
			expect(acknowledgements).toEqual([...counts, `${SIZE % PIECE}`]);
			expect(result).toBe("OK");
			await bench.printed("update to 2.0.0 took effect");
		});

		test("uploads a filesystem", async () => {
			const bench = await started();
			const image = new Uint8Array(10_000).fill(0x5a);
			const uploader = await bench.uploader(image);
			expect(await uploader.ask(uploader.invitation({ command: 100 }))).toBe("OK");
			expect((await uploader.upload()).result).toBe("OK");
			await bench.printed("update of the filesystem (10000 bytes) took effect");
			expect(md5(bench.get(0x200000, image.length))).toBe(md5(image));
			expect(bench.version).toBe("1.0.0");
		});

		test("is told a wrong MD5 with both of them", async () => {
			const bench = await started();
			const uploader = await bench.uploader(NEW);
			expect(await uploader.ask(uploader.invitation({ md5: md5(FIRST) }))).toBe("OK");
			const { result } = await uploader.upload();
			const text = `ERROR[7]: MD5 verification failed: expected: ${md5(FIRST)}, calculated: ${md5(NEW)}\n`;
			expect(result).toBe(text.slice(0, 64));
			expect(await bench.ended()).toBe(`update failed: ${text.trim()}`);
			expect(await bench.reset()).toBe("1.0.0");
		});

		test("is told a failure of the last piece in a read of its own, behind the acknowledgement", async () => {
			const bench = await started();
			const uploader = await bench.uploader(NEW);
			bench.soil(SIZE);
			// Whole sectors of an erase and sixteen pages, then into the pages of the last one.
			bench.arm(Math.floor(SIZE / 4096) * 17 + 2, "fail");
			expect(await uploader.invite()).toBe("OK");
			const { acknowledgements, result } = await uploader.upload();
			expect(acknowledgements.at(-1)).toBe(`${SIZE % PIECE}`);
			expect(result).toBe("ERROR[1]: Flash Write Failed\n");
			expect(await bench.ended()).toBe("update failed: ERROR[1]: Flash Write Failed");
		});
	});

	describe("an uploader that does not wait for acknowledgements", () => {
		test("gets their sum and the result, without a pause where it proved the password strongly", async () => {
			const bench = await started({ otaPassword: PASSWORD });
			const uploader = await bench.uploader(NEW);
			expect(await uploader.invite(PASSWORD, true)).toBe("OK");
			const socket = await uploader.accept();
			const reader = new Reader(socket);
			socket.write(NEW);
			expect(await reader.result()).toMatch(/^\d+OK$/);
			await bench.printed("update to 2.0.0 took effect");
		});

		test("and never reads is no obstacle", async () => {
			const bench = await started({ otaPassword: PASSWORD });
			const uploader = await bench.uploader(NEW);
			expect(await uploader.invite(PASSWORD, true)).toBe("OK");
			const socket = await uploader.accept();
			socket.pause();
			socket.write(NEW);
			await bench.printed("update to 2.0.0 took effect");
		});
	});

	describe("a transfer fails and the board goes on:", () => {
		async function begun(options = {}) {
			const bench = await started({ otaPassword: PASSWORD, ...options });
			const uploader = await bench.uploader(NEW);
			expect(await uploader.invite(PASSWORD, true)).toBe("OK");
			const socket = await uploader.accept();
			return { bench, uploader, socket, reader: new Reader(socket) };
		}

		test("the uploader stalls", async () => {
			const { bench, socket, reader } = await begun();
			socket.write(NEW.subarray(0, 7000));
			expect(await reader.result()).toMatch(/^\d+ERROR\[6\]: Stream Read Timeout\n$/);
			expect(await bench.ended()).toBe("update failed: ERROR[6]: Stream Read Timeout");
			await recovers(bench);
		});

		test("the uploader sends nothing", async () => {
			const { bench, reader } = await begun();
			expect(await reader.result()).toBe("ERROR[6]: Stream Read Timeout\n");
			await recovers(bench);
		});

		test("the uploader closes", async () => {
			const { bench, socket } = await begun();
			socket.end(NEW.subarray(0, 7000));
			expect(await bench.ended()).toMatch(
				new RegExp(
					`^update failed: ERROR\\[104\\]: Connection lost after \\d+ of ${SIZE} bytes, send it again$`,
				),
			);
			await recovers(bench);
		});

		test("the uploader resets", async () => {
			const { bench, socket, reader } = await begun();
			socket.write(NEW.subarray(0, 7000));
			await reader.read(4);
			socket.resetAndDestroy();
			expect(await bench.ended()).toMatch(/^update failed: ERROR\[104\]/);
			await recovers(bench);
		});

		test("the uploader closes one byte before the end", async () => {
			const { bench, socket } = await begun();
			socket.end(NEW.subarray(0, -1));
			expect(await bench.ended()).toMatch(new RegExp(`^update failed: ERROR\\[104\\].* \\d+ of ${SIZE}`));
			await recovers(bench);
		});

		test("the uploader sends a byte too many", async () => {
			const { bench, socket, reader } = await begun();
			socket.write(Buffer.concat([NEW, Uint8Array.of(0)]));
			expect(await reader.result()).toMatch(/ERROR\[4\]: Not Enough Space\n$/);
			expect(await bench.ended()).toMatch(/^update failed: ERROR\[4\]: Not Enough Space$/);
			await recovers(bench);
		});

		test("the uploader does not listen", async () => {
			const bench = await started({ otaPassword: PASSWORD });
			const uploader = await bench.uploader(NEW);
			const nobody = await bench.uploader(NEW);
			const { port } = nobody;
			nobody.close();
			const nonce = (await uploader.ask(uploader.invitation({ port })))?.slice(5) ?? "";
			expect(await uploader.ask(uploader.strongAnswer(PASSWORD, nonce))).toBe("OK");
			expect(await bench.ended()).toMatch(/^update failed: ERROR\[105\]: No connection to 127.0.0.1 port/);
			await recovers(bench);
		});

		test("the image is no image", async () => {
			const bench = await started({ otaPassword: PASSWORD });
			const { operations } = bench.board.control;
			const uploader = await bench.uploader(new Uint8Array(20_000));
			expect(await uploader.invite(PASSWORD, true)).toBe("OK");
			const socket = await uploader.accept();
			const reader = new Reader(socket);
			socket.write(uploader.image);
			expect(await reader.result()).toBe("ERROR[10]: Magic byte is not 0xE9\n");
			expect(bench.board.control.operations).toBe(operations);
			await recovers(bench);
		});

		test.each(["erase", "program"] as const)("the flash cannot %s", async (only) => {
			const { bench, socket, reader } = await begun();
			bench.soil(SIZE);
			bench.arm(40, "fail", only);
			socket.write(NEW);
			const text = only === "erase" ? "ERROR[2]: Flash Erase Failed" : "ERROR[1]: Flash Write Failed";
			expect(await reader.result()).toContain(`${text}\n`);
			expect(await bench.ended()).toBe(`update failed: ${text}`);
			await recovers(bench);
		});
	});
});
