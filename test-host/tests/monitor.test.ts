import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { unfinished } from "../../tools/monitor/boot-loader-lines";
import { explain } from "../../tools/monitor/explain";
import { Lines } from "../../tools/monitor/lines";
import { readSymbols } from "../../tools/monitor/symbols";
import { root } from "../virtual/bundle";
import { FIRST, until } from "./board-bench";
import { ota8266Here } from "./command-line";
import { type SerialBench, serialBench } from "./serial-bench";
import { temporaryFile } from "./temporary-flash";

test.each([
	[" ets Jan  8 2013,rst cause:1, boot mode:(3,6)", "reset: power-up; starts from the flash"],
	[" ets Jan  8 2013,rst cause:4, boot mode:(3,7)", "reset: watchdog; starts from the flash"],
	[
		" ets Jan  8 2013,rst cause:2, boot mode:(1,6)",
		"reset: reset pin, or wake from deep sleep; starts from the serial loader: FLASH is held, or was when the chip last was reset from outside",
	],
	[
		" ets Jan  8 2013,rst cause:2, boot mode:(7,7)",
		"reset: reset pin, or wake from deep sleep; starts from an SD card: GPIO 15 is high, which should be low",
	],
	["Fatal exception (29):", "StoreProhibited: written through a bad pointer, at excvaddr"],
	["Fatal exception 28(LoadProhibitedCause):", "LoadProhibited: read through a bad pointer, at excvaddr"],
	["Exception (9):", "LoadStoreAlignment: a word was accessed that is not on its boundary"],
	["Exception (0):", "IllegalInstruction: not an instruction: a wild jump, or a panic of the SDK's"],
	["~ld", "the boot loader starts the application"],
	["@cp:0", "the update is in its place"],
	["@cp:B0", "the update is in its place"],
	["~cp:4", "the flash failed: it does not hold what was written"],
	["cp:11", "update refused: it is no application's image, or a damaged one"],
	["@cp:", "the boot loader brings an update to its place"],
	["~back", "the boot loader brings the firmware back that was there before"],
	["back", "the boot loader brings the firmware back that was there before"],
	[
		"~no application, flash me",
		"the flash has nothing to start: ota8266 flash FILE --port PORT brings a firmware",
	],
	["XS abort: memory full ", "XS has used all of its memory (creation.static in the manifest)"],
	["XS abort: unhandled exception lost", "nobody caught an exception"],
	["Fatal exception: memory full", "XS has used all of its memory (creation.static in the manifest)"],
])("%s: %s", (line, note) => {
	expect(explain(line)).toEqual([note]);
});

test.each([
	"ota8266 1.0.0 ready",
	"update of the firmware begins",
	"Exception (30):",
	"memory full of memories",
	"scp:0",
	"cp:99",
	"back to the start",
	"ld",
	"",
])("%j needs no word", (line) => {
	expect(explain(line)).toEqual([]);
});

test("each number behind cp: that the boot loader's sources have is explained", () => {
	const header = readFileSync(join(root, "boot/boot.h"), "utf8");
	const [, list = ""] = /^enum \{\n(\tOK = 0,[^}]*)\}/m.exec(header) ?? [];
	const numbers = [...list.matchAll(/= (\d+),/g)].map(([, number]) => number);
	expect(numbers).toContain("14");
	for (const number of numbers) expect(explain(`@cp:${number}`), number).toHaveLength(1);
});

test("a number that comes late is explained as what its line begins with", () => {
	for (const line of ["@cp:", "~cp:", "cp:B"]) expect(explain(`${unfinished(line)}0`)).toHaveLength(1);
	for (const line of ["@cp:0", "~", "ld", ""]) expect(unfinished(line)).toBe("");
});

/** Functions, as an ELF of the chip has them. */
function elf(functions: readonly [name: string, address: number, size: number][], machine = 94): Buffer {
	const names = Buffer.from(`\0${functions.map(([name]) => `${name}\0`).join("")}`);
	const symbols = Buffer.alloc(16 * functions.length);
	functions.forEach(([name, address, size], i) => {
		symbols.writeUInt32LE(names.indexOf(`\0${name}\0`) + 1, 16 * i);
		symbols.writeUInt32LE(address, 16 * i + 4);
		symbols.writeUInt32LE(size, 16 * i + 8);
		symbols.writeUInt8(0x12, 16 * i + 12);
		symbols.writeUInt16LE(1, 16 * i + 14);
	});
	const header = Buffer.alloc(52);
	Buffer.from("7f454c46010101", "hex").copy(header);
	header.writeUInt16LE(2, 16);
	header.writeUInt16LE(machine, 18);
	header.writeUInt32LE(52, 32);
	header.writeUInt16LE(40, 46);
	header.writeUInt16LE(3, 48);
	header.writeUInt16LE(2, 50);
	const section = (type: number, offset: number, length: number, link: number) => {
		const bytes = Buffer.alloc(40);
		[0, type, 0, 0, offset, length, link].forEach((word, i) => {
			bytes.writeUInt32LE(word, 4 * i);
		});
		return bytes;
	};
	const start = 52 + 3 * 40;
	const sections = [
		section(0, 0, 0, 0),
		section(2, start, symbols.length, 2),
		section(3, start + symbols.length, names.length, 0),
	];
	return Buffer.concat([header, ...sections, symbols, names]);
}

function file(content: Uint8Array): string {
	const path = temporaryFile();
	writeFileSync(path, content);
	return path;
}

const functions: [string, number, number][] = [
	["xsMain", 0x40201010, 0x40],
	["modSPIErase", 0x40202000, 0x10],
	["vector", 0x40100000, 0],
];

test("the addresses of a crash have names, once the ELF is given", async () => {
	const symbols = await readSymbols(file(elf(functions)));
	const line = "epc1=0x40201034, epc2=0x00000000, epc3=0x40201010, excvaddr=0x00000004, depc=0x40100008";
	expect(explain(line, symbols)).toEqual([
		"0x40201034 is xsMain + 0x24",
		"0x40201010 is xsMain",
		"0x40100008 is vector + 0x8",
	]);
	expect(explain("3ffffe20:  40202004 3fff0010 00000000 40202004", symbols)).toEqual([
		"0x40202004 is modSPIErase + 0x4",
	]);
	expect(explain("40202004 is said in passing", symbols)).toEqual([]);
	expect(explain("epc1=0x40202010", symbols)).toEqual([]);
	expect(explain("epc1=0x400fffff", symbols)).toEqual([]);
});

test.each([
	["no ELF", Buffer.from("no ELF, but longer than the header of one is, by some bytes"), "not an ELF file"],
	["another chip's", elf(functions, 62), "an ELF file for another chip (x86-64)"],
	["stripped", elf([]), "it has none, it is stripped"],
	["cut short", elf(functions).subarray(0, 120), "a damaged ELF file"],
])("an ELF that is %s is refused", async (_, content, reason) => {
	const path = file(content);
	await expect(readSymbols(path)).rejects.toThrow(`No symbols from ${path}: ${reason}`);
});

test("lines come out whole, whatever the pieces; what is no text shows as dots", () => {
	const lines: string[] = [];
	const reader = new Lines((line) => lines.push(line));
	for (const piece of ["first\r", "\nsec", "ond\n\n", "bell \x07\x1b[2J\n", "no end"])
		reader.push(Buffer.from(piece));
	reader.push(Buffer.from([0xff, 0xfe, 0x0a]));
	expect(lines).toEqual(["first", "second", "bell ..[2J", "no end.."]);
	reader.push(Buffer.alloc(1500, "x"));
	expect(lines.at(-1)).toBe("x".repeat(1024));
	reader.flush();
	expect(lines.at(-1)).toBe("x".repeat(476));
});

/** What the command shows until the board is ready and its line is cut, behind all that it has said. */
async function monitor(bench: SerialBench, ...args: string[]): Promise<string> {
	const outcome = ota8266Here("monitor", ...args);
	await until(() => bench.server.busy);
	if (bench.board.state === "off") await bench.powerOn();
	else await bench.ready();
	await bench.server.close();
	return (await outcome).stdout;
}

test("a monitor resets the board, and shows with the time what it says", async () => {
	const bench = await serialBench();
	bench.board.flashByCable(FIRST);
	await bench.powerOn();
	bench.restarting();
	const shown = await monitor(bench, "--port", `rfc2217://${bench.line}`);
	expect(shown).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}ets Jan {2}8 2013,rst cause:2, boot mode:\(3,6\)$/m);
	expect(shown).toMatch(/^ +\^ reset: reset pin, or wake from deep sleep; starts from the flash$/m);
	expect(shown).toMatch(/^\S+ ota8266 1\.0\.0 ready$/m);
});

test("a monitor explains the number of an install that took its time", async () => {
	const bench = await serialBench();
	const outcome = ota8266Here("monitor", "--no-timestamps", "--port", `socket://${bench.line}`);
	await until(() => bench.server.busy);
	bench.server.send(Buffer.from("v00003000\r\n@cp:"));
	// As long as a line without an end is waited for, and more.
	await new Promise((wake) => setTimeout(wake, 600));
	bench.server.send(Buffer.from("12\r\nld\r\n7\r\n"));
	await bench.server.close();
	expect((await outcome).stdout.split("\n")).toEqual([
		"v00003000",
		"@cp:",
		"  ^ the boot loader brings an update to its place",
		"12",
		"  ^ update refused: no room for what it is to become",
		"ld",
		"7",
		"",
	]);
});

test("without a line for it a monitor resets nothing", async () => {
	const bench = await serialBench();
	bench.board.flashByCable(FIRST);
	const shown = await monitor(bench, "--no-timestamps", "--port", `socket://${bench.line}`);
	expect(shown).toMatch(/^ota8266 1\.0\.0 ready$/m);
	expect(bench.uart.match(/rst cause/g)).toHaveLength(1);
});

test("a line that is lost ends the monitor", async () => {
	const bench = await serialBench();
	const outcome = ota8266Here("monitor", "--port", `socket://${bench.line}`);
	await until(() => bench.server.busy);
	await bench.server.close();
	expect(await outcome).toMatchObject({ code: 1, stderr: `Connection to socket://${bench.line} lost\n` });
});

test("a second one at the same line is told that it is taken", async () => {
	const bench = await serialBench();
	const first = ota8266Here("monitor", "--port", `socket://${bench.line}`);
	await until(() => bench.server.busy);
	const [host, port] = bench.line.split(":");
	const second = connect(Number(port), host ?? "");
	let said = "";
	second.on("data", (bytes) => {
		said += bytes;
	});
	await new Promise((closed) => second.on("close", closed));
	expect(said).toBe("Port already in use\r\n");
	process.emit("SIGINT", "SIGINT");
	expect(await first).toMatchObject({ code: 0 });
});
