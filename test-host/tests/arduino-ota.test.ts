/** ArduinoOTA's parts by themselves, and what an application has of it beyond the UART. */
import { createSocket } from "node:dgram";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PasswordGuard } from "../../ota/authentication";
import { parseAuthentication, parseInvitation } from "../../ota/invitation";
import { installGlobals } from "../shims/globals";
import { NEW, PASSWORD, ReceiverBench } from "./receiver-bench";
import { board, md5 } from "./updater-bench";
import { md5Answer, Reader } from "./uploader";

const sleep = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds));

test("an invitation is refused while another receiver is updating", async () => {
	const bench = new ReceiverBench();
	const uploader = await bench.uploader();
	const update = bench.open(NEW);
	expect(await uploader.ask(uploader.invitation())).toBe("ERR: ERROR[15]: Update already running\n");
	expect(update.isOpen).toBe(true);
});

test("a password that is wrong five times makes the wait grow, to less than an espota waits", () => {
	installGlobals();
	const guard = new PasswordGuard({ board, hash: md5(Buffer.from(PASSWORD)), strong: false });
	const invitation = { command: 0, port: 1, size: 1, md5: md5(NEW) };
	const delays = [];
	for (let i = 0; i < 6; i++) {
		delays.push(guard.delay);
		guard.verify({ cnonce: "a".repeat(32), response: "b".repeat(32) }, guard.challenge(), invitation);
	}
	expect(delays).toEqual([0, 1000, 2000, 4000, 8000, 8000]);
	const nonce = guard.challenge();
	const [, cnonce = "", response = ""] = md5Answer(PASSWORD, nonce).trim().split(" ");
	expect(guard.verify({ cnonce, response }, nonce, invitation)).toBe(true);
	expect(guard.delay).toBe(0);
});

test("each challenge has another nonce", () => {
	installGlobals();
	const guard = new PasswordGuard({ board, hash: "", strong: false });
	const nonces = new Set(Array.from({ length: 100 }, () => guard.challenge()));
	expect(nonces.size).toBe(100);
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

test("the application is told the progress, from 0 to the whole", async () => {
	const progress: string[] = [];
	const onProgress = (done: number, total: number) => progress.push(`${done}/${total}`);
	const bench = new ReceiverBench({ password: PASSWORD, onProgress });
	const uploader = await bench.uploader();
	await uploader.invite(PASSWORD, true);
	(await uploader.accept()).write(NEW);
	await bench.restarted;
	expect(progress[0]).toBe("0/30000");
	expect(progress.at(-1)).toBe("30000/30000");
});

test("the application may restart by itself", async () => {
	const bench = new ReceiverBench({ password: PASSWORD, rebootOnSuccess: false });
	const uploader = await bench.uploader();
	await uploader.invite(PASSWORD, true);
	const socket = await uploader.accept();
	const reader = new Reader(socket);
	socket.write(NEW);
	await reader.result();
	expect(await bench.ended()).toBe("end firmware");
	expect(bench.runs()).toBe("1.0.0");
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});

test("closing the receiver abandons the update", async () => {
	const bench = new ReceiverBench({ password: PASSWORD });
	const uploader = await bench.uploader();
	await uploader.invite(PASSWORD, true);
	const socket = await uploader.accept();
	const reader = new Reader(socket);
	socket.write(NEW.subarray(0, 5000));
	await reader.read(4);
	bench.ota.close();
	await reader.result();
	expect(bench.updater.busy).toBe(false);
	expect(bench.runs()).toBe("1.0.0");
});

test("closing the receiver when an update starts abandons it", async () => {
	const bench: ReceiverBench = new ReceiverBench({ onStart: () => bench.ota.close() });
	const uploader = await bench.uploader();
	uploader.send(uploader.invitation());
	await sleep(50);
	expect(bench.updater.busy).toBe(false);
	expect(bench.runs()).toBe("1.0.0");
});

test("a password hash that is no MD5 is refused at the start", () => {
	expect(() => new ReceiverBench({ passwordHash: "secret" })).toThrow("passwordHash");
});

test.each(["onProgress", "onEnd"] as const)(
	"closing the receiver from %s is the end of it",
	async (callback) => {
		let restarts = 0;
		const bench: ReceiverBench = new ReceiverBench({
			password: PASSWORD,
			[callback]: (done: unknown, total: unknown) => {
				if (callback === "onEnd" || done === total) bench.ota.close();
			},
		});
		void bench.restarted.then(() => {
			restarts += 1;
		});
		const uploader = await bench.uploader();
		await uploader.invite(PASSWORD, true);
		const socket = await uploader.accept();
		const reader = new Reader(socket);
		socket.write(NEW);
		await reader.result();
		await sleep(250);
		expect(restarts).toBe(0);
		expect(bench.told.filter((line) => line.startsWith("error"))).toEqual([]);
		expect(bench.updater.busy).toBe(false);
	},
);

test("a stranger who invites all the time, and guesses, does not keep the owner away", async () => {
	const bench = new ReceiverBench({ password: PASSWORD });
	const owner = await bench.uploader();
	const port = await bench.port;
	const stranger = createSocket("udp4");
	await new Promise<void>((bound) => stranger.bind(0, "127.0.0.2", bound));
	stranger.on("message", (message) => {
		const [, nonce] = message.toString().split(" ");
		if (nonce?.length === 64) stranger.send(md5Answer("guess", nonce), port, "127.0.0.1");
	});
	let size = 1000;
	const flood = setInterval(() => {
		size += 1;
		stranger.send(`0 4000 ${size} ${md5(NEW)}\n`, port, "127.0.0.1");
	}, 3);
	await sleep(50);
	const answer = await owner.ask(owner.invitation(), 5000);
	expect(answer).toMatch(/^AUTH /);
	expect(await owner.ask(md5Answer(PASSWORD, answer?.slice(5) ?? ""))).toBe("OK");
	clearInterval(flood);
	stranger.close();
});
