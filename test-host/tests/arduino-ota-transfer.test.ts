/** What goes over TCP in an update: bytes, acknowledgements, result; and what the application is told. */
import { describe, expect, test } from "vitest";
import { NEW, PASSWORD, ReceiverBench } from "./receiver-bench";
import { md5, OLD } from "./updater-bench";
import { Reader } from "./uploader";

/** After a failure: the old firmware, no choice, and a board that takes the next update. */
async function recovers(bench: ReceiverBench): Promise<void> {
	await bench.ended();
	expect(bench.hasCommand).toBe(false);
	expect(md5(bench.get(0, OLD.length))).toBe(md5(OLD));
	const uploader = await bench.uploader();
	expect(await uploader.invite(PASSWORD, true)).toBe("OK");
	const socket = await uploader.accept();
	const reader = new Reader(socket);
	socket.write(NEW);
	expect(await reader.result()).toMatch(/OK$/);
	await bench.restarted;
	expect(bench.runs()).toBe("2.0.0");
}

describe("espota", () => {
	test("uploads: each piece is acknowledged with its count, then comes OK in a read of its own", async () => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader();
		expect(await uploader.invite(PASSWORD)).toBe("OK");
		const { acknowledgements, result } = await uploader.upload();
		const counts = Array.from({ length: 20 }, () => "1460");
		expect(acknowledgements).toEqual([...counts, "800"]);
		expect(result).toBe("OK");
		await bench.restarted;
		expect(bench.told).toEqual(["start firmware", "end firmware"]);
		expect(bench.runs()).toBe("2.0.0");
	});

	test("uploads a filesystem", async () => {
		const bench = new ReceiverBench();
		const image = new Uint8Array(10_000).fill(0x5a);
		const uploader = await bench.uploader(image);
		expect(await uploader.ask(uploader.invitation({ command: 100 }))).toBe("OK");
		expect((await uploader.upload()).result).toBe("OK");
		await bench.restarted;
		expect(bench.told).toEqual(["start filesystem", "end filesystem"]);
		expect(md5(bench.get(0x200000, image.length))).toBe(md5(image));
		expect(bench.runs()).toBe("1.0.0");
	});

	test("is told a wrong MD5 with both of them", async () => {
		const bench = new ReceiverBench();
		const uploader = await bench.uploader();
		expect(await uploader.ask(uploader.invitation({ md5: md5(OLD) }))).toBe("OK");
		const { result } = await uploader.upload();
		const text = `ERROR[7]: MD5 verification failed: expected: ${md5(OLD)}, calculated: ${md5(NEW)}\n`;
		expect(result).toBe(text.slice(0, 64));
		expect(await bench.ended()).toBe(`error 4: ${text.trim()}`);
		expect(bench.runs()).toBe("1.0.0");
	});

	test("is told a failure of the last piece in a read of its own, behind the acknowledgement", async () => {
		const bench = new ReceiverBench();
		const uploader = await bench.uploader();
		bench.flash.control.arm({ at: Math.ceil(NEW.length / 256) + 7, kind: "fail" });
		expect(await uploader.invite()).toBe("OK");
		const { acknowledgements, result } = await uploader.upload();
		expect(acknowledgements.at(-1)).toBe("800");
		expect(result).toBe("ERROR[1]: Flash Write Failed\n");
		expect(await bench.ended()).toBe("error 4: ERROR[1]: Flash Write Failed");
	});
});

describe("an uploader that does not wait for acknowledgements", () => {
	test("gets their sum and the result, without a pause where it proved the password strongly", async () => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader();
		expect(await uploader.invite(PASSWORD, true)).toBe("OK");
		const socket = await uploader.accept();
		const reader = new Reader(socket);
		socket.write(NEW);
		expect(await reader.result()).toMatch(/^\d+OK$/);
		await bench.restarted;
		expect(bench.runs()).toBe("2.0.0");
	});

	test("and never reads is no obstacle", async () => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader();
		expect(await uploader.invite(PASSWORD, true)).toBe("OK");
		const socket = await uploader.accept();
		socket.pause();
		socket.write(NEW);
		await bench.restarted;
		expect(bench.runs()).toBe("2.0.0");
	});
});

describe("a transfer fails and the board goes on:", () => {
	async function begun(options = {}) {
		const bench = new ReceiverBench({ password: PASSWORD, ...options });
		const uploader = await bench.uploader();
		expect(await uploader.invite(PASSWORD, true)).toBe("OK");
		const socket = await uploader.accept();
		return { bench, uploader, socket, reader: new Reader(socket) };
	}

	test("the uploader stalls", async () => {
		const { bench, socket, reader } = await begun();
		socket.write(NEW.subarray(0, 7000));
		expect(await reader.result()).toMatch(/^\d+ERROR\[6\]: Stream Read Timeout\n$/);
		expect(await bench.ended()).toBe("error 3: ERROR[6]: Stream Read Timeout");
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
		expect(await bench.ended()).toBe(
			"error 3: ERROR[104]: Connection lost after 7000 of 30000 bytes, send it again",
		);
		await recovers(bench);
	});

	test("the uploader resets", async () => {
		const { bench, socket, reader } = await begun();
		socket.write(NEW.subarray(0, 7000));
		await reader.read(4);
		socket.resetAndDestroy();
		expect(await bench.ended()).toMatch(/^error 3: ERROR\[104\]/);
		await recovers(bench);
	});

	test("the uploader closes one byte before the end", async () => {
		const { bench, socket } = await begun();
		socket.end(NEW.subarray(0, -1));
		expect(await bench.ended()).toMatch(/^error 3: ERROR\[104\].* 29999 of 30000/);
		await recovers(bench);
	});

	test("the uploader sends a byte too many", async () => {
		const { bench, socket, reader } = await begun();
		socket.write(Buffer.concat([NEW, Uint8Array.of(0)]));
		expect(await reader.result()).toMatch(/ERROR\[4\]: Not Enough Space\n$/);
		expect(await bench.ended()).toMatch(/^error [34]: ERROR\[4\]: Not Enough Space$/);
		await recovers(bench);
	});

	test("the uploader does not listen", async () => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader();
		const nobody = await bench.uploader();
		const { port } = nobody;
		nobody.close();
		const nonce = (await uploader.ask(uploader.invitation({ port })))?.slice(5) ?? "";
		expect(await uploader.ask(uploader.strongAnswer(PASSWORD, nonce))).toBe("OK");
		expect(await bench.ended()).toMatch(/^error 2: ERROR\[105\]: No connection to 127.0.0.1 port/);
		await recovers(bench);
	});

	test("the image is no image", async () => {
		const bench = new ReceiverBench({ password: PASSWORD });
		const uploader = await bench.uploader(new Uint8Array(20_000));
		expect(await uploader.invite(PASSWORD, true)).toBe("OK");
		const socket = await uploader.accept();
		const reader = new Reader(socket);
		socket.write(uploader.image);
		expect(await reader.result()).toBe("ERROR[10]: Magic byte is not 0xE9\n");
		expect(bench.flash.operations).toBe(0);
		await recovers(bench);
	});

	test.each(["erase", "program"] as const)("the flash cannot %s", async (only) => {
		const { bench, socket, reader } = await begun();
		bench.flash.control.arm({ at: 40, kind: "fail", only });
		socket.write(NEW);
		const text = only === "erase" ? "ERROR[2]: Flash Erase Failed" : "ERROR[1]: Flash Write Failed";
		expect(await reader.result()).toContain(`${text}\n`);
		expect(await bench.ended()).toBe(`error 3: ${text}`);
		await recovers(bench);
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
