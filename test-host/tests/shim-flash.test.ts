import { describe, expect, test } from "vitest";
import flash from "../shims/flash";
import { buildFirmware } from "../virtual/image-builder";
import { chipForTest, foreignReceivers, membersOf } from "./shim-bench";
import { get, put } from "./temporary-flash";

const SECTOR = 4096;
/** Where the layout of a 1 MiB board has its `storage`, and how large. */
const STORAGE = 0xeb000;
const STORAGE_SIZE = 0x10000;

const storage = (mode?: string) => flash.open({ path: "storage", ...(mode && { mode }) });
const bytes = (buffer: unknown) => (buffer instanceof ArrayBuffer ? [...new Uint8Array(buffer)] : buffer);

describe("partitions", () => {
	test("iterating gives each name of the layout once", () => {
		chipForTest();
		const boot = ["bootstages", "bootrecord"];
		expect([...flash]).toEqual(["running", "nextota", ...boot, "preferences", "storage"]);
		chipForTest({}, 0x400000);
		expect([...flash]).toEqual([...new Set(flash)]);
	});

	test("breaking out of the iteration is allowed, and the next one starts anew", () => {
		chipForTest();
		for (const name of flash) {
			expect(name).toBe("running");
			break;
		}
		expect([...flash]).toHaveLength(6);
	});

	test("the status tells size, blocks, what an erase leaves, and where it lies", () => {
		chipForTest();
		expect(storage().status()).toEqual({
			size: STORAGE_SIZE,
			blockLength: SECTOR,
			blocks: STORAGE_SIZE / SECTOR,
			writeAlign: 1,
			eraseValue: 255,
			address: STORAGE,
		});
	});

	test("an unknown path, or none, is an Error", () => {
		chipForTest();
		expect(() => flash.open({ path: "nowhere" })).toThrow("nowhere");
		expect(() => Reflect.apply(flash.open, flash, [{}])).toThrow(Error);
	});

	test("an unknown mode is an Error, a symbol a TypeError", () => {
		chipForTest();
		expect(() => storage("w")).toThrow("unknown mode w");
		expect(() => Reflect.apply(flash.open, flash, [{ path: "storage", mode: Symbol() }])).toThrow(TypeError);
		expect(() => Reflect.apply(flash.open, flash, [{ path: Symbol() }])).toThrow(TypeError);
	});

	test("without options it is a TypeError", () => {
		expect(() => Reflect.apply(flash.open, flash, [])).toThrow(TypeError);
	});

	test("a format other than buffer is a RangeError, in options too", () => {
		chipForTest();
		expect(() => flash.open({ path: "storage", format: "number" })).toThrow(RangeError);
		const partition = storage();
		expect(() => {
			partition.format = "number";
		}).toThrow(RangeError);
		expect(partition.format).toBe("buffer");
	});

	test("the module is frozen", () => {
		expect(Object.isFrozen(flash)).toBe(true);
	});
});

describe("a partition behind the running firmware", () => {
	const firmware = (padTo: number) => buildFirmware({ script: "", name: "test", version: "1", padTo });

	test("begins where that ends, and ends with the partition", () => {
		put(chipForTest().flash, 0, firmware(0x21000));
		expect(flash.open({ path: "nextota" }).status()).toMatchObject({
			address: 0x21000,
			size: 0xe6000 - 0x21000,
			blocks: 0xe6 - 0x21,
		});
	});

	test("begins on the next sector where that ends inside one", () => {
		put(chipForTest().flash, 0, firmware(0x21010));
		expect(flash.open({ path: "nextota" }).status().address).toBe(0x22000);
	});

	test("begins somewhere else when another firmware runs", () => {
		const { flash: cells } = chipForTest();
		put(cells, 0, firmware(0x40000));
		put(cells, 0, firmware(0x20000));
		expect(flash.open({ path: "nextota" }).status().address).toBe(0x20000);
	});

	test("counts its blocks from its own beginning", () => {
		const { flash: cells } = chipForTest();
		put(cells, 0, firmware(0x21000));
		const partition = flash.open({ path: "nextota" });
		partition.write(Uint8Array.of(1), 0);
		partition.write(Uint8Array.of(2), SECTOR);
		partition.eraseBlock(1);
		expect([...get(cells, 0x21000, 1), ...get(cells, 0x22000, 1)]).toEqual([1, 255]);
	});
});

describe("reading", () => {
	test("a length gives an ArrayBuffer of it", () => {
		chipForTest().flash.program(STORAGE + 10, Uint8Array.of(1, 2, 3));
		const read = storage().read(4, 9);
		expect(read).toBeInstanceOf(ArrayBuffer);
		expect(bytes(read)).toEqual([255, 1, 2, 3]);
	});

	test("a buffer or view is filled, and the count given", () => {
		chipForTest().flash.program(STORAGE, Uint8Array.of(1, 2, 3, 4));
		const view = new Uint8Array(6);
		expect(storage().read(view.subarray(1, 3), 0)).toBe(2);
		expect(storage().read(new DataView(view.buffer, 4, 1), 3)).toBe(1);
		expect([...view]).toEqual([0, 1, 2, 0, 4, 0]);
		expect(storage().read(view.buffer, 0)).toBe(6);
	});

	test("the last byte can be read, the one behind it is a RangeError", () => {
		chipForTest();
		expect(bytes(storage().read(1, STORAGE_SIZE - 1))).toEqual([255]);
		expect(bytes(storage().read(0, STORAGE_SIZE))).toEqual([]);
		expect(() => storage().read(1, STORAGE_SIZE)).toThrow(RangeError);
		expect(() => storage().read(2, STORAGE_SIZE - 1)).toThrow(RangeError);
		expect(() => storage().read(1, -1)).toThrow(RangeError);
	});
});

describe("writing", () => {
	test("any place and length, across sectors, touches nothing else", () => {
		const { flash: cells } = chipForTest();
		const data = Uint8Array.from({ length: 2 * SECTOR }, (_, i) => i % 251);
		storage().write(data, SECTOR - 3);
		expect(get(cells, STORAGE + SECTOR - 3, data.length)).toEqual(data);
		expect([...get(cells, STORAGE + SECTOR - 4, 1), ...get(cells, STORAGE + 3 * SECTOR - 3, 1)]).toEqual([
			255, 255,
		]);
	});

	test("it can only clear bits: 0xFE and then 0xF0 works, and nothing comes back", () => {
		chipForTest();
		const partition = storage();
		partition.write(Uint8Array.of(0xfe), 7);
		partition.write(Uint8Array.of(0xf0), 7);
		expect(bytes(partition.read(1, 7))).toEqual([0xf0]);
		partition.write(Uint8Array.of(0x0f), 7);
		expect(bytes(partition.read(1, 7))).toEqual([0]);
	});

	test("ArrayBuffers and views of bytes are taken, nothing else", () => {
		chipForTest();
		const partition = storage();
		const source = Uint8Array.of(1, 2, 3, 4);
		partition.write(source.buffer, 0);
		partition.write(new Int8Array(source.buffer, 1, 1), 4);
		partition.write(new DataView(source.buffer, 3), 5);
		expect(bytes(partition.read(6, 0))).toEqual([1, 2, 3, 4, 2, 4]);
		for (const wrong of [5, "text", undefined, {}, [1], new Uint16Array(1)]) {
			expect(() => partition.write(wrong, 0)).toThrow(TypeError);
		}
	});

	test("beyond the partition is a RangeError, and nothing is written", () => {
		const { flash: cells } = chipForTest();
		for (const offset of [STORAGE_SIZE - 1, STORAGE_SIZE, -1, Number.NaN]) {
			expect(() => storage().write(Uint8Array.of(0, 0), offset)).toThrow(RangeError);
		}
		expect(cells.operations).toBe(0);
		storage().write(Uint8Array.of(0, 0), STORAGE_SIZE - 2);
	});
});

describe("erasing", () => {
	/** Which blocks of `storage` are erased after all have been written. */
	function erased(...blocks: readonly unknown[]): number[] {
		const { flash: cells } = chipForTest();
		cells.program(STORAGE, new Uint8Array(STORAGE_SIZE));
		const partition = storage();
		partition.eraseBlock(...blocks);
		const { blocks: count } = partition.status();
		return Array.from({ length: count }, (_, block) => block).filter((block) =>
			get(cells, STORAGE + block * SECTOR, SECTOR).every((byte) => byte === 255),
		);
	}

	test("one number erases that block", () => {
		expect(erased(3)).toEqual([3]);
	});

	test("two numbers erase from the first up to the one before the second", () => {
		expect(erased(2, 5)).toEqual([2, 3, 4]);
	});

	test("all blocks can be erased at once", () => {
		expect(erased(0, 16)).toHaveLength(16);
	});

	test("numeric strings are converted", () => {
		expect(erased("2", "4")).toEqual([2, 3]);
	});

	test.each([[16], [-1], [0, 17], [3, 2], [1.5], ["x"]])("%j, %j is a RangeError", (...blocks) => {
		const { flash: cells } = chipForTest();
		expect(() => storage().eraseBlock(...blocks)).toThrow(RangeError);
		expect(cells.operations).toBe(0);
	});

	test("no argument is a SyntaxError", () => {
		chipForTest();
		expect(() => storage().eraseBlock()).toThrow(SyntaxError);
	});

	test("a BigInt or a symbol is a TypeError", () => {
		chipForTest();
		expect(() => storage().eraseBlock(1n)).toThrow(TypeError);
		expect(() => storage().eraseBlock(0, 1n)).toThrow(TypeError);
		expect(() => storage().eraseBlock(Symbol())).toThrow(TypeError);
	});
});

describe("read-only", () => {
	test("in mode r it can be read, but neither written nor erased", () => {
		const { flash: cells } = chipForTest();
		const partition = storage("r");
		expect(() => partition.write(Uint8Array.of(0), 0)).toThrow("read only");
		expect(() => partition.eraseBlock(0)).toThrow("read only");
		expect(bytes(partition.read(1, 0))).toEqual([255]);
		expect(cells.operations).toBe(0);
	});

	test("the running firmware is read-only in every mode", () => {
		chipForTest();
		const partition = flash.open({ path: "running", mode: "r+" });
		expect(() => partition.eraseBlock(0)).toThrow("read only");
		expect(bytes(partition.read(1, 0))).toEqual([255]);
	});
});

describe("closing", () => {
	test("it may be closed any number of times, and another may be open on the same partition", () => {
		chipForTest();
		const partition = storage();
		const other = storage();
		partition.close();
		partition.close();
		expect(other.status().size).toBe(STORAGE_SIZE);
	});

	test("every other method and accessor throws SyntaxError afterwards", () => {
		chipForTest();
		const partition = storage();
		partition.close();
		for (const [name, call] of membersOf(Object.getPrototypeOf(partition))) {
			if (name !== "close") expect(() => call(partition), name).toThrow(SyntaxError);
		}
	});

	test("methods and accessors on a foreign receiver throw SyntaxError", () => {
		chipForTest();
		const members = membersOf(Object.getPrototypeOf(storage()));
		for (const receiver of foreignReceivers) {
			for (const [name, call] of members) expect(() => call(receiver), name).toThrow(SyntaxError);
		}
	});
});
