import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { type UploadOptions, type UploadResult, upload } from "../../tools/espota";
import { plainAddress } from "../../tools/espota/address";
import { md5Response, strongResponse } from "../../tools/espota/authentication";
import { FakeDevice, type FakeDeviceOptions, md5, otherAddress } from "./fake-device";

const image = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) ^ (i >> 8));
const TIMEOUT = 900;
/** More than the buffers of two sockets take. */
const HUGE = 24 * 1024 * 1024;

let device: FakeDevice | undefined;

afterEach(() => {
	device?.close();
	device = undefined;
});

async function send(
	behaviour: FakeDeviceOptions,
	options: Partial<UploadOptions> = {},
): Promise<UploadResult> {
	device = await FakeDevice.start(behaviour);
	return upload({
		host: "127.0.0.1",
		port: device.port,
		image,
		timeout: TIMEOUT,
		resendInterval: 40,
		resultTimeout: TIMEOUT,
		...options,
	});
}

function received(): Buffer {
	return device?.received ?? Buffer.alloc(0);
}

function datagrams(): FakeDevice["datagrams"] {
	return device?.datagrams ?? [];
}

describe("an upload to a stock Arduino device", () => {
	test("brings every byte and ends with the device's OK", async () => {
		const result = await send({});
		expect(received().equals(image)).toBe(true);
		expect(result).toMatchObject({ bytes: image.length, md5: md5(image), address: "127.0.0.1" });
	});

	test("begins with one invitation: command, port, size, MD5", async () => {
		await send({});
		const port = device?.invitation.port;
		// Repeated where the machine is slow to answer.
		expect([...new Set(datagrams().map(({ text }) => text))]).toEqual([
			`0 ${port} ${image.length} ${md5(image)}\n`,
		]);
	});

	test("has command 100 for a filesystem", async () => {
		await send({}, { command: 100 });
		expect(device?.invitation.command).toBe("100");
	});

	test.each([1, 4095, 4096, 4097])("of %i bytes brings all of them", async (length) => {
		await send({}, { image: image.subarray(0, length) });
		expect(received().equals(image.subarray(0, length))).toBe(true);
	});

	test("does not wait for acknowledgements", async () => {
		await send({
			receive: (socket) => {
				let count = 0;
				socket.on("data", ({ length }) => {
					count += length;
					if (count === image.length) socket.write("OK");
				});
			},
		});
	});

	test("succeeds when OK comes right behind the last count", async () => {
		await send({ prompt: true });
		expect(received().length).toBe(image.length);
	});

	test("succeeds when OK comes in two pieces", async () => {
		await send({
			receive: (socket) => {
				let count = 0;
				socket.on("data", ({ length }) => {
					count += length;
					socket.write(String(length));
					if (count < image.length) return;
					socket.write("O");
					setTimeout(() => socket.write("K"), 10);
				});
			},
		});
	});

	test("reports progress from nothing to all", async () => {
		const calls: [number, number, number][] = [];
		await send({}, { onProgress: (...call) => calls.push(call) });
		const accepted = calls.map((call) => call[1]);
		expect(calls[0]).toEqual([0, 0, image.length]);
		expect(calls.at(-1)).toEqual([image.length, image.length, image.length]);
		expect(accepted).toEqual([...accepted].sort((a, b) => a - b));
	});

	test("listens on the port that was given", async () => {
		const server = createServer().listen(0);
		await once(server, "listening");
		const bound = server.address();
		const hostPort = bound !== null && typeof bound === "object" ? bound.port : 0;
		await expect(send({}, { hostPort })).rejects.toMatchObject({ code: ErrorCode.LISTEN });
		server.close();
		await once(server, "close");
		device?.close();
		await send({}, { hostPort });
		expect(device?.invitation.port).toBe(hostPort);
	});
});

describe("lost datagrams", () => {
	test("an invitation without an answer is repeated, the same from the same port", async () => {
		await send({ deaf: 2 });
		expect(datagrams().length).toBe(3);
		expect(new Set(datagrams().map(({ text, port }) => `${port} ${text}`)).size).toBe(1);
	});

	test("a lost authentication is made up for by a new invitation", async () => {
		await send({ password: "secret", deafToAnswers: 1 }, { password: "secret" });
		expect(received().equals(image)).toBe(true);
	});

	test("a lost OK is made up for by the device's connection", async () => {
		await send({ withoutOK: true });
		expect(received().equals(image)).toBe(true);
	});
});

describe("a password", () => {
	test("is proved to a stock device with MD5", async () => {
		await send({ password: "secret" }, { password: "secret" });
		expect(datagrams()[1]?.text).toMatch(/^200 [0-9a-f]{32} [0-9a-f]{32}\n$/);
	});

	test("is proved to our device with HMAC-SHA256", async () => {
		await send({ password: "secret", nonceDigits: 64, prompt: true }, { password: "secret" });
		expect(datagrams()[1]?.text).toMatch(/^200 [0-9a-f]{64} [0-9a-f]{64}\n$/);
	});

	test("is proved from the port that invited", async () => {
		await send({ password: "secret" }, { password: "secret" });
		expect(datagrams()[1]?.port).toBe(datagrams()[0]?.port);
	});

	test("is proved with another cnonce each time", async () => {
		await send({ password: "secret" }, { password: "secret" });
		const first = datagrams()[1]?.text.split(" ")[1];
		device?.close();
		await send({ password: "secret" }, { password: "secret" });
		expect(datagrams()[1]?.text.split(" ")[1]).not.toBe(first);
	});

	test("may have any letters", async () => {
		await send({ password: "Schlüssel 鍵" }, { password: "Schlüssel 鍵" });
	});

	test.each([32, 64] as const)("that is wrong ends the upload (nonce of %i digits)", async (nonceDigits) => {
		const upload = send({ password: "secret", nonceDigits }, { password: "Secret" });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.AUTHENTICATION });
	});

	test.each([undefined, "", async () => undefined])("that is missing is asked for", async (password) => {
		const upload = send({ password: "secret" }, { password });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.PASSWORD_NEEDED });
	});

	test("is asked for once, even where the device challenges twice, and typing may take its time", async () => {
		let asked = 0;
		const password = async (): Promise<string> => {
			asked += 1;
			await new Promise((resolve) => setTimeout(resolve, TIMEOUT + 30));
			return "secret";
		};
		await send({ password: "secret", deafToAnswers: 1 }, { password });
		expect(asked).toBe(1);
	});

	test("is not asked for where none is wanted", async () => {
		await send({}, { password: () => Promise.reject(new Error("asked")) });
	});

	test("gives these answers", () => {
		const nonce = "0123456789abcdef".repeat(2);
		const cnonce = "fedcba9876543210".repeat(2);
		const offer = { command: 0, port: 1, size: 300_000, md5: "d41d8cd98f00b204e9800998ecf8427e" } as const;
		expect(md5Response("secret", nonce, cnonce)).toBe("97a3111e1a27299c210fc49a94a97011");
		expect(strongResponse("secret", nonce + nonce, cnonce + cnonce, offer)).toBe(
			"62a3380e64224d154ff6e80e304bb438ba78f1e2934e887cc9b65d9ba8d2682f",
		);
	});
});

describe("a device that refuses", () => {
	test("is quoted", async () => {
		await expect(send({ answer: "ERR: ERROR[4]: Not Enough Space\n" })).rejects.toMatchObject({
			code: ErrorCode.DEVICE,
			message: expect.stringMatching(/: ERROR\[4\]: Not Enough Space$/),
		});
	});

	test("cannot send control characters to the terminal", async () => {
		const upload = send({ answer: "ERR: \x1b[2Jgone\n" });
		await expect(upload).rejects.toThrow("?[2Jgone");
	});

	test("in words that nobody knows is not understood", async () => {
		await expect(send({ answer: "HELLO" })).rejects.toMatchObject({
			code: ErrorCode.BAD_ANSWER,
			message: "Answer not understood: HELLO",
		});
	});

	test("by challenging for ever is given up", async () => {
		const liar = createSocket("udp4");
		liar.on("message", (_, { port }) => liar.send(`AUTH ${"0".repeat(32)}`, port, "127.0.0.1"));
		liar.bind(0, "127.0.0.1");
		await once(liar, "listening");
		const { port } = liar.address();
		const lie = upload({ host: "127.0.0.1", port, image, password: "secret", timeout: 2000 });
		await expect(lie).rejects.toMatchObject({ code: ErrorCode.BAD_ANSWER });
		liar.close();
	});
});

describe("a device that cannot be reached", () => {
	test("does not answer", async () => {
		const upload = send({ deaf: 1000 });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.NO_ANSWER });
		await expect(upload).rejects.toThrow(`No answer from 127.0.0.1 port ${device?.port}`);
	});

	test("has a name without an address", async () => {
		const upload = send({}, { host: "x".repeat(70) });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.HOST });
	});

	test("does not connect back", async () => {
		const upload = send({ connectFrom: "none" });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.CONNECT_BACK });
		await expect(upload).rejects.toThrow(/firewall/);
	});
});

describe("somebody else", () => {
	test("who connects in the device's place gets nothing", async () => {
		let got = 0;
		const upload = send({
			connectFrom: otherAddress(),
			receive: (socket) => socket.on("data", ({ length }) => (got += length)),
		});
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.CONNECT_BACK });
		expect(got).toBe(0);
	});

	test("who answers in the device's place is not heard", async () => {
		const stranger = createSocket("udp4");
		stranger.bind(0, otherAddress());
		await once(stranger, "listening");
		const upload = send({ deaf: 1000 });
		upload.catch(() => undefined);
		await expect.poll(() => datagrams().length, { interval: 5 }).toBeGreaterThan(0);
		stranger.send("Authentication Failed", datagrams()[0]?.port ?? 0, otherAddress());
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.NO_ANSWER });
		stranger.close();
	});

	test("is told from the device where a socket for both families writes its address", () => {
		expect(plainAddress("::ffff:192.168.1.5")).toBe("192.168.1.5");
		expect(plainAddress("::FFFF:192.168.1.5")).toBe("192.168.1.5");
		expect(plainAddress("fe80::ffff:1")).toBe("fe80::ffff:1");
	});
});

describe("a transfer that fails", () => {
	test("in its middle is told in the device's words", async () => {
		const upload = send({
			receive: (socket) => {
				socket.resume();
				socket.write("14601460ERROR[1]: Flash Write Failed\n");
			},
		});
		await expect(upload).rejects.toMatchObject({
			code: ErrorCode.DEVICE,
			message: expect.stringContaining("ERROR[1]: Flash Write Failed"),
		});
	});

	test("with an error that has no line feed is told when the device closes", async () => {
		const upload = send({
			receive: (socket) => {
				socket.resume();
				socket.end("1460ERROR[6]: Stream Read Timeout");
			},
		});
		await expect(upload).rejects.toThrow("ERROR[6]: Stream Read Timeout");
	});

	test("at its end is told in the device's words", async () => {
		const upload = send({ result: "ERROR[12]: Signature verification failed\n" });
		await expect(upload).rejects.toThrow("ERROR[12]: Signature verification failed");
	});

	test("because the device closes early tells how far it came", async () => {
		const upload = send({ receive: (socket) => socket.destroy() }, { image: new Uint8Array(HUGE) });
		await expect(upload).rejects.toMatchObject({
			code: ErrorCode.CONNECTION_LOST,
			message: expect.stringMatching(new RegExp(`after \\d+ of ${HUGE} bytes`)),
		});
	});

	test("because the device resets the connection is told", async () => {
		const upload = send({ receive: (socket) => socket.resetAndDestroy() });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
	});

	test("because the device takes no more bytes is given up", async () => {
		const upload = send({ receive: (socket) => socket.pause() }, { image: new Uint8Array(HUGE) });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
	});

	test("because no result comes is given up", async () => {
		const upload = send({ receive: (socket) => socket.resume() });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.NO_RESULT });
	});

	test("because the device closes without a result is no success", async () => {
		const upload = send({
			receive: (socket) => {
				let count = 0;
				socket.on("data", ({ length }) => {
					count += length;
					if (count === image.length) socket.end("20000");
				});
			},
		});
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.CONNECTION_LOST });
	});

	test("with an OK before all bytes were sent is no success", async () => {
		const upload = send(
			{
				receive: (socket) => {
					socket.pause();
					socket.write("1460OK");
				},
			},
			{ image: new Uint8Array(HUGE) },
		);
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.BAD_ANSWER });
	});

	test("with words that nobody knows is not understood", async () => {
		const upload = send({ receive: (socket) => socket.resume().write("1460HELLO") });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.BAD_ANSWER });
	});

	test("with more acknowledged than sent is not believed", async () => {
		const upload = send(
			{ receive: (socket) => socket.resume().write("11") },
			{ image: image.subarray(0, 1) },
		);
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.BAD_ANSWER });
	});
});

describe("an upload", () => {
	test("without bytes sends nothing", async () => {
		const upload = send({}, { image: new Uint8Array(0) });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.NO_DATA });
		expect(datagrams()).toEqual([]);
	});

	test("that was stopped before it began sends nothing", async () => {
		const upload = send({}, { signal: AbortSignal.abort() });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.STOPPED });
		expect(datagrams()).toEqual([]);
	});

	test("can be stopped while it waits for the device's answer", async () => {
		const upload = send({ deaf: 1000 }, { signal: AbortSignal.timeout(20), timeout: 5000 });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.STOPPED });
	});

	test("can be stopped while it waits for the device's connection", async () => {
		const upload = send({ connectFrom: "none" }, { signal: AbortSignal.timeout(20), timeout: 5000 });
		await expect(upload).rejects.toMatchObject({ code: ErrorCode.STOPPED });
	});

	test("can be stopped while bytes are sent", async () => {
		const stop = new AbortController();
		const onProgress = (sent: number): void => {
			if (sent > 0) stop.abort();
		};
		const upload = send({}, { signal: stop.signal, onProgress });
		await expect(upload).rejects.toMatchObject({
			code: ErrorCode.STOPPED,
			message: expect.stringMatching(/^Stopped after \d+ bytes$/),
		});
	});
});
