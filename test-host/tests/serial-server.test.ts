/** The board's UART on TCP: bare, and by RFC 2217 with the two lines that reset it. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { escapeTelnet, TelnetDecoder } from "../../tools/serial/telnet";
import { ResetCircuit } from "../virtual/serial/reset-circuit";
import { FIRST, until } from "./board-bench";
import { loadingBench, type SerialBench, serialBench } from "./serial-bench";

/** A client of the line, and what it has heard, in hexadecimal. */
async function client(
	bench: SerialBench,
): Promise<{ socket: Socket; heard(): string; say(hex: string): void }> {
	const [host, port] = bench.line.split(":");
	const socket = connect(Number(port), host ?? "");
	onTestFinished(() => {
		socket.destroy();
	});
	await once(socket, "connect");
	let heard = "";
	socket.on("data", (bytes) => {
		heard += bytes.toString("hex");
	});
	return { socket, heard: () => heard, say: (hex) => void socket.write(Buffer.from(hex, "hex")) };
}

const SYNC = `c00008240000000000${"07071220"}${"55".repeat(32)}c0`;
/** What the ROM says in front of the reset's cause. */
const RESET = Buffer.from("rst cause:1").toString("hex");
/** WILL COM-PORT-OPTION. */
const HELLO = "fffb2c";
const control = (value: string) => `fffa2c05${value}fff0`;
const [DTR_ON, DTR_OFF, RTS_ON, RTS_OFF] = ["08", "09", "0b", "0c"].map(control);

test("bare bytes reach the loader, and its answers come back", async () => {
	const bench = await loadingBench();
	const { say, heard } = await client(bench);
	say(SYNC);
	await until(() => heard().endsWith("c001080200070712200000c0".repeat(8)));
});

test("what the firmware prints comes out", async () => {
	const bench = await serialBench();
	const { heard } = await client(bench);
	bench.board.flashByCable(FIRST);
	await bench.powerOn();
	await until(() => heard().includes(Buffer.from("ota8266 1.0.0 ready").toString("hex")));
});

test("RFC 2217: options are agreed on or refused, each once", async () => {
	const bench = await loadingBench();
	const { say, heard } = await client(bench);
	say(`${HELLO}fffd2c${HELLO}fffd01fffb00`);
	// DO, WILL COM-PORT; WONT ECHO; DO BINARY.
	await until(() => heard() === "fffd2cfffb2cfffc01fffd00");
});

test("RFC 2217: the baud rate is set and told, and an FF among the bytes goes doubled", async () => {
	const bench = await loadingBench();
	const { say, heard } = await client(bench);
	say(`${HELLO}fffa2c010001c200fff0`);
	await until(() => heard().endsWith("fffa2c650001c200fff0"));
	say("fffa2c0100000000fff0");
	await until(() => heard().endsWith("fffa2c650001c200fff0fffa2c650001c200fff0"));
	// The word by which the chip is known has an FF.
	say(`${SYNC}c0000a04000000000000100040c0`);
	await until(() => heard().endsWith("c0010a020001c1f0ffff0000c0"));
});

test("RFC 2217: RTS resets the board, with DTR behind it into its loader, and out of it again", async () => {
	const bench = await serialBench();
	bench.board.flashByCable(FIRST);
	await bench.powerOn();
	const { say, heard } = await client(bench);
	say(`${HELLO}${DTR_OFF}${RTS_ON}`);
	await until(() => heard().endsWith("fffa2c690bfff0"));
	await until(() => bench.board.state === "off");
	say(`${DTR_ON}${RTS_OFF}`);
	await bench.printed("boot mode:(1,6)");
	say(`${DTR_OFF}`);
	await until(() => bench.board.state === "loading");
	bench.restarting();
	say(`${RTS_ON}`);
	await until(() => bench.board.state === "off");
	say(`${RTS_OFF}`);
	await bench.printed("boot mode:(3,6)");
	await bench.ready();
});

test("RFC 2217: a client that leaves with the reset held lets go of it", async () => {
	const bench = await loadingBench();
	const { say, socket } = await client(bench);
	say(`${HELLO}${RTS_ON}`);
	await until(() => bench.board.state === "off");
	bench.restarting();
	socket.destroy();
	await bench.printed("boot mode:(3,6)");
});

test("a power cut while the loader writes leaves a board that can be flashed again", async () => {
	const bench = await loadingBench();
	const { say, heard } = await client(bench);
	say(SYNC);
	await until(() => heard().length > 0);
	bench.arm(1, "power during");
	// FLASH_BEGIN: three sectors from the start.
	say("c0000210000000000000300000010000000004000000000000c0");
	await until(() => bench.board.state === "off");
	bench.restarting();
	bench.board.flashButton = true;
	bench.board.powerOn();
	await bench.printed("rst cause:1, boot mode:(1,6)");
	say(SYNC);
	await until(() => heard().endsWith("c001080200070712200000c0".repeat(8)) && heard().includes(RESET));
});

test("a client that has not flashed anything leaves the loader as it is", async () => {
	const bench = await loadingBench();
	const first = await client(bench);
	first.say(SYNC);
	await until(() => first.heard().length > 0);
	first.socket.destroy();
	await until(() => !bench.server.busy);
	expect(bench.board.state).toBe("loading");
	const second = await client(bench);
	second.say("c0000a04000000000000100040c0");
	await until(() => second.heard() === "c0010a020001c1f0ff0000c0");
});

test("both lines at once do nothing, as a terminal sets them", () => {
	const board = { flashButton: false, holdReset: vi.fn(), reset: vi.fn() };
	const circuit = new ResetCircuit(board);
	circuit.set({ dtr: true, rts: true });
	circuit.set({ dtr: false, rts: false });
	expect(board.flashButton).toBe(false);
	expect(board.holdReset).not.toHaveBeenCalled();
	circuit.set({ dtr: true });
	expect(board.flashButton).toBe(true);
	expect(board.holdReset).not.toHaveBeenCalled();
});

test("bytes pass Telnet as they are, whatever the pieces", () => {
	fc.assert(
		fc.property(
			fc.array(
				fc.uint8Array({ maxLength: 20 }).map((given) => given.map((byte) => (byte > 99 ? 0xff : byte))),
			),
			fc.integer({ min: 1, max: 5 }),
			(pieces, step) => {
				const decoder = new TelnetDecoder({ onNegotiation: () => {}, onComPort: () => {} });
				const line = Buffer.concat(pieces.map(escapeTelnet));
				const found: Uint8Array[] = [];
				for (let at = 0; at < line.length; at += step) found.push(decoder.push(line.subarray(at, at + step)));
				expect(Buffer.concat(found)).toEqual(Buffer.concat(pieces));
			},
		),
	);
});
