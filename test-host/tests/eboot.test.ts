import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ACTION_LOAD_APP, COMMAND_LENGTH, crc32, encodeCommand } from "../../ota/eboot";
import { SECTOR } from "../../ota/image";
import { BootBench, firmware, STAGING } from "./boot-bench";

const OLD = firmware("old", 20_000);
const NEW = firmware("new", 30_000);

/** A bench with the old firmware in place. */
function bench(size?: number): BootBench {
	const bench = new BootBench(size);
	bench.put(0, OLD);
	return bench;
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const holdsOld = (bench: BootBench) => same(bench.get(0, OLD.length), OLD);
const holdsNew = (bench: BootBench) => same(bench.get(0, NEW.length), NEW);
const version = (bytes: Uint8Array) =>
	new DataView(bytes.buffer).getUint32(0x1010, true).toString(16).padStart(8, "0");

describe("without a command", () => {
	test("prints the application's first word, ~ and ld, and jumps to its entry", () => {
		const board = bench();
		const outcome = board.eboot();
		expect(board.uart).toBe(`v${version(OLD)}\r\n~ld\r\n`);
		expect(outcome).toMatchObject({ kind: "jump", entry: 0x40100000 });
	});

	test("changes nothing, in flash or RTC memory", () => {
		const board = bench();
		const before = new Uint8Array(512);
		board.rtc.read(0, before);
		board.eboot();
		const after = new Uint8Array(512);
		board.rtc.read(0, after);
		expect(after).toEqual(before);
		expect(board.flash.operations).toBe(0);
	});
});

describe("the command block", () => {
	/** Stages the new firmware, with a command that `change` has been at. */
	function staged(change: (view: DataView, bytes: Uint8Array) => void): BootBench {
		const board = bench();
		board.put(STAGING, NEW);
		const bytes = new Uint8Array(COMMAND_LENGTH);
		encodeCommand(bytes, { action: 1, source: STAGING, destination: 0, size: NEW.length });
		change(new DataView(bytes.buffer), bytes);
		board.rtc.write(0, bytes);
		return board;
	}
	const sign = (view: DataView, bytes: Uint8Array) => view.setUint32(124, crc32(bytes, 124), true);

	test("with a wrong CRC is none", () => {
		const board = staged((view) => view.setUint32(124, 0, true));
		board.eboot();
		expect(board.uart).toContain("~ld");
	});

	test("with another magic is none", () => {
		const board = staged((view, bytes) => {
			view.setUint32(0, 0xeb002000, true);
			sign(view, bytes);
		});
		board.eboot();
		expect(board.uart).toContain("~ld");
	});

	test("has a magic whose low 12 bits do not count", () => {
		const board = staged((view, bytes) => {
			view.setUint32(0, 0xeb001fff, true);
			sign(view, bytes);
		});
		board.eboot();
		expect(holdsNew(board)).toBe(true);
	});

	test("has 26 free words behind the three arguments, covered by the CRC", () => {
		const free = (view: DataView) => {
			for (let word = 5; word < 31; word++) view.setUint32(4 * word, 0xdeadbeef, true);
		};
		const unsigned = staged(free);
		unsigned.eboot();
		expect(unsigned.uart).toContain("~ld");
		const signed = staged((view, bytes) => {
			free(view);
			sign(view, bytes);
		});
		signed.eboot();
		expect(holdsNew(signed)).toBe(true);
	});

	test("loses words 0 and 31 once it is carried out, the others stay", () => {
		const board = staged(() => {});
		board.eboot();
		const block = new Uint8Array(COMMAND_LENGTH);
		board.rtc.read(0, block);
		const view = new DataView(block.buffer);
		const words = [0, 1, 2, 4, 31].map((word) => view.getUint32(4 * word, true));
		expect(words).toEqual([0, 1, STAGING, NEW.length, 0]);
	});

	test("with an action that does not exist: cleared, and a software reset", () => {
		const board = staged((view, bytes) => {
			view.setUint32(4, 2, true);
			sign(view, bytes);
		});
		expect(board.eboot()).toMatchObject({ kind: "reset", cause: 2 });
		expect(board.uart).toBe(`v${version(OLD)}\r\n@`);
		expect(board.hasCommand).toBe(false);
		expect(holdsOld(board)).toBe(true);
	});

	test("to load starts the application behind the sector it names", () => {
		const board = bench();
		board.put(STAGING, NEW);
		board.command(STAGING, 0, 0, ACTION_LOAD_APP);
		expect(board.eboot().kind).toBe("jump");
		expect(board.uart).toContain("@ld\r\n");
		expect(board.hasCommand).toBe(false);
		expect(board.flash.operations).toBe(0);
	});
});

describe("a raw copy", () => {
	test("puts the staged image in place, spares an equal sector 0, and starts it", () => {
		const board = bench();
		board.stage(NEW);
		expect(board.eboot().kind).toBe("jump");
		expect(board.uart).toBe(`v${version(OLD)}\r\n@cp:B0\r\nld\r\n`);
		expect(holdsNew(board)).toBe(true);
	});

	test("erases and programs sector by sector, upwards", () => {
		const board = bench();
		board.stage(NEW);
		board.eboot();
		// 30,000 bytes are 8 sectors; the first is spared. An erase and 16 pages each.
		expect(board.flash.operations).toBe(7 * 17);
	});

	test("writes a sector 0 that differs", () => {
		const board = bench();
		const other = firmware("new", 30_000);
		other[SECTOR - 1] = 0x55;
		board.stage(other);
		board.eboot();
		expect(board.uart).toContain("@cp:0\r\n");
		expect(board.get(0, SECTOR)).toEqual(other.slice(0, SECTOR));
	});

	test("copies whole sectors: what follows the staged image comes along", () => {
		const board = bench();
		board.put(STAGING, new Uint8Array(40_000).fill(0x77));
		board.put(STAGING, NEW.subarray(0, SECTOR));
		board.command(STAGING, 0, SECTOR + 1);
		board.eboot();
		expect(board.get(SECTOR, SECTOR)).toEqual(new Uint8Array(SECTOR).fill(0x77));
		expect(same(board.get(2 * SECTOR, 1000), OLD.subarray(2 * SECTOR, 2 * SECTOR + 1000))).toBe(true);
	});

	test.each([
		["source", STAGING + 0x100, 0],
		["destination", STAGING, 0x800],
	])("from or to an address on no sector is error 1 and a software reset: %s", (_, source, destination) => {
		const board = bench();
		board.put(STAGING, NEW);
		board.command(source, destination, NEW.length);
		expect(board.eboot()).toMatchObject({ kind: "reset", cause: 2 });
		expect(board.uart).toBe(`v${version(OLD)}\r\n@cp:1\r\n`);
		expect(holdsOld(board)).toBe(true);
	});

	test("that failed has its command cleared too: the next reset starts what is there", () => {
		const board = bench();
		board.command(STAGING + 4, 0, NEW.length);
		board.eboot();
		expect(board.hasCommand).toBe(false);
		expect(board.boot().kind).toBe("jump");
	});

	test.each([
		["0", 0],
		["negative", 0xffff0000],
		["2 GiB", 0x80000000],
		["all but 4 GiB", 0xffffffff],
	])("of size %s copies nothing, says 0 and starts the old application", (_, size) => {
		const board = bench();
		board.stage(NEW, size);
		expect(board.eboot().kind).toBe("jump");
		expect(board.uart).toBe(`v${version(OLD)}\r\n@cp:0\r\nld\r\n`);
		expect(holdsOld(board)).toBe(true);
	});

	test("of too small a size leaves a mixture, and says 0", () => {
		const board = bench();
		board.stage(NEW, 3 * SECTOR);
		board.eboot();
		expect(board.uart).toContain("cp:B0");
		expect(holdsNew(board) || holdsOld(board)).toBe(false);
	});

	test("from behind the 4 MiB is error 3, after what lay before them was copied", () => {
		const board = bench();
		board.put(0x3fe000, NEW.subarray(0, 2 * SECTOR));
		board.command(0x3fe000, 0, 3 * SECTOR);
		expect(board.eboot().kind).toBe("reset");
		expect(board.uart).toContain("@cp:B3\r\n");
		expect(same(board.get(0, 2 * SECTOR), NEW.subarray(0, 2 * SECTOR))).toBe(true);
	});

	test("to behind the 4 MiB is error 2", () => {
		const board = bench();
		board.put(STAGING, NEW);
		board.command(STAGING, 0x3ff000, 2 * SECTOR);
		board.eboot();
		expect(board.uart).toContain("@cp:2\r\n");
	});

	test.each([
		["erase", 2],
		["program", 4],
	] as const)("whose %s the flash reports as failed is error %i", (only, number) => {
		const board = bench();
		board.stage(NEW);
		board.flash.control.arm({ at: 20, kind: "fail", only });
		expect(board.eboot().kind).toBe("reset");
		expect(board.uart).toContain(`cp:B${number}\r\n`);
	});

	test("verifies nothing: a program that the flash drops in silence goes unnoticed", () => {
		const board = bench();
		board.stage(NEW);
		board.flash.control.arm({ at: 30, kind: "ignored" });
		expect(board.eboot().kind).toBe("jump");
		expect(holdsNew(board)).toBe(false);
	});

	test("of a filesystem starts what lies a sector into it, and the next reset is normal", () => {
		const board = bench();
		board.put(STAGING, new Uint8Array(3 * SECTOR));
		board.command(STAGING, 0x200000, 3 * SECTOR);
		// Taken for an image, zeros have no segment and the entry 0.
		expect(board.eboot()).toMatchObject({ kind: "jump", entry: 0 });
		expect(board.boot()).toMatchObject({ kind: "jump", entry: 0x40100000 });
		expect(board.uart).toContain("~ld");
	});
});

describe("a gzip copy", () => {
	const zip = gzipSync(NEW);

	test("inflates the image; the rest of the last sector is FF", () => {
		const board = bench();
		board.put(0, new Uint8Array(9 * SECTOR));
		board.put(0, OLD);
		board.stage(zip);
		expect(board.eboot().kind).toBe("jump");
		expect(board.uart).toContain("@cp:B0\r\nld\r\n");
		expect(holdsNew(board)).toBe(true);
		const rest = 8 * SECTOR - NEW.length;
		expect(board.get(NEW.length, rest)).toEqual(new Uint8Array(rest).fill(0xff));
	});

	test.each([
		["another method", 2, 7],
		["a reserved flag", 3, 0x80],
	])("with a damaged header, %s, is error 5, nothing written", (_, offset, value) => {
		const board = bench();
		const damaged = Uint8Array.from(zip);
		damaged[offset] = value;
		board.stage(damaged);
		expect(board.eboot().kind).toBe("reset");
		expect(board.uart).toContain("@cp:5\r\n");
		expect(board.flash.operations).toBe(0);
	});

	test("with damaged data is error 6, and the sectors before the damage stay written", () => {
		const board = bench();
		// Stored blocks: the length of the second, which begins with the third sector, is damaged.
		const stored = (bytes: Uint8Array) =>
			Buffer.concat([
				Uint8Array.of(
					0,
					bytes.length & 255,
					bytes.length >> 8,
					~bytes.length & 255,
					(~bytes.length >> 8) & 255,
				),
				bytes,
			]);
		const stream = Buffer.concat([
			zip.subarray(0, 10),
			stored(NEW.subarray(0, 2 * SECTOR)),
			Uint8Array.of(0, 1, 2, 3, 4),
			new Uint8Array(4),
			Uint8Array.of(NEW.length & 255, NEW.length >> 8, 0, 0),
		]);
		board.stage(stream);
		expect(board.eboot().kind).toBe("reset");
		expect(board.uart).toContain("@cp:B6\r\n");
		expect(same(board.get(0, 2 * SECTOR), NEW.subarray(0, 2 * SECTOR))).toBe(true);
		expect(same(board.get(2 * SECTOR, SECTOR), OLD.subarray(2 * SECTOR, 3 * SECTOR))).toBe(true);
	});

	test("never looks at the CRC", () => {
		const board = bench();
		const damaged = Uint8Array.from(zip);
		damaged.fill(0, zip.length - 8, zip.length - 4);
		board.stage(damaged);
		board.eboot();
		expect(holdsNew(board)).toBe(true);
	});

	test.each([
		["one byte more", zip, zip.length + 1],
		["four bytes more", zip, zip.length + 4],
		["zeros behind the stream", Buffer.concat([zip, new Uint8Array(4)]), zip.length + 4],
	])("of a size with %s copies nothing, says 0 and starts the old application", (_, bytes, size) => {
		const board = bench();
		board.stage(bytes, size);
		expect(board.eboot().kind).toBe("jump");
		expect(board.uart).toContain("@cp:0\r\nld\r\n");
		expect(holdsOld(board)).toBe(true);
	});

	test("whose length has the top bit set copies nothing, says 0 and starts the old application", () => {
		const board = bench();
		const damaged = Uint8Array.from(zip);
		damaged[zip.length - 1] = 0x80;
		board.stage(damaged);
		board.eboot();
		expect(board.uart).toContain("@cp:0\r\n");
		expect(holdsOld(board)).toBe(true);
	});

	test("whose length is too small copies that much, and says 0", () => {
		const board = bench();
		const damaged = Uint8Array.from(zip);
		damaged.set([0, 0x30, 0, 0], zip.length - 4);
		board.stage(damaged);
		board.eboot();
		expect(board.uart).toContain("@cp:B0\r\n");
		expect(same(board.get(0, 3 * SECTOR), NEW.subarray(0, 3 * SECTOR))).toBe(true);
		expect(holdsNew(board)).toBe(false);
	});

	test("of two members copies as much of the first as the last one's length says", () => {
		const board = bench();
		board.stage(Buffer.concat([gzipSync(NEW.subarray(0, 20_000)), gzipSync(NEW.subarray(20_000))]));
		board.eboot();
		expect(board.uart).toContain("@cp:B0\r\n");
		expect(same(board.get(0, 10_000), NEW.subarray(0, 10_000))).toBe(true);
		expect(board.get(10_000, 3 * SECTOR - 10_000)).toEqual(new Uint8Array(3 * SECTOR - 10_000).fill(0xff));
	});

	test("reads on behind the size that it was given, as far as the stream goes", () => {
		const board = bench();
		// Extra data in the header ends at byte 16 and looks like the length; the size ends there too.
		const head = Buffer.concat([
			zip.subarray(0, 10),
			Uint8Array.of(4, 0, NEW.length & 255, NEW.length >> 8, 0, 0),
		]);
		head[3] = 4;
		board.stage(Buffer.concat([head, zip.subarray(10)]), head.length);
		board.eboot();
		expect(holdsNew(board)).toBe(true);
	});

	test("whose stream ends before its length writes what the sector before left in the buffer", () => {
		const board = bench();
		const short = Uint8Array.from(gzipSync(NEW.subarray(0, 5000)));
		short.set([0, 0x20, 0, 0], short.length - 4);
		board.stage(short);
		board.eboot();
		expect(board.uart).toContain("@cp:B0\r\n");
		const second = Buffer.concat([NEW.subarray(SECTOR, 5000), NEW.subarray(5000 - SECTOR, SECTOR)]);
		expect(same(board.get(SECTOR, SECTOR), second)).toBe(true);
	});

	test("cut off may erase and write on to the end of the flash, whatever lies there", () => {
		const board = bench();
		board.put(0x3f8000, new Uint8Array(8 * SECTOR).fill(0x11));
		// A fixed block without an end, in erased flash: FF FF… are literals FF; 0x7FFFFFFF of them are wanted.
		const endless = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xfb, 0xff, 0xff, 0xff, 0x7f);
		board.put(STAGING, endless);
		board.command(STAGING, 0x3f8000, endless.length);
		board.eboot();
		expect(board.uart).toContain("@cp:2\r\n");
		expect(board.get(0x3fb000, SECTOR)).not.toContain(0x11);
		expect(board.get(0x3ff000, SECTOR)).not.toContain(0x11);
	});

	test("whose header never ends hangs: the watchdog is off", () => {
		const board = bench();
		board.put(0x3ff000, Uint8Array.of(0x1f, 0x8b, 8, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f));
		board.command(0x3ff000, 0, 10);
		expect(board.eboot()).toEqual({ kind: "hang", reason: "the gzip stream never ends" });
	});
});
