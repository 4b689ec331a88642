/** What answers in the place of esptool's stub, packet by packet. */
import { createHash, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { Command } from "../virtual/serial/packet";
import { slipFrame } from "../virtual/serial/slip";
import { LoaderBench } from "./serial-bench";

const BLOCK = 0x4000;
const SECTOR = 0x1000;
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

/** Sends deflated data in blocks; the status of each. */
async function deflated(bench: LoaderBench, stream: Uint8Array, block = BLOCK): Promise<string[]> {
	const statuses: string[] = [];
	for (let at = 0, i = 0; at < stream.length; at += block, i++) {
		statuses.push(await bench.data(Command.FLASH_DEFL_DATA, i, stream.subarray(at, at + block)));
	}
	return statuses;
}

const begin = (bench: LoaderBench, command: number, size: number, offset = 0) =>
	bench.status(command, [size, Math.ceil(size / BLOCK), BLOCK, offset]);

test("it says that it runs, and answers a synchronization eight times with 0", async () => {
	const bench = await LoaderBench.stub();
	const sync = Buffer.from(`07071220${"55".repeat(32)}`, "hex");
	const answers = await bench.command(Command.SYNC, sync);
	expect(answers.map(({ value, status }) => [value, status])).toEqual(Array(8).fill([0, "0000"]));
});

test.each([1, 3, 4095, 4096, 4097, 65536, 200_000])(
	"%i deflated bytes are written, and their MD5 told",
	async (length) => {
		const bench = await LoaderBench.stub();
		const data = randomBytes(length);
		expect(await begin(bench, Command.FLASH_DEFL_BEGIN, length, SECTOR)).toBe("0000");
		expect(bench.loader.flashed).toBe(false);
		expect(new Set(await deflated(bench, deflateSync(data)))).toEqual(new Set(["0000"]));
		expect(bench.loader.flashed).toBe(true);
		expect(await bench.status(Command.FLASH_DEFL_END, [1])).toBe("0000");
		const [answer] = await bench.command(Command.SPI_FLASH_MD5, [SECTOR, length, 0, 0]);
		expect(Buffer.from(answer?.data ?? []).toString("hex")).toBe(md5(data));
		expect(bench.get(SECTOR, length).equals(data)).toBe(true);
	},
);

test("it erases the sectors that it writes to, and no others", async () => {
	const bench = await LoaderBench.stub();
	bench.flash.program(0, new Uint8Array(bench.flash.size));
	await begin(bench, Command.FLASH_BEGIN, SECTOR + 1, 3 * SECTOR);
	await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(BLOCK, "x"));
	expect(bench.get(3 * SECTOR - 1, 3).toString("latin1")).toBe("\0xx");
	expect(bench.get(4 * SECTOR, 5).toString("hex")).toBe("78ffffffff");
	expect(bench.get(5 * SECTOR, 1)[0]).toBe(0);
});

test("what is more than announced is padding", async () => {
	const bench = await LoaderBench.stub();
	await begin(bench, Command.FLASH_BEGIN, 8);
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.from("12345678padding!"))).toBe("0000");
	expect(bench.get(0, 16).toString("latin1")).toBe(`12345678${"\xff".repeat(8)}`);
});

test.each([
	["a wrong checksum", { checksum: 1 }, "c100"],
	["a length that is not the data's", { length: 5 }, "c000"],
])("a block with %s is refused, and the right one taken afterwards", async (_, lie, status) => {
	const bench = await LoaderBench.stub();
	await begin(bench, Command.FLASH_BEGIN, 8);
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.from("12345678"), lie)).toBe(status);
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.from("12345678"))).toBe("0000");
	expect(bench.get(0, 8).toString()).toBe("12345678");
});

test("a block that nobody announced, or whose end was said, is refused", async () => {
	const bench = await LoaderBench.stub();
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(8))).toBe("c600");
	expect(await bench.status(Command.FLASH_END, [1])).toBe("c600");
	await begin(bench, Command.FLASH_BEGIN, 0);
	expect(await bench.status(Command.FLASH_END, [1])).toBe("0000");
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(8))).toBe("c600");
});

test("the end is refused while bytes are missing", async () => {
	const bench = await LoaderBench.stub();
	await begin(bench, Command.FLASH_BEGIN, 16);
	await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(8));
	expect(await bench.status(Command.FLASH_END, [0])).toBe("c800");
	expect(bench.ended).toBeUndefined();
});

test("what is no deflate is told with the next block", async () => {
	const bench = await LoaderBench.stub();
	await begin(bench, Command.FLASH_DEFL_BEGIN, 1000);
	expect(await deflated(bench, Buffer.alloc(64, "no deflate"))).toEqual(["0000"]);
	expect(await bench.data(Command.FLASH_DEFL_DATA, 1, Buffer.alloc(8))).toBe("c700");
});

test("a stream that ends too early is told at the end, or behind what comes after it", async () => {
	const bench = await LoaderBench.stub();
	await begin(bench, Command.FLASH_DEFL_BEGIN, 1000);
	expect(await deflated(bench, deflateSync(Buffer.alloc(100, "x")))).toEqual(["0000"]);
	expect(await bench.status(Command.FLASH_DEFL_END, [1])).toBe("c800");
	expect(await bench.data(Command.FLASH_DEFL_DATA, 1, Buffer.alloc(8))).toBe("0000");
	expect(await bench.data(Command.FLASH_DEFL_DATA, 2, Buffer.alloc(8))).toBe("c800");
});

test("more than was announced is told with the next block but one", async () => {
	const bench = await LoaderBench.stub();
	await begin(bench, Command.FLASH_DEFL_BEGIN, 100);
	await deflated(bench, deflateSync(Buffer.alloc(100, "x")));
	expect(await bench.data(Command.FLASH_DEFL_DATA, 1, Buffer.alloc(4))).toBe("0000");
	expect(await bench.data(Command.FLASH_DEFL_DATA, 2, Buffer.alloc(5))).toBe("0000");
	expect(await bench.data(Command.FLASH_DEFL_DATA, 3, Buffer.alloc(5))).toBe("c900");
});

test.each([
	[0x400000 - 4, "0000", "c400"],
	[0x400000 - 8, "0000", "0000"],
])("8 bytes at %i of what it takes for 4 MiB: %s, then %s", async (offset, first, second) => {
	const bench = await LoaderBench.stub(0x800000);
	await begin(bench, Command.FLASH_BEGIN, 16, offset);
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(8))).toBe(first);
	expect(await bench.data(Command.FLASH_DATA, 1, Buffer.alloc(0))).toBe(second);
});

test("a larger flash is written to its end, once that is told", async () => {
	const bench = await LoaderBench.stub(0x800000);
	await bench.status(Command.SPI_SET_PARAMS, [0, 0x800000, 0x10000, 0x1000, 0x100, 0xffff]);
	await begin(bench, Command.FLASH_BEGIN, 8, 0x800000 - 8);
	await bench.data(Command.FLASH_DATA, 0, Buffer.from("12345678"));
	expect(await bench.status(Command.FLASH_END, [1])).toBe("0000");
	expect(bench.get(0x800000 - 8, 8).toString()).toBe("12345678");
});

test.each([
	[Command.FLASH_BEGIN, [16, 1, BLOCK + 1, 0], "c200"],
	[Command.FLASH_BEGIN, [16, 1, BLOCK], "c000"],
	[Command.ERASE_REGION, [1, SECTOR], "c000"],
	[Command.ERASE_REGION, [0, 100], "c000"],
	[Command.ERASE_REGION, [0x100000, SECTOR], "c400"],
	[Command.ERASE_REGION, [0, 0xfffff000], "c400"],
	[Command.ERASE_FLASH, [0], "c000"],
	[Command.SPI_FLASH_MD5, [0, 0xffffffff, 0, 0], "c400"],
	[Command.READ_FLASH, [0, 0x100001, 0x1000, 64], "c400"],
	[Command.READ_FLASH, [0, 16, 0, 64], "c000"],
	[Command.READ_FLASH, [0, 16, 0xffffffff, 64], "c000"],
	[Command.READ_FLASH, [0, 16, 16, 0], "c000"],
	[0x14, [], "ff00"],
	[0xee, [], "ff00"],
])("command %i with %j is refused: %s", async (command, body, status) => {
	const bench = await LoaderBench.stub();
	bench.flash.program(0, Buffer.from("untouched"));
	expect(await bench.status(command, body)).toBe(status);
	expect(bench.get(0, 9).toString()).toBe("untouched");
});

test("it erases a region, and the whole flash", async () => {
	const bench = await LoaderBench.stub();
	bench.flash.program(0, new Uint8Array(bench.flash.size));
	expect(await bench.status(Command.ERASE_REGION, [SECTOR, 2 * SECTOR])).toBe("0000");
	expect([0, 1, 2, 3].map((sector) => bench.get(sector * SECTOR, 1)[0])).toEqual([0, 0xff, 0xff, 0]);
	expect(await bench.status(Command.ERASE_FLASH)).toBe("0000");
	expect(bench.get(0, bench.flash.size).every((byte) => byte === 0xff)).toBe(true);
});

test("a failure of the chip is told", async () => {
	const bench = await LoaderBench.stub();
	bench.flash.control.arm({ at: 0, kind: "fail", only: "erase" });
	expect(await bench.status(Command.ERASE_FLASH)).toBe("c400");
	bench.flash.control.arm({ at: 0, kind: "fail", only: "program" });
	await begin(bench, Command.FLASH_BEGIN, 8);
	await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(8));
	expect(await bench.status(Command.FLASH_END, [1])).toBe("c400");
});

test("flash is read in packets, so many at once, then comes their MD5", async () => {
	const bench = await LoaderBench.stub();
	const data = randomBytes(250);
	bench.flash.program(100, data);
	const acknowledge = (count: number) => {
		const bytes = Buffer.alloc(4);
		bytes.writeUInt32LE(count);
		return bench.raw(slipFrame(bytes));
	};
	const request = Buffer.from("00d2100000000000" + "64000000" + "fa000000" + "64000000" + "02000000", "hex");
	const [answer, ...first] = await bench.raw(slipFrame(request));
	expect(Buffer.from(answer ?? []).toString("hex")).toBe("01d20200000000000000");
	expect(first.map(({ length }) => length)).toEqual([100, 100]);
	// More than was sent counts for nothing.
	expect(await acknowledge(1000)).toEqual([]);
	const second = await acknowledge(100);
	expect(await acknowledge(200)).toEqual([]);
	const third = await acknowledge(250);
	expect(Buffer.concat([...first, ...second]).equals(data)).toBe(true);
	expect(third.map((packet) => Buffer.from(packet).toString("hex"))).toEqual([md5(data)]);
	expect(await bench.readRegister(0x40001000)).toBe(0xfff0c101);
});

test.each([
	[Command.FLASH_END, [0], "reset"],
	[Command.FLASH_DEFL_END, [0], "reset"],
	[Command.FLASH_END, [1], undefined],
	[Command.RUN_USER_CODE, [], "run"],
])("command %i with %j: %s", async (command, body, next) => {
	const bench = await LoaderBench.stub();
	await begin(bench, Command.FLASH_BEGIN, 0);
	await bench.command(command, body);
	expect(bench.ended).toBe(next);
});

test("the baud rate that it is told shows in the UART's divider", async () => {
	const bench = await LoaderBench.stub();
	expect(await bench.status(Command.CHANGE_BAUDRATE, [921_600, 115_200])).toBe("0000");
	expect(await bench.readRegister(0x60000014)).toBe(57);
});
