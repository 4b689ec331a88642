/** What goes over UDP before an update: invitation, password, refusal. The same tests on each engine. */
import { describe, expect, test } from "vitest";
import type { Settings } from "../virtual/modules";
import { BoardBench, newFirmware } from "./board-bench";
import { type EngineName, engines } from "./engines";
import { md5, OLD } from "./updater-bench";
import { md5Answer } from "./uploader";

const PASSWORD = "open sesame";
const NEW = await newFirmware();

describe.each(engines)("on %s,", (engine: EngineName) => {
	const started = (settings: Settings = {}) => BoardBench.started(engine, { otaTimeout: 400, ...settings });
	const invited = async (settings: Settings = {}) => (await started(settings)).uploader(NEW);

	describe("an invitation", () => {
		test("is answered OK where no password is set", async () => {
			const uploader = await invited();
			expect(await uploader.ask(uploader.invitation())).toBe("OK");
		});

		test("is answered with a challenge of 64 hexadecimal digits where one is set", async () => {
			const uploader = await invited({ otaPassword: PASSWORD });
			expect(await uploader.ask(uploader.invitation())).toMatch(/^AUTH [0-9a-f]{64}$/);
		});

		test("without its line feed is understood, as the core does", async () => {
			const uploader = await invited();
			expect(await uploader.ask(uploader.invitation().trim())).toBe("OK");
		});

		test("may have its MD5 in upper case", async () => {
			const uploader = await invited();
			expect(await uploader.ask(uploader.invitation({ md5: md5(NEW).toUpperCase() }))).toBe("OK");
		});

		test.each([
			["empty", ""],
			["of other words", "hello board\n"],
			["with an unknown command", `7 4000 1000 ${md5(NEW)}\n`],
			["that is an authentication out of turn", `200 ${md5(NEW)} ${md5(NEW)}\n`],
			["without an MD5", "0 4000 1000\n"],
			["with an MD5 too short", `0 4000 1000 ${md5(NEW).slice(1)}\n`],
			["with an MD5 too long", `0 4000 1000 ${md5(NEW)}0\n`],
			["with an MD5 that is no hexadecimal", `0 4000 1000 ${"g".repeat(32)}\n`],
			["with a size of eleven digits", `0 4000 10000000000 ${md5(NEW)}\n`],
			["with a negative size", `0 4000 -1 ${md5(NEW)}\n`],
			["with port 0", `0 0 1000 ${md5(NEW)}\n`],
			["with a port above 65535", `0 65536 1000 ${md5(NEW)}\n`],
			["with a tail", `0 4000 1000 ${md5(NEW)} more\n`],
			["that is oversized", `0 4000 1000 ${md5(NEW)}${" ".repeat(200)}\n`],
			["of one byte", "0"],
			["of binary", "\u0000\u0001\ufffd"],
		])("%s is ignored, and the next one understood", async (_name, datagram) => {
			const bench = await started();
			const uploader = await bench.uploader(NEW);
			uploader.send(datagram);
			expect(await uploader.ask(uploader.invitation())).toBe("OK");
			expect(await uploader.answer(30)).toBeUndefined();
		});

		test.each([
			["size 0", { size: 0 }, "ERR: ERROR[5]: Bad Size Given\n"],
			["more than the free space", { size: 0xfe001 }, "ERR: ERROR[4]: Not Enough Space\n"],
			["more than 32 bits", { size: 9_999_999_999 }, "ERR: ERROR[4]: Not Enough Space\n"],
			["a filesystem too large", { size: 0x1fa001, command: 100 }, "ERR: ERROR[4]: Not Enough Space\n"],
		])("for %s is refused with the core's text", async (_name, fields, text) => {
			const bench = await started();
			const { operations } = bench.board.control;
			const uploader = await bench.uploader(NEW);
			expect(await uploader.ask(uploader.invitation(fields))).toBe(text);
			expect(await bench.ended()).toBe(`update failed: ${text.slice(5, -1)}`);
			expect(bench.board.control.operations).toBe(operations);
		});

		test("that comes again is answered again, before the connection stands", async () => {
			const uploader = await invited({ otaPassword: PASSWORD });
			const first = await uploader.ask(uploader.invitation());
			expect(await uploader.ask(uploader.invitation())).toBe(first);
		});

		test("that is another one voids the challenge before it", async () => {
			const uploader = await invited({ otaPassword: PASSWORD });
			const first = (await uploader.ask(uploader.invitation())) ?? "";
			const second = (await uploader.ask(uploader.invitation({ size: NEW.length - 1 }))) ?? "";
			expect(second).not.toBe(first);
			expect(await uploader.ask(md5Answer(PASSWORD, first.slice(5)))).toBe("Authentication Failed");
		});

		test("during an update is refused, and the update succeeds", async () => {
			const bench = await started({ otaPassword: PASSWORD });
			const uploader = await bench.uploader(NEW);
			const intruder = await bench.uploader(NEW);
			expect(await uploader.invite(PASSWORD, true)).toBe("OK");
			const socket = await uploader.accept();
			socket.write(NEW.subarray(0, 5000));
			expect(await intruder.ask(intruder.invitation())).toBe("ERR: ERROR[15]: Update already running\n");
			socket.write(NEW.subarray(5000));
			await bench.printed("ota8266 2.0.0 ready");
		});
	});

	describe("a password", () => {
		test("proved with espota's MD5 answer lets the update begin", async () => {
			const uploader = await invited({ otaPassword: PASSWORD });
			expect(await uploader.invite(PASSWORD)).toBe("OK");
		});

		test("may be set as its MD5", async () => {
			const otaPasswordHash = md5(Buffer.from(PASSWORD)).toUpperCase();
			const uploader = await invited({ otaPasswordHash });
			expect(await uploader.invite(PASSWORD)).toBe("OK");
		});

		test("proved with the strong answer lets the update begin", async () => {
			const uploader = await invited({ otaPassword: PASSWORD });
			expect(await uploader.invite(PASSWORD, true)).toBe("OK");
		});

		test.each([false, true])("that is wrong is refused (strong: %s)", async (strong) => {
			const bench = await started({ otaPassword: PASSWORD });
			const { operations } = bench.board.control;
			const uploader = await bench.uploader(NEW);
			expect(await uploader.invite("guess", strong)).toBe("Authentication Failed");
			expect(await bench.ended()).toMatch(/^update failed: ERROR\[107\]: Wrong password from 127.0.0.1/);
			expect(bench.board.control.operations).toBe(operations);
		});

		test("proved with MD5 is refused where strong authentication is wanted", async () => {
			const uploader = await invited({ otaPassword: PASSWORD, strongAuthentication: true });
			expect(await uploader.invite(PASSWORD)).toBe("Authentication Failed");
		});

		test("proved with the strong answer passes where that is wanted", async () => {
			const uploader = await invited({ otaPassword: PASSWORD, strongAuthentication: true });
			expect(await uploader.invite(PASSWORD, true)).toBe("OK");
		});

		test.each([
			["size", NEW.length - 1, md5(NEW)],
			["MD5", NEW.length, md5(OLD)],
		])("proved strongly for another %s is refused", async (_what, size, digest) => {
			const uploader = await invited({ otaPassword: PASSWORD });
			const nonce = (await uploader.ask(uploader.invitation()))?.slice(5) ?? "";
			const answer = uploader.strongAnswer(PASSWORD, nonce, size, digest);
			expect(await uploader.ask(answer)).toBe("Authentication Failed");
		});

		test("proved for one nonce does not pass again", async () => {
			const bench = await started({ otaPassword: PASSWORD });
			const uploader = await bench.uploader(NEW);
			const nonce = (await uploader.ask(uploader.invitation()))?.slice(5) ?? "";
			const answer = md5Answer(PASSWORD, nonce);
			expect(await uploader.ask(answer)).toBe("OK");
			(await uploader.accept()).destroy();
			await bench.ended();
			expect((await uploader.ask(uploader.invitation()))?.slice(5)).not.toBe(nonce);
			expect(await uploader.ask(answer)).toBe("Authentication Failed");
		});

		test("proved by another peer than the invited one is ignored", async () => {
			const bench = await started({ otaPassword: PASSWORD });
			const uploader = await bench.uploader(NEW);
			const thief = await bench.uploader(NEW);
			const nonce = (await uploader.ask(uploader.invitation()))?.slice(5) ?? "";
			expect(await thief.ask(md5Answer(PASSWORD, nonce), 50)).toBeUndefined();
			expect(await uploader.ask(md5Answer(PASSWORD, nonce))).toBe("OK");
		});

		test.each([
			["31 digits", "a".repeat(31), "b".repeat(32)],
			["33 digits", "a".repeat(32), "b".repeat(33)],
			["32 and 64 digits", "a".repeat(32), "b".repeat(64)],
			["65 digits", "a".repeat(64), "b".repeat(65)],
			["no digits", "x".repeat(32), "y".repeat(32)],
		])("answered with %s is ignored, and the right answer passes", async (_what, cnonce, response) => {
			const uploader = await invited({ otaPassword: PASSWORD });
			const nonce = (await uploader.ask(uploader.invitation()))?.slice(5) ?? "";
			uploader.send(`200 ${cnonce} ${response}\n`);
			expect(await uploader.ask(md5Answer(PASSWORD, nonce))).toBe("OK");
		});

		test("that was wrong makes the next challenge wait", async () => {
			const uploader = await invited({ otaPassword: PASSWORD });
			expect(await uploader.invite("guess")).toBe("Authentication Failed");
			const before = Date.now();
			expect(await uploader.ask(uploader.invitation(), 300)).toBeUndefined();
			expect(await uploader.answer()).toMatch(/^AUTH /);
			expect(Date.now() - before).toBeGreaterThan(800);
		});
	});
});
