/** The mask ROM's serial loader, packet by packet, by Espressif's description and by what real chips were seen to send. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Command } from "../virtual/serial/packet";
import { LoaderBench } from "./serial-bench";

const SYNC = `07071220${"55".repeat(32)}`;
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (packets: readonly Uint8Array[]) => packets.map((packet) => Buffer.from(packet).toString("hex"));
const SECTOR = 0x1000;

/** The sectors of a flash that are erased. */
function erased(bench: LoaderBench): number[] {
	const found: number[] = [];
	for (let at = 0; at < bench.flash.size; at += SECTOR) {
		if (bench.get(at, SECTOR).every((byte) => byte === 0xff)) found.push(at / SECTOR);
	}
	return found;
}

async function filled(): Promise<LoaderBench> {
	const bench = await LoaderBench.synchronized();
	bench.flash.program(0, new Uint8Array(bench.flash.size));
	return bench;
}

test("a synchronization is answered eight times", async () => {
	const bench = new LoaderBench();
	const answers = await bench.raw(bytes(`c00008240000000000${SYNC}c0`));
	expect(hex(answers)).toEqual(Array(8).fill("01080200070712200000"));
});

test("before it, nothing else is answered", async () => {
	const bench = new LoaderBench();
	expect(await bench.raw(bytes("c0000a04000000000014000060c0"))).toEqual([]);
});

test("a register is read as a real chip answered", async () => {
	const bench = await LoaderBench.synchronized();
	expect(hex(await bench.raw(bytes("c0000a04000000000014000060c0")))).toEqual(["010a0200c40100000000"]);
});

test.each([
	[0x40001000, 0xfff0c101, "the word of the ROM by which tools know the chip"],
	[0x3ff00050, 0xcc000000, "the MAC's last byte"],
	[0x3ff00054, 0x0000aabb, "the two before"],
	[0x3ff0005c, 0, "no other maker than Espressif's first"],
])("register %i holds %i: %s", async (address, value) => {
	expect(await (await LoaderBench.synchronized()).readRegister(address)).toBe(value);
});

test.each([
	[0x80000, 0x13],
	[0x100000, 0x14],
	[0x400000, 0x16],
	[0x1000000, 0x18],
])("a flash of %i bytes tells its size as 2 to the power of %i", async (size, power) => {
	const bench = await LoaderBench.synchronized(size);
	const write = (address: number, value: number) =>
		bench.command(Command.WRITE_REG, [address, value, 0xffffffff, 0]);
	await write(0x60000224, (7 << 28) | 0x9f);
	await write(0x60000200, 1 << 18);
	expect(await bench.readRegister(0x60000200)).toBe(0);
	expect(await bench.readRegister(0x60000240)).toBe((power << 16) | 0x40ef);
});

test("a command that it does not have is answered eight times, with the command before and error 5", async () => {
	const bench = await LoaderBench.synchronized();
	await bench.readRegister(0);
	const answers = await bench.command(0x14);
	expect(answers.map(({ command, status }) => [command, status])).toEqual(Array(8).fill([0x0a, "0105"]));
});

test.each([
	[Command.SYNC, "0707122055"],
	[Command.READ_REG, ""],
	[Command.READ_REG, "02000000"],
	[Command.WRITE_REG, "00000060"],
	[Command.MEM_BEGIN, "00"],
	[Command.MEM_DATA, "0400000000000000"],
	[Command.MEM_END, "00"],
	[Command.FLASH_BEGIN, "00"],
	[Command.FLASH_DATA, "ffffffff000000000000000000000000"],
	[Command.FLASH_END, ""],
])("command %i with the body %s is an error of its format", async (command, body) => {
	const bench = await LoaderBench.synchronized();
	expect(await bench.status(command, bytes(body))).toBe("0105");
	expect(bench.ended).toBeUndefined();
});

test("so is one that is not as long as its header says", async () => {
	const bench = await LoaderBench.synchronized();
	const [answer] = await bench.command(Command.READ_REG, [0x40001000], { size: 65535 });
	expect(answer?.status).toBe("0105");
});

test.each([
	[0, 1, 2],
	[0, 8, 16],
	[0, 20, 36],
	[4, 20, 32],
	[15, 3, 4],
])(
	"from sector %i, told to erase %i, it erases %i: it counts those up to a block's end twice",
	async (first, count, all) => {
		const bench = await filled();
		expect(await bench.status(Command.FLASH_BEGIN, [count * SECTOR, 1, 1024, first * SECTOR])).toBe("0000");
		expect(erased(bench)).toEqual(Array.from({ length: all }, (_, i) => first + i));
	},
);

test("a size of 0 attaches the flash and erases nothing", async () => {
	const bench = await filled();
	expect(await bench.status(Command.FLASH_BEGIN, [0, 0, 1024, 0])).toBe("0000");
	expect(erased(bench)).toEqual([]);
});

test.each([
	[0xffffffff, 0],
	[SECTOR, 0x400000],
	[0x400000, SECTOR],
])(
	"an erase of %i bytes from %i, beyond the 4 MiB that it knows, is refused and erases nothing",
	async (size, offset) => {
		const bench = await filled();
		expect(await bench.status(Command.FLASH_BEGIN, [size, 1, 1024, offset])).toBe("0106");
		expect(erased(bench)).toEqual([]);
	},
);

test("blocks are written one behind the other", async () => {
	const bench = await LoaderBench.synchronized();
	await bench.command(Command.FLASH_BEGIN, [SECTOR, 2, 1024, 2 * SECTOR]);
	expect(bench.loader.flashed).toBe(false);
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(1024, "one"))).toBe("0000");
	expect(bench.loader.flashed).toBe(false);
	expect(await bench.data(Command.FLASH_DATA, 1, Buffer.alloc(1024, "two"))).toBe("0000");
	expect(bench.loader.flashed).toBe(true);
	const expected = Buffer.concat([Buffer.alloc(1024, "one"), Buffer.alloc(1024, "two")]);
	expect(bench.get(2 * SECTOR, 2048)).toEqual(expected);
});

test.each([
	["a wrong checksum", 0, { checksum: 0x12 }, "0107"],
	["a length that is not the data's", 0, { length: 3 }, "0105"],
	["a huge length", 0, { length: 0xffffffff }, "0105"],
	["a number out of order", 1, {}, "0106"],
])("a block with %s is refused, and the right one taken afterwards", async (_, sequence, lie, status) => {
	const bench = await LoaderBench.synchronized();
	await bench.command(Command.FLASH_BEGIN, [SECTOR, 1, 1024, 0]);
	const block = Buffer.alloc(1024, "block");
	expect(await bench.data(Command.FLASH_DATA, sequence, block, lie)).toBe(status);
	expect(bench.get(0, 4).toString("hex")).toBe("ffffffff");
	expect(await bench.data(Command.FLASH_DATA, 0, block)).toBe("0000");
	expect(bench.get(0, 1024)).toEqual(block);
});

test("a block over what is not erased shows when it is read back", async () => {
	const bench = await filled();
	await bench.command(Command.FLASH_BEGIN, [0, 1, 1024, 0]);
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(1024, "block"))).toBe("0108");
	expect(bench.get(0, 1024)).toEqual(Buffer.alloc(1024));
});

test("a block that nobody announced is refused", async () => {
	const bench = await LoaderBench.synchronized();
	expect(await bench.data(Command.FLASH_DATA, 0, Buffer.alloc(16))).toBe("0106");
});

test.each([
	[0, "reset"],
	[1, "run"],
])("FLASH_END with %i: %s", async (word, next) => {
	const bench = await LoaderBench.synchronized();
	expect(await bench.status(Command.FLASH_END, [word])).toBe("0000");
	expect(bench.ended).toBe(next);
	expect(await bench.command(Command.READ_REG, [0])).toEqual([]);
});

test.each([
	["0 bytes", [0, 1, 0x1800, 0x40100000], "010e"],
	["into the ROM", [16, 1, 0x1800, 0x40000000], "010f"],
	["beyond the instruction RAM", [32, 1, 0x1800, 0x4010fff0], "010f"],
	["4 GiB", [0xffffffff, 1, 0x1800, 0x40100000], "010f"],
])("a program of %s is refused", async (_, request, status) => {
	expect(await (await LoaderBench.synchronized()).status(Command.MEM_BEGIN, request)).toBe(status);
});

test("a program comes into RAM, where it can be read", async () => {
	const bench = await LoaderBench.synchronized();
	await bench.command(Command.MEM_BEGIN, [8, 1, 0x1800, 0x3ffe8000]);
	expect(await bench.data(Command.MEM_DATA, 1, Buffer.from("program!"))).toBe("0106");
	expect(await bench.data(Command.MEM_DATA, 0, Buffer.from("too long a program"))).toBe("010e");
	expect(await bench.status(Command.MEM_END, [1, 0])).toBe("010e");
	expect(await bench.data(Command.MEM_DATA, 0, Buffer.from("program!"))).toBe("0000");
	expect(await bench.readRegister(0x3ffe8000)).toBe(Buffer.from("prog").readUInt32LE());
	expect(await bench.status(Command.MEM_END, [1, 0])).toBe("0000");
	expect(bench.ended).toBeUndefined();
});

test("a program that greets as a stub does is taken for one; another is started, and not known", async () => {
	const stub = await LoaderBench.stub();
	expect(stub.ended).toBeUndefined();
	const bench = await LoaderBench.synchronized();
	await bench.command(Command.MEM_BEGIN, [4, 1, 0x1800, 0x40100000]);
	await bench.data(Command.MEM_DATA, 0, Buffer.from("none"));
	expect(await bench.status(Command.MEM_END, [0, 0x40100000])).toBe("0000");
	expect(bench.ended).toBe("unknown program");
});

test("whatever comes over the line, it goes on answering", async () => {
	const command = fc.constantFrom(...Object.values(Command), 0x00, 0x14, 0xff);
	const body = fc.uint8Array({ maxLength: 40 });
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.tuple(command, body), { maxLength: 6 }),
			fc.boolean(),
			async (requests, stub) => {
				const bench = await (stub ? LoaderBench.stub() : LoaderBench.synchronized());
				for (const [number, bytes] of requests) await bench.command(number, bytes);
				if (bench.ended !== undefined) return;
				expect(await bench.readRegister(0x40001000)).toBe(0xfff0c101);
			},
		),
		{ numRuns: 60 },
	);
});
