/** Flashing by cable, as a user does it: the command, the board's serial line, and what then runs. */
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { firmwareParts } from "../../tools/serial/firmware-parts";
import { findInitData, readInitData } from "../../tools/serial/init-data";
import { FIRST, newFirmware, until } from "./board-bench";
import { ota8266Here, usage } from "./command-line";
import { CONFIG, withOwnBootLoader } from "./own-firmware";
import { loadingBench, serialBench } from "./serial-bench";
import { temporaryFile } from "./temporary-flash";

const INIT_DATA = Buffer.concat([Buffer.of(5, 0), Buffer.alloc(126, 0x11)]);

function file(content: Uint8Array): string {
	const path = temporaryFile();
	writeFileSync(path, content);
	return path;
}

test("a board is flashed by cable, boots that, and is updated over the air", async () => {
	const bench = await serialBench();
	bench.board.powerOn();
	await until(() => bench.board.state === "hung");
	const flashed = await ota8266Here("flash", file(FIRST), "--port", `rfc2217://${bench.line}`);
	expect(flashed).toMatchObject({ code: 0, stdout: expect.stringContaining("their MD5 is the flash's") });
	expect(flashed.stderr).toContain("ESP8266EX, MAC 18:FE:34:AA:BB:CC, 4M of flash");
	expect(flashed.stderr).toContain(`100 %  ${FIRST.length} of ${FIRST.length} bytes`);
	await bench.ready();
	expect(bench.version).toBe("1.0.0");
	expect(Buffer.from(bench.get(0, FIRST.length)).equals(FIRST)).toBe(true);
	const update = file(await newFirmware("2.0.0"));
	const { otaPort } = bench;
	bench.restarting();
	const sent = await ota8266Here("upload", update, "--host", "127.0.0.1", "--port", String(otaPort));
	expect(sent.code).toBe(0);
	await bench.ready();
	expect(bench.version).toBe("2.0.0");
});

test("without DTR and RTS a board that waits in its loader is flashed, and starts when the line is let go", async () => {
	const bench = await loadingBench();
	const outcome = await ota8266Here("flash", file(FIRST), "--port", `socket://${bench.line}`);
	expect(outcome.stdout).toContain("Now press its RST button");
	expect(outcome.code).toBe(0);
	await bench.ready();
	expect(bench.version).toBe("1.0.0");
});

test("a compressed firmware is inflated, and the rest of the flash stays", async () => {
	const bench = await loadingBench();
	bench.board.flash.program(0x200000, Buffer.from("files"));
	const outcome = await ota8266Here("flash", file(gzipSync(FIRST)), "--port", `socket://${bench.line}`);
	expect(outcome.code).toBe(0);
	expect(Buffer.from(bench.get(0, FIRST.length)).equals(FIRST)).toBe(true);
	expect(Buffer.from(bench.get(0x200000, 5)).toString()).toBe("files");
});

test("--erase leaves nothing of before, and writes the init data", async () => {
	const bench = await serialBench();
	bench.board.flash.program(0x200000, Buffer.from("old files"));
	bench.board.flash.program(0x3fc000, Buffer.from("old settings"));
	bench.board.powerOn();
	const port = `rfc2217://${bench.line}`;
	const args = ["--port", port, "--erase", "--init-data", file(INIT_DATA), "--baud", "115200"];
	expect(await ota8266Here("flash", file(FIRST), ...args)).toMatchObject({ code: 0 });
	await bench.ready();
	expect(Buffer.from(bench.get(0x200000, 9)).toString("hex")).toBe("ff".repeat(9));
	expect(Buffer.from(bench.get(0x3fc000, 128)).equals(INIT_DATA)).toBe(true);
});

const PAD = Buffer.alloc(0x200);

test.each([
	["that is no image", Buffer.from("no image at all"), "damaged or no firmware"],
	["that is damaged", Buffer.concat([FIRST.subarray(0, 5000), PAD]), "damaged or no firmware"],
	["for a larger flash", larger(), "is for a flash of 4194304 bytes, and this board's has 1048576"],
])("a file %s is refused in one line, and the flash stays", async (_, content, reason) => {
	const bench = await loadingBench({ flashSize: 0x100000 });
	const outcome = await ota8266Here("flash", file(content), "--port", `socket://${bench.line}`);
	expect(outcome).toMatchObject({ code: 1, stdout: "" });
	expect(outcome.stderr.trim().split("\n").at(-1)).toContain(reason);
	expect(bench.board.control.operations).toBe(0);
});

/** A header that asks for 4 MiB. */
function larger(): Uint8Array {
	const image = FIRST.slice();
	image[3] = 0x40;
	return image;
}

test("a file that is larger than the flash is refused before anything is written", async () => {
	const bench = await loadingBench({ flashSize: 0x80000 });
	const outcome = await ota8266Here(
		...["flash", file(await newFirmware("2.0.0", 0x90000)), "--force", "--port", `socket://${bench.line}`],
	);
	expect(outcome.stderr).toContain(`${0x90000} bytes do not fit the ${0x80000} bytes of this board's flash`);
	expect(outcome.code).toBe(1);
	expect(bench.board.control.operations).toBe(0);
});

test("a board whose new firmware is refused runs its old one again", async () => {
	const bench = await serialBench({ flashSize: 0x100000 });
	const image = FIRST.slice();
	image[3] = 0x20;
	bench.board.flashByCable(image);
	await bench.powerOn();
	const outcome = ota8266Here("flash", file(larger()), "--port", `rfc2217://${bench.line}`);
	await bench.printed("boot mode:(1,6)");
	bench.restarting();
	expect(await outcome).toMatchObject({
		code: 1,
		stderr: expect.stringContaining("is for a flash of 4194304"),
	});
	await bench.ready();
	expect(bench.version).toBe("1.0.0");
});

test.each([
	["/dev/ttyNONE", "Serial port /dev/ttyNONE: there is none of this name (ota8266 ports lists them)"],
	["/dev/null", "Serial port /dev/null: that is no serial port"],
	["socket://127.0.0.1:1", "Serial port socket://127.0.0.1:1: nobody listens there"],
	["rfc2217://127.0.0.1:1", "Serial port rfc2217://127.0.0.1:1: nobody listens there"],
	["socket://board", "Serial port socket://board: give host and port, as in socket://127.0.0.1:3333"],
])("port %s fails in one line", async (port, line) => {
	const outcome = await ota8266Here("flash", file(FIRST), "--port", port);
	expect(outcome).toMatchObject({ code: 1, stdout: "" });
	expect(outcome.stderr.trim().split("\n").at(-1)).toBe(line);
});

test("a board that does not answer: the buttons are named", async () => {
	const bench = await serialBench();
	const outcome = await ota8266Here("flash", file(FIRST), "--port", `socket://${bench.line}`);
	expect(outcome.stderr).toContain(
		`No chip answers on socket://${bench.line}: hold its FLASH button, press and release RST`,
	);
	expect(outcome.code).toBe(1);
});

test("a connection that is lost in the middle is told, and the board can be flashed again", async () => {
	const bench = await loadingBench();
	const port = await relay(bench.line, { cutAfter: 60_000 });
	const outcome = await ota8266Here("flash", file(FIRST), "--port", `socket://127.0.0.1:${port}`);
	expect(outcome).toMatchObject({ code: 1, stdout: "" });
	expect(outcome.stderr).toContain(`Connection to socket://127.0.0.1:${port} lost: plug the board in again`);
	expect(bench.board.state).toBe("loading");
	expect(await ota8266Here("flash", file(FIRST), "--port", `socket://${bench.line}`)).toMatchObject({
		code: 0,
	});
	await bench.ready();
});

const RECORD = 0x3fa000;
const OLD_RECORD = Buffer.from("an update that was left unfinished");

test("a firmware with our boot loader: its record is emptied, and nothing else", async () => {
	const bench = await loadingBench();
	const own = withOwnBootLoader(FIRST);
	for (const address of [RECORD - OLD_RECORD.length, RECORD, RECORD + 0xf00, RECORD + 0x1000]) {
		bench.board.flash.program(address, OLD_RECORD);
	}
	const outcome = await ota8266Here("flash", file(own), "--port", `socket://${bench.line}`);
	expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining(`Done: ${own.length} bytes`) });
	expect(Buffer.from(bench.get(0, own.length)).equals(own)).toBe(true);
	expect(Buffer.from(bench.get(RECORD, 0x1000)).every((byte) => byte === 0xff)).toBe(true);
	for (const address of [RECORD - OLD_RECORD.length, RECORD + 0x1000]) {
		expect(Buffer.from(bench.get(address, OLD_RECORD.length)).equals(OLD_RECORD)).toBe(true);
	}
});

test("the record is emptied before the firmware is written: a cable that is lost leaves none over it", async () => {
	const bench = await loadingBench();
	bench.board.flash.program(RECORD, OLD_RECORD);
	const own = withOwnBootLoader(FIRST);
	const port = await relay(bench.line, { cutAfter: 60_000 });
	const outcome = await ota8266Here("flash", file(own), "--port", `socket://127.0.0.1:${port}`);
	expect(outcome.code).toBe(1);
	expect(Buffer.from(bench.get(0, own.length)).equals(own)).toBe(false);
	expect(bench.get(0, 1)[0]).toBe(own[0]);
	expect(Buffer.from(bench.get(RECORD, OLD_RECORD.length)).every((byte) => byte === 0xff)).toBe(true);
});

test("parts for a flash that does not reach to the record, or without one, are the firmware alone", () => {
	const firmware = [{ address: 0, data: FIRST }];
	expect(firmwareParts(FIRST, 0x400000)).toEqual(firmware);
	const own = withOwnBootLoader(FIRST);
	expect(firmwareParts(own, RECORD + 0xfff)).toEqual([{ address: 0, data: own }]);
	expect(firmwareParts(own, RECORD + 0x1000).map(({ address }) => address)).toEqual([RECORD, 0]);
	const odd = withOwnBootLoader(FIRST, { ...CONFIG, record: RECORD + 4 });
	expect(firmwareParts(odd, 0x400000)).toEqual([{ address: 0, data: odd }]);
});

test("another program at the line is named", async () => {
	const bench = await loadingBench();
	const [host, port] = bench.line.split(":");
	const monitor = connect(Number(port), host ?? "");
	onTestFinished(() => {
		monitor.destroy();
	});
	await until(() => bench.server.busy);
	const outcome = await ota8266Here("flash", file(FIRST), "--port", `socket://${bench.line}`);
	expect(outcome).toMatchObject({ code: 1, stdout: "" });
	expect(outcome.stderr.trim().split("\n").at(-1)).toBe(
		`Serial port socket://${bench.line}: another program has it, a monitor perhaps: end that`,
	);
});

test.each([
	["831df000", "ESP32"],
	["12345678", "one that is not known"],
])("a chip whose ROM has the word %s is no ESP8266 but %s", async (word, name) => {
	const bench = await loadingBench();
	const port = await relay(bench.line, {
		fromBoard: (bytes) =>
			Buffer.from(bytes.toString("hex").replace("0a020001c1f0ff", `0a0200${word}`), "hex"),
	});
	const outcome = await ota8266Here("flash", file(FIRST), "--port", `socket://127.0.0.1:${port}`);
	expect(outcome.stderr).toContain(`The chip on socket://127.0.0.1:${port} is no ESP8266 but ${name}`);
	expect(outcome.code).toBe(1);
	expect(bench.board.control.operations).toBe(0);
});

interface RelayOptions {
	/** What of the board's bytes gets through. */
	fromBoard?: (bytes: Buffer) => Buffer;
	/** The connection breaks after so many bytes to the board. */
	cutAfter?: number;
}

/** A port that leads to the board. */
async function relay(
	line: string,
	{ fromBoard = (bytes) => bytes, cutAfter = Number.POSITIVE_INFINITY }: RelayOptions,
): Promise<number> {
	const [host, port] = line.split(":");
	const server = createServer((near: Socket) => {
		const far = connect(Number(port), host ?? "");
		let left = cutAfter;
		far.on("data", (bytes) => near.write(fromBoard(bytes)));
		near.on("data", (piece) => {
			left -= piece.length;
			if (left > 0) far.write(piece);
			else near.destroy();
		});
		for (const socket of [near, far]) {
			socket.on("error", () => {});
			socket.on("close", () => far.destroy());
		}
	}).listen(0);
	await once(server, "listening");
	onTestFinished(() => {
		server.close();
	});
	return (server.address() as AddressInfo).port;
}

test("init data that are none are refused before the board is looked for", async () => {
	const args = ["--erase", "--init-data", file(Buffer.from("none")), "--port", "socket://127.0.0.1:1"];
	const outcome = await ota8266Here("flash", file(FIRST), ...args);
	expect(outcome.stderr).toContain("no init data: 128 bytes that begin with 05 are");
	expect(outcome.code).toBe(1);
});

test("init data are found in the SDK that ESP_BASE names", async () => {
	const base = dirname(temporaryFile());
	const folder = join(base, "ESP8266_RTOS_SDK/components/esp8266/firmware");
	mkdirSync(folder, { recursive: true });
	const path = join(folder, "esp_init_data_default.bin");
	writeFileSync(path, INIT_DATA);
	expect(findInitData({ ESP_BASE: base })).toBe(path);
	expect(Buffer.from(await readInitData(path)).equals(INIT_DATA)).toBe(true);
});

test.each([
	[["flash", "a.bin"], "required option '--port <port>' not specified"],
	[["flash", "a.bin", "--port", "COM3", "--baud", "fast"], "Give a rate from 300 to 4000000"],
	[["monitor"], "required option '--port <port>' not specified"],
])("wrong usage: %j", async (args, complaint) => {
	const outcome = await usage(...args);
	expect(outcome.code).toBe(2);
	expect(outcome.stderr).toContain(complaint);
});

test("after a start without a reset updates are refused, until the reset button is pressed", async () => {
	const bench = await loadingBench();
	bench.board.flash.program(0, FIRST);
	// The ROM's word to run what is in flash, behind a synchronization.
	const sync = Buffer.from(`c00008240000000000${"07071220"}${"55".repeat(32)}c0`, "hex");
	await bench.board.receive(sync);
	await bench.board.receive(Buffer.from("c0000404000000000001000000c0", "hex"));
	await bench.ready();
	const update = file(await newFirmware("2.0.0"));
	const send = () => ota8266Here("upload", update, "--host", "127.0.0.1", "--port", String(bench.otaPort));
	expect((await send()).stderr).toContain("ERROR[11]");
	expect(await bench.reset()).toBe("1.0.0");
	expect(await send()).toMatchObject({ code: 0 });
	bench.restarting();
	await bench.ready();
	expect(bench.version).toBe("2.0.0");
});
