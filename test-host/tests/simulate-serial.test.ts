/** `ota8266 simulate` with a serial line, and `ota8266 flash` beside it, each in a process of its own. */
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { until } from "./board-bench";
import { exitCode, type Run, run } from "./simulate-bench";
import { temporaryFile } from "./temporary-flash";

const FIRMWARE = fileURLToPath(new URL("../../dist/firmware.bin", import.meta.url));
const PORTS = ["--ota-port", "0", "--http-port", "0", "--no-mdns"];

function simulate(...args: string[]): Run {
	return run("simulate", "--flash", temporaryFile(), ...PORTS, ...args);
}

/** The TCP port that a board says its UART is on. */
async function serialPort(board: Run): Promise<number> {
	const says = /the UART is on TCP port (\d+)/;
	await until(() => says.test(board.errors));
	return Number(says.exec(board.errors)?.[1]);
}

test("a new board in download mode has an empty flash, is flashed by the command, and starts", async () => {
	const board = simulate("--serial-port", "0", "--download-mode");
	const port = await serialPort(board);
	await until(() => board.out.includes("boot mode:(1,6)"));
	expect(board.out).not.toContain("load 0x");
	const flash = run("flash", FIRMWARE, "--port", `socket://127.0.0.1:${port}`);
	expect(await exitCode(flash.process)).toBe(0);
	expect(flash.errors).not.toMatch(/warning/i);
	await until(() => board.out.includes("ota8266 1.0.0 ready"));
	// The loader's packets are no text for a terminal.
	expect(board.out).not.toContain("OHAI");
	board.process.kill("SIGINT");
	expect(await exitCode(board.process)).toBe(0);
});

test("with somebody at its serial line it ends by Ctrl-C all the same", async () => {
	const board = simulate("--serial-port", "0");
	const socket = connect(await serialPort(board), "127.0.0.1");
	let heard = "";
	socket.on("data", (bytes) => {
		heard += bytes;
	});
	await until(() => heard.includes("ready"));
	board.process.kill("SIGINT");
	expect(await exitCode(board.process)).toBe(0);
	socket.destroy();
});

test("download mode without a serial line is wrong, and leaves no flash behind", async () => {
	const flash = temporaryFile();
	const board = run("simulate", "--flash", flash, ...PORTS, "--download-mode");
	expect(await exitCode(board.process)).toBe(1);
	expect(board.errors).toContain("--download-mode wants a --serial-port");
	expect(existsSync(flash)).toBe(false);
});

test("a serial port that is taken is named", async () => {
	const first = simulate("--serial-port", "0");
	const port = await serialPort(first);
	const second = simulate("--serial-port", String(port));
	expect(await exitCode(second.process)).toBe(1);
	expect(second.errors).toContain(`TCP port ${port} is taken`);
	expect(second.errors).toContain("--serial-port");
});
