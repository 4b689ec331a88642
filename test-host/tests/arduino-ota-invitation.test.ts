/** What goes over UDP before an update: invitation, password, refusal. */
import { createSocket } from "node:dgram";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PasswordGuard } from "../../ota/authentication";
import { parseAuthentication, parseInvitation } from "../../ota/invitation";
import { installGlobals } from "../shims/globals";
import { NEW, PASSWORD, ReceiverBench } from "./receiver-bench";
import { board, md5, OLD } from "./updater-bench";
import { md5Answer } from "./uploader";

const sleep = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds));

describe("an invitation", () => {
	test("is answered OK where no password is set", async () => {
		const uploader = await new ReceiverBench().uploader();
		expect(await uploader.ask(uploader.invitation())).toBe("OK");
	});

	test("is answered with a challenge of 64 hexadecimal digits where one is set", async () => {
		const uploader = await new ReceiverBench({ password: PASSWORD }).uploader();
		expect(await uploader.ask(uploader.invitation())).toMatch(/^AUTH [0-9a-f]{64}$/);
	});

	test("without its line feed is understood, as the core does", async () => {
		const uploader = await new ReceiverBench().uploader();
		expect(await uploader.ask(uploader.invitation().trim())).toBe("OK");
	});

	test("may have its MD5 in upper case", async () => {
		const uploader = await new ReceiverBench().uploader();
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
		const bench = new ReceiverBench();
		const uploader = await bench.uploader();
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
		const bench = new ReceiverBench();
		const uploader = await bench.uploader();
		expect(await uploader.ask(uploader.invitation(fields))).toBe(text);
		expect(bench.told).toEqual([`error 1: ${text.slice(5, -1)}`]);
		expect(bench.flash.operations).toBe(0);
	});

	test("that comes again is answered again, before the connection stands", async () => {
		const uploader = await new ReceiverBench({ password: PASSWORD }).uploader();
		const first = await uploader.ask(uploader.invitation());
		expect(await uploader.ask(uploader.invitation())).toBe(first);
	});

	test("that is another one voids the challenge before it", async () => {
		const uploader = await new ReceiverBench({ password: PASSWORD }).uploader();
		const first = (await uploader.ask(uploader.invitation())) ?? "";
		const second = (await uploader.ask(uploader.invitation({ size: 29_999 }))) ?? "";
		expect(second).not.toBe(first);
		expect(await uploader.ask(md5Answer(PASSWORD, first.slice(5)))).toBe("Authentication Failed");
	});

	test("during an update is refused, and the update succeeds", async () => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader();
		const intruder = await bench.uploader();
		expect(await uploader.invite(PASSWORD, true)).toBe("OK");
		const socket = await uploader.accept();
		socket.write(NEW.subarray(0, 5000));
		expect(await intruder.ask(intruder.invitation())).toBe("ERR: ERROR[15]: Update already running\n");
		socket.write(NEW.subarray(5000));
		await bench.restarted;
		expect(bench.told).toEqual(["start firmware", "end firmware"]);
	});

	test("is refused while another receiver is updating", async () => {
		const bench = new ReceiverBench();
		const uploader = await bench.uploader();
		const update = bench.open(NEW);
		expect(await uploader.ask(uploader.invitation())).toBe("ERR: ERROR[15]: Update already running\n");
		expect(update.isOpen).toBe(true);
	});
});

describe("a password", () => {
	test("proved with espota's MD5 answer lets the update begin", async () => {
		const uploader = await new ReceiverBench({ password: PASSWORD }).uploader();
		expect(await uploader.invite(PASSWORD)).toBe("OK");
	});

	test("may be set as its MD5", async () => {
		const passwordHash = md5(Buffer.from(PASSWORD)).toUpperCase();
		const uploader = await new ReceiverBench({ passwordHash }).uploader();
		expect(await uploader.invite(PASSWORD)).toBe("OK");
	});

	test("proved with the strong answer lets the update begin", async () => {
		const uploader = await new ReceiverBench({ password: PASSWORD }).uploader();
		expect(await uploader.invite(PASSWORD, true)).toBe("OK");
	});

	test.each([false, true])("that is wrong is refused (strong: %s)", async (strong) => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader();
		expect(await uploader.invite("guess", strong)).toBe("Authentication Failed");
		expect(bench.told).toHaveLength(1);
		expect(bench.told[0]).toMatch(/^error 0: ERROR\[107\]: Wrong password from 127.0.0.1/);
		expect(bench.flash.operations).toBe(0);
	});

	test("proved with MD5 is refused where strong authentication is wanted", async () => {
		const uploader = await new ReceiverBench({ password: PASSWORD, strongAuthentication: true }).uploader();
		expect(await uploader.invite(PASSWORD)).toBe("Authentication Failed");
	});

	test("proved with the strong answer passes where that is wanted", async () => {
		const uploader = await new ReceiverBench({ password: PASSWORD, strongAuthentication: true }).uploader();
		expect(await uploader.invite(PASSWORD, true)).toBe("OK");
	});

	test.each([
		["size", NEW.length - 1, md5(NEW)],
		["MD5", NEW.length, md5(OLD)],
	])("proved strongly for another %s is refused", async (_what, size, digest) => {
		const uploader = await new ReceiverBench({ password: PASSWORD }).uploader();
		const nonce = (await uploader.ask(uploader.invitation()))?.slice(5) ?? "";
		const answer = uploader.strongAnswer(PASSWORD, nonce, size, digest);
		expect(await uploader.ask(answer)).toBe("Authentication Failed");
	});

	test("proved for one nonce does not pass again", async () => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader();
		const nonce = (await uploader.ask(uploader.invitation()))?.slice(5) ?? "";
		const answer = md5Answer(PASSWORD, nonce);
		expect(await uploader.ask(answer)).toBe("OK");
		(await uploader.accept()).destroy();
		await bench.ended();
		expect((await uploader.ask(uploader.invitation()))?.slice(5)).not.toBe(nonce);
		expect(await uploader.ask(answer)).toBe("Authentication Failed");
	});

	test("proved by another peer than the invited one is ignored", async () => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader();
		const thief = await bench.uploader();
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
		const uploader = await new ReceiverBench({ password: PASSWORD }).uploader();
		const nonce = (await uploader.ask(uploader.invitation()))?.slice(5) ?? "";
		uploader.send(`200 ${cnonce} ${response}\n`);
		expect(await uploader.ask(md5Answer(PASSWORD, nonce))).toBe("OK");
	});

	test("that was wrong makes the next challenge wait", async () => {
		const uploader = await new ReceiverBench({ password: PASSWORD }).uploader();
		expect(await uploader.invite("guess")).toBe("Authentication Failed");
		const before = Date.now();
		expect(await uploader.ask(uploader.invitation(), 300)).toBeUndefined();
		expect(await uploader.answer()).toMatch(/^AUTH /);
		expect(Date.now() - before).toBeGreaterThan(800);
	});

	test("that is wrong five times makes the wait grow, to less than an espota waits", () => {
		installGlobals();
		const guard = new PasswordGuard({ board, hash: md5(Buffer.from(PASSWORD)), strong: false });
		const invitation = { command: 0, port: 1, size: 1, md5: md5(NEW) };
		const delays = [];
		for (let i = 0; i < 6; i++) {
			delays.push(guard.delay);
			guard.verify({ cnonce: "a".repeat(32), response: "b".repeat(32) }, invitation);
		}
		expect(delays).toEqual([0, 1000, 2000, 4000, 8000, 8000]);
		const [, cnonce = "", response = ""] = md5Answer(PASSWORD, guard.challenge()).trim().split(" ");
		expect(guard.verify({ cnonce, response }, invitation)).toBe(true);
		expect(guard.delay).toBe(0);
	});

	test("has another nonce each time", () => {
		installGlobals();
		const guard = new PasswordGuard({ board, hash: "", strong: false });
		const nonces = new Set(Array.from({ length: 100 }, () => guard.challenge()));
		expect(nonces.size).toBe(100);
	});
});

describe("a closed receiver", () => {
	test("answers nothing, and its port is free", async () => {
		const bench = new ReceiverBench();
		const uploader = await bench.uploader();
		const port = await bench.port;
		bench.ota.close();
		bench.ota.close();
		expect(await uploader.ask(uploader.invitation(), 50)).toBeUndefined();
		await sleep(20);
		const socket = createSocket("udp4");
		await new Promise<void>((bound) => socket.bind(port, bound));
		socket.close();
	});
});

describe("the datagrams' parsers", () => {
	test("give what was written", () => {
		installGlobals();
		const hex = (length: number) =>
			fc.array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length });
		fc.assert(
			fc.property(fc.nat(65534), fc.nat(), hex(32), (port, size, digits) => {
				const digest = digits.join("");
				const invitation = { command: 100, port: port + 1, size, md5: digest };
				const message = new TextEncoder().encode(`100 ${port + 1} ${size} ${digest}\n`);
				expect(parseInvitation(message)).toEqual(invitation);
				expect(parseAuthentication(message)).toBeUndefined();
			}),
		);
	});

	test("survive whatever comes", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
				const invitation = parseInvitation(bytes);
				if (invitation) expect(invitation.port).toBeGreaterThan(0);
				parseAuthentication(bytes);
			}),
		);
	});
});
