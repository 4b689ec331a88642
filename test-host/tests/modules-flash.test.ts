import { beforeAll, describe, expect, test } from "vitest";
import { buildFirmware } from "../virtual/image-builder";
import { type NativeOptions, type Outcome, runNative, skipsXS, xsNote } from "./native-bench";

const SECTOR = 4096;
/** In the layout for 4 MiB. */
const STORAGE = 0x200000;
const STORAGE_SIZE = 0x1fa000;

const FIRMWARE = buildFirmware({ script: "", name: "test", version: "1" });

const HELPERS = `
	import flash from "embedded:storage/flash";
	import { Digest } from "crypt";
	const size = ${STORAGE_SIZE}, blocks = ${STORAGE_SIZE / SECTOR};
	/* Lies in flash, as everything that a preloaded module has. */
	const inFlash = Uint8Array.from({ length: 300 }, (_, i) => i);
	function storage(mode) {
		return flash.open({ path: "storage", mode });
	}
	function filled(length, value) {
		return new Uint8Array(length).fill(value);
	}
	function bytes(...values) {
		return Uint8Array.of(...values);
	}
	function resizable(length) {
		return new ArrayBuffer(length, { maxByteLength: 2 * length });
	}
	function closed(path = "storage") {
		const partition = flash.open({ path });
		partition.close();
		return partition;
	}
	function on(receiver, name, ...values) {
		return storage()[name].apply(receiver, values);
	}
	function setFormat(partition, format) {
		partition.format = format;
	}
	function formatOf(receiver) {
		return Reflect.get(Object.getPrototypeOf(storage()), "format", receiver);
	}
	function all(partition, block, value) {
		return new Uint8Array(partition.read(${SECTOR}, block * ${SECTOR})).every((byte) => byte === value);
	}`;

type Table = Readonly<Record<string, readonly [script: string, expected: unknown]>>;

/** Runs a table of scripts on one chip and compares what each gave, or the name of what it threw. */
function provesIn(
	table: Table,
	options: NativeOptions = { contents: [[0, FIRMWARE]] },
	check: (outcome: Outcome) => void = () => {},
): void {
	let outcome: Outcome | undefined;
	beforeAll(async () => {
		const scripts = Object.entries(table).map(([name, [script]]) => [name, script]);
		outcome = await runNative(Object.fromEntries(scripts), { helpers: HELPERS, ...options });
	});
	test.each(Object.entries(table))("%s", (name, [, expected]) => {
		const answer = outcome?.answers.get(name);
		const told = typeof expected === "string" ? expected : JSON.stringify(expected);
		expect(answer ?? outcome?.uart).toBe(told);
	});
	test("and leaves the flash as it should be", () => {
		expect(outcome).toBeDefined();
		if (outcome) check(outcome);
	});
}

const untouched = ({ operations, exit }: Outcome) => expect([operations, exit]).toEqual([0, undefined]);

describe.skipIf(skipsXS)(`embedded:storage/flash in C${xsNote}`, () => {
	describe("gives", () => {
		provesIn(
			{
				"the names of the partitions, each once": [
					"[...flash]",
					["running", "preferences", "bootstages", "nextota", "storage", "bootrecord"],
				],
				"the names anew after a loop was left": [
					"for (const name of flash) break; return [...flash].length",
					6,
				],
				"the status of a partition": [
					"storage().status()",
					{
						size: STORAGE_SIZE,
						blockLength: SECTOR,
						blocks: STORAGE_SIZE / SECTOR,
						writeAlign: 1,
						eraseValue: 255,
						address: STORAGE,
					},
				],
				"modes r and r+, and r+ where none is given": [
					`for (const mode of ["r", "r+", undefined]) storage(mode).close(); return true`,
					true,
				],
				"format buffer, in options and as a property": [
					`const partition = flash.open({ path: "storage", format: "buffer" });
				partition.format = "buffer";
				return partition.format`,
					'"buffer"',
				],
				"the format that was when another one is refused": [
					`const partition = storage();
				try { partition.format = "number"; } catch {}
				return partition.format`,
					'"buffer"',
				],
				"what an erased flash holds": ["storage().read(3, 7)", [255, 255, 255]],
				"whether the flash holds these bytes": [
					`const partition = storage("r");
				return [
					partition.equals(bytes(255, 255), 3),
					partition.equals(new Uint8Array(300).fill(255), size - 300),
					partition.equals(new Uint8Array(300).fill(255, 0, 299), 0),
					partition.equals(bytes(254), 0),
					partition.equals(bytes(), size),
					flash.open({ path: "running", mode: "r" }).equals(bytes(0xe9, 1), 0),
					partition.equals(inFlash, 0),
				]`,
					[true, true, false, false, true, true, false],
				],
				"whether a block is erased": [
					`return [storage("r").isErased(0), storage("r").isErased(blocks - 1), flash.open({ path: "running", mode: "r" }).isErased(0)]`,
					[true, true, false],
				],
				"the running firmware": [`flash.open({ path: "running" }).read(2, 0)`, [0xe9, 1]],
				"an ArrayBuffer for a length": ["storage().read(5, 1) instanceof ArrayBuffer", true],
				"nothing for the length 0, at the end too": ["storage().read(0, size)", []],
				"the last byte": ["storage().read(1, size - 1)", [255]],
				"the count for a buffer, a view, a DataView": [
					`const buffer = new ArrayBuffer(6);
				const partition = storage();
				return [
					partition.read(buffer, 0),
					partition.read(new Uint8Array(buffer, 1, 3), 0),
					partition.read(new Int8Array(buffer, 2), 0),
					partition.read(new DataView(buffer, 4, 1), 0),
				]`,
					[6, 3, 4, 1],
				],
				"bytes to a view and nowhere beside it": [
					`const around = new Uint8Array(9);
				storage().read(around.subarray(2, 7), 0);
				return [...around]`,
					[0, 0, 255, 255, 255, 255, 255, 0, 0],
				],
				"an offset that converts to a number": [`storage().read(1, "16")`, [255]],
				"the same after any number of closes, and from another instance": [
					"const open = storage(); const other = closed(); other.close(); return open.status().blocks",
					STORAGE_SIZE / SECTOR,
				],
				"an object that can't be changed": ["Object.isFrozen(flash)", true],
			},
			undefined,
			untouched,
		);
	});

	describe("writes", () => {
		provesIn(
			{
				"any place and length, across sectors": [
					`const partition = storage();
					partition.write(filled(5000, 0), ${SECTOR} - 3);
					const read = (offset) => new Uint8Array(partition.read(2, offset));
					return [...read(${SECTOR} - 4), ...read(${SECTOR} - 4 + 5000)]`,
					[255, 0, 0, 255],
				],
				"only zeros: 0xFE and then 0xF0 works, nothing comes back": [
					`const partition = storage();
					const seen = [];
					for (const value of [0xfe, 0xf0, 0x0f]) {
						partition.write(bytes(value), 20_481);
						seen.push(...new Uint8Array(partition.read(1, 20_481)));
					}
					return seen`,
					[0xfe, 0xf0, 0],
				],
				"ArrayBuffers, views of bytes, DataViews": [
					`const partition = storage();
					const source = bytes(1, 2, 3, 4);
					partition.write(source.buffer, 24_576);
					partition.write(source.subarray(1, 3), 24_580);
					partition.write(new Int8Array(source.buffer, 3), 24_582);
					partition.write(new DataView(source.buffer, 0, 1), 24_583);
					return partition.read(8, 24_576)`,
					[1, 2, 3, 4, 2, 3, 4, 1],
				],
				"bytes that lie in mapped flash": [
					`const partition = storage();
					partition.write(inFlash, 28_673);
					return new Uint8Array(partition.read(300, 28_673)).every((byte, i) => byte === i % 256)`,
					true,
				],
				"each of the places and lengths that words make awkward": [
					`const partition = storage();
					let base = 32_768;
					for (let place = 0; place < 4; place++) {
						for (let length = 0; length < 10; length++, base += 16) {
							const source = Uint8Array.from({ length }, (_, i) => 16 * place + i);
							partition.write(source, base + place);
							const found = new Uint8Array(partition.read(16, base));
							for (let i = 0; i < 16; i++) {
								const inside = i >= place && i < place + length;
								if (found[i] !== (inside ? source[i - place] : 255)) return [place, length, i];
							}
							const part = filled(length + 2, 7);
							partition.read(part.subarray(1, length + 1), base + place);
							if (part[0] !== 7 || part[length + 1] !== 7) return [place, length];
							if (length > 0 && part[length] !== source[length - 1]) return [place, length];
						}
					}
					return true`,
					true,
				],
				"the last byte of the partition": [
					"storage().write(bytes(1), size - 1); return storage().read(1, size - 1)",
					[1],
				],
				"nothing of no bytes": ["storage().write(new ArrayBuffer(0), size)", "undefined"],
			},
			{ contents: [[0, FIRMWARE]] },
			({ flash }) => {
				expect(flash.subarray(0, FIRMWARE.length)).toEqual(FIRMWARE);
				expect(flash[STORAGE + STORAGE_SIZE]).toBe(255);
			},
		);
	});

	describe("erases", () => {
		const full = new Uint8Array(STORAGE_SIZE);
		/** Which blocks are erased by the arguments, of the first 40. */
		const erasing = (values: string, ...expected: number[]): readonly [string, unknown] => [
			`const partition = storage();
			const before = [];
			for (let block = 0; block < 40; block++) if (all(partition, block, 255)) before.push(block);
			partition.eraseBlock(${values});
			const after = [];
			for (let block = 0; block < 40; block++) if (all(partition, block, 255)) after.push(block);
			return after.filter((block) => !before.includes(block))`,
			expected,
		];
		provesIn(
			{
				"one block": erasing("3", 3),
				"from the first to the one before the second": erasing("5, 8", 5, 6, 7),
				"blocks in numeric strings": erasing(`"1", "3"`, 1, 2),
				"nothing between equal ones": erasing("9, 9"),
				"one block where the second is undefined": erasing("9, undefined", 9),
				"a whole aligned 64 KiB and what is around it": erasing(
					"15, 33",
					...Array.from({ length: 18 }, (_, i) => 15 + i),
				),
				"the last block": ["storage().eraseBlock(blocks - 1); return all(storage(), blocks - 1, 255)", true],
			},
			{
				contents: [
					[0, FIRMWARE],
					[STORAGE, full],
				],
			},
			({ flash }) => {
				const at = (block: number) => flash[STORAGE + block * SECTOR];
				expect([0, 4, 14, 33, 100].map(at)).toEqual([0, 0, 0, 0, 0]);
			},
		);
	});

	describe("refuses, with nothing touched,", () => {
		const offsets = {
			"an offset behind the end": "size",
			"an offset far behind the end": "size + 5000",
			"an offset below 0": "-1",
			"an offset of a fraction": "0.5",
			"an offset that is no number": "NaN",
			"an offset of 2^31": "2 ** 31",
			"an offset of 2^32, which is 0 in 32 bits": "2 ** 32",
			"an endless offset": "Infinity",
			"an offset of words": `"somewhere"`,
			"an object as offset": "({})",
		};
		const table: Record<string, readonly [string, string]> = {};
		for (const [what, offset] of Object.entries(offsets)) {
			table[`reading at ${what}`] = [`storage().read(1, ${offset})`, "RangeError"];
			table[`filling at ${what}`] = [`storage().read(bytes(1), ${offset})`, "RangeError"];
			table[`writing at ${what}`] = [`storage().write(bytes(1), ${offset})`, "RangeError"];
			table[`comparing at ${what}`] = [`storage().equals(bytes(1), ${offset})`, "RangeError"];
		}
		const buffers = {
			"a string": [`"text"`, "TypeError"],
			"an object": ["{}", "TypeError"],
			"an array": ["[1, 2]", "TypeError"],
			"a function": ["bytes", "TypeError"],
			null: ["null", "TypeError"],
			"a symbol": ["Symbol()", "TypeError"],
			"a BigInt": ["1n", "TypeError"],
			"elements larger than a byte": ["new Uint16Array(2)", "TypeError"],
			"a host object": [`new Digest("MD5")`, "TypeError"],
			"another partition": ["storage()", "TypeError"],
			"a resizable buffer": ["resizable(4)", "TypeError"],
			"a view of a resizable buffer": ["new Uint8Array(resizable(4), 1, 2)", "TypeError"],
			nothing: ["undefined", "SyntaxError"],
		};
		for (const [what, [buffer = "", error = ""]] of Object.entries(buffers)) {
			table[`reading into ${what}`] = [`storage().read(${buffer}, 0)`, error];
			table[`writing ${what}`] = [`storage().write(${buffer}, 0)`, error];
			table[`comparing ${what}`] = [`storage().equals(${buffer}, 0)`, error];
		}
		for (const call of ["read(buffer, 0)", "write(buffer, 0)", "equals(buffer, 0)"]) {
			table[`a detached buffer: ${call}`] = [
				`const buffer = new ArrayBuffer(4); buffer.transfer(); return storage().${call}`,
				"TypeError",
			];
			table[`a view of a detached buffer: ${call}`] = [
				`const buffer = bytes(1, 2); buffer.buffer.transfer(); return storage().${call}`,
				"TypeError",
			];
			table[`a buffer that is detached while the offset converts: ${call}`] = [
				`const buffer = new ArrayBuffer(4);
				const offset = { valueOf() { buffer.transfer(); return 0; } };
				return storage().${call.replace("0", "offset")}`,
				"TypeError",
			];
		}
		for (const call of [
			"read(1, at)",
			"write(bytes(1), at)",
			"eraseBlock(at)",
			"eraseBlock(0, at)",
			"equals(bytes(1), at)",
			"isErased(at)",
		]) {
			table[`a partition that is closed while a number converts: ${call}`] = [
				`const partition = storage();
				const at = { valueOf() { partition.close(); return 1; } };
				return partition.${call}`,
				"SyntaxError",
			];
			table[`a symbol as number: ${call}`] = [`const at = Symbol(); return storage().${call}`, "TypeError"];
			table[`a BigInt as number: ${call}`] = [`storage().${call.replace("at", "1n")}`, "TypeError"];
		}
		const methods = {
			read: "1, 0",
			write: "bytes(1), 0",
			eraseBlock: "0",
			equals: "bytes(1), 0",
			isErased: "0",
			status: "",
		};
		for (const [method, values] of Object.entries(methods)) {
			table[`${method} after close`] = [`closed().${method}(${values})`, "SyntaxError"];
			table[`${method} after close, without arguments`] = [`closed().${method}()`, "SyntaxError"];
		}
		const receivers = [
			"{}",
			"[]",
			`"text"`,
			"5",
			"null",
			"undefined",
			`new Digest("MD5")`,
			"new Date()",
			"Object.getPrototypeOf(storage())",
		];
		for (const receiver of receivers) {
			for (const [method, values] of Object.entries({ ...methods, close: "" })) {
				table[`${method} on ${receiver}`] = [`on(${receiver}, "${method}", ${values})`, "SyntaxError"];
			}
			table[`format of ${receiver}`] = [`formatOf(${receiver})`, "SyntaxError"];
		}
		for (const path of ["running", "preferences"]) {
			const open = `flash.open({ path: "${path}", mode: "r+" })`;
			table[`writing ${path}`] = [`${open}.write(bytes(0), 0)`, "Error"];
			table[`erasing ${path}`] = [`${open}.eraseBlock(0)`, "Error"];
		}
		const cases: Table = {
			"no options": ["flash.open()", "TypeError"],
			"no path": ["flash.open({})", "Error"],
			"an unknown path": [`flash.open({ path: "xyzzy" })`, "Error"],
			"a path that only begins like one": [`flash.open({ path: "storag" })`, "Error"],
			"a path that only ends like one": [`flash.open({ path: "storages" })`, "Error"],
			"a symbol as path": ["flash.open({ path: Symbol() })", "TypeError"],
			"mode rw": [`storage("rw")`, "Error"],
			"an unknown mode": [`storage("xyzzy")`, "Error"],
			"a symbol as mode": ["storage(Symbol())", "TypeError"],
			"an unknown format": [`flash.open({ path: "storage", format: "number" })`, "RangeError"],
			"a symbol as format": [`flash.open({ path: "storage", format: Symbol() })`, "TypeError"],
			"setting an unknown format": [`setFormat(storage(), "number")`, "RangeError"],
			"format after close": ["closed().format", "SyntaxError"],
			"setting the format after close": [`setFormat(closed(), "buffer")`, "SyntaxError"],
			"one byte too many": ["storage().read(2, size - 1)", "RangeError"],
			"a buffer one byte too long": ["storage().read(bytes(1, 2), size - 1)", "RangeError"],
			"writing one byte too many": ["storage().write(bytes(1, 2), size - 1)", "RangeError"],
			"a length below 0": ["storage().read(-1, 0)", "RangeError"],
			"a length of a fraction": ["storage().read(0.5, 0)", "RangeError"],
			"a length that is NaN": ["storage().read(NaN, 0)", "RangeError"],
			"a length of 2^31": ["storage().read(2 ** 31, 0)", "RangeError"],
			"a length of 2^32 + 1, which is 1 in 32 bits": ["storage().read(2 ** 32 + 1, 0)", "RangeError"],
			"a length that reaches around to the start": ["storage().read(2 ** 32 - 8, 16)", "RangeError"],
			"reading without an offset": ["storage().read(1)", "SyntaxError"],
			"reading nothing": ["storage().read()", "SyntaxError"],
			"writing without an offset": ["storage().write(bytes(1))", "SyntaxError"],
			"writing nothing": ["storage().write()", "SyntaxError"],
			"filling a buffer that lies in flash": ["storage().read(inFlash, 0)", "TypeError"],
			"erasing no block": ["storage().eraseBlock()", "SyntaxError"],
			"erasing an undefined block": ["storage().eraseBlock(undefined)", "SyntaxError"],
			"looking at the block behind the last one": ["storage().isErased(blocks)", "RangeError"],
			"looking at block -1": ["storage().isErased(-1)", "RangeError"],
			"looking at no block": ["storage().isErased()", "SyntaxError"],
			"erasing behind the last block": ["storage().eraseBlock(blocks)", "RangeError"],
			"erasing one block too many": ["storage().eraseBlock(0, blocks + 1)", "RangeError"],
			"erasing block -1": ["storage().eraseBlock(-1)", "RangeError"],
			"erasing up to -1": ["storage().eraseBlock(0, -1)", "RangeError"],
			"erasing backwards": ["storage().eraseBlock(3, 2)", "RangeError"],
			"erasing a fraction of a block": ["storage().eraseBlock(1.5)", "RangeError"],
			"erasing what is no number": [`storage().eraseBlock("x")`, "RangeError"],
			"erasing block 2^20, which begins at 0 in 32 bits": ["storage().eraseBlock(2 ** 20)", "RangeError"],
			"writing in mode r": [`storage("r").write(bytes(0), 0)`, "Error"],
			"writing no bytes in mode r": [`storage("r").write(bytes(), 0)`, "Error"],
			"erasing in mode r": [`storage("r").eraseBlock(0)`, "Error"],
			"making a partition of one's own": [
				`new (storage().constructor)("running", true).write(bytes(0), 0)`,
				"Error",
			],
			"making a partition of no name": ["new (storage().constructor)()", "SyntaxError"],
			"calling the class": [`(0, storage().constructor)("storage", true)`, "TypeError"],
		};
		provesIn({ ...table, ...cases }, undefined, untouched);
	});

	describe("tells that the chip failed", () => {
		provesIn(
			{
				"to erase": ["storage().eraseBlock(0)", "Error"],
				"to program": ["storage().write(bytes(1), 0)", "Error"],
			},
			{
				contents: [[0, FIRMWARE]],
				faults: [{ at: 0, kind: "fail", repeat: true }],
			},
			({ operations }) => expect(operations).toBe(2),
		);
		describe("and goes no further than the sector that failed", () => {
			provesIn(
				{ "when it erases many": ["storage().eraseBlock(0, 10)", "Error"] },
				{ contents: [[0, FIRMWARE]], faults: [{ at: 3, kind: "fail" }] },
				({ operations }) => expect(operations).toBe(4),
			);
		});
	});
});

describe.skipIf(skipsXS)(`the layout of the chip${xsNote}`, () => {
	const firmware = (flashSize: number, padTo: number) =>
		buildFirmware({ script: "", name: "test", version: "1", flashSize, padTo });
	const statusOf = (path: string) =>
		`const { address, size } = flash.open({ path: "${path}" }).status(); return [address, size]`;

	describe("of 1 MiB, whose nextota lies behind the firmware that runs", () => {
		provesIn(
			{
				"has its preferences below the filesystem": [statusOf("preferences"), [0xe9000, 0x2000]],
				"lets nextota begin on the sector behind": [statusOf("nextota"), [0x22000, 0xe6000 - 0x22000]],
				"counts its blocks from there": [
					`const partition = flash.open({ path: "nextota" });
					partition.write(bytes(1), 0);
					partition.write(bytes(2), ${SECTOR});
					partition.eraseBlock(1);
					return partition.status().blocks`,
					0xe6 - 0x22,
				],
			},
			{ size: 0x100000, contents: [[0, firmware(2, 0x21010)]] },
			({ flash }) => {
				expect([flash[0x22000], flash[0x23000]]).toEqual([1, 255]);
				expect(flash.subarray(0, 0x21010)).toEqual(firmware(2, 0x21010));
			},
		);
	});

	describe("of 1 MiB that the firmware fills", () => {
		provesIn(
			{
				"leaves no room": [statusOf("nextota"), [0xe6000, 0]],
				"where nothing can be written": [`flash.open({ path: "nextota" }).write(bytes(1), 0)`, "RangeError"],
				"nor erased": [`flash.open({ path: "nextota" }).eraseBlock(0)`, "RangeError"],
			},
			{ size: 0x100000, contents: [[0, firmware(2, 0xe6000)]] },
			untouched,
		);
	});

	/** A firmware whose application's headers are changed. */
	const damaged = (change: (view: DataView) => void) => {
		const bytes = firmware(2, 0x21000);
		change(new DataView(bytes.buffer));
		return bytes;
	};
	describe.each([
		["no magic", damaged((view) => view.setUint8(0x1000, 0xea))],
		["255 segments", damaged((view) => view.setUint8(0x1001, 255))],
		["a segment beyond the flash", damaged((view) => view.setUint32(0x100c, 0x200000, true))],
		[
			"17 segments",
			damaged((view) => {
				view.setUint8(0x1001, 17);
				for (let at = 0x1008; at < 0x1200; at += 4) view.setUint32(at, 0, true);
			}),
		],
		[
			"a last segment that ends before it begins",
			damaged((view) => {
				const last = 0x1010 + view.getUint32(0x100c, true);
				view.setUint32(last + 4, 0xfffff000, true);
			}),
		],
		["a segment of 4 GiB", damaged((view) => view.setUint32(0x100c, 0xfffffff0, true))],
		["more than its place", damaged((view) => view.setUint32(0x100c, 0xe6ff8, true))],
	])("of 1 MiB, whose application has %s,", (_what, contents) => {
		provesIn(
			{
				"has no nextota to open": [statusOf("nextota"), "Error"],
				"has all else": [statusOf("storage"), [0xeb000, 0x10000]],
			},
			{ size: 0x100000, contents: [[0, contents]] },
			untouched,
		);
	});

	describe("of 2 MiB with a header that says 4", () => {
		provesIn(
			{
				"is the one for 4, by which the SDK runs": ["[...flash].length", 6],
				"opens what the chip has": [statusOf("running"), [0, 0x100000]],
				"refuses what lies beyond it, which would be the start again": [statusOf("storage"), "Error"],
				"refuses a part beyond it": [`flash.open({ path: "storage", mode: "r" })`, "Error"],
			},
			{ size: 0x200000, contents: [[0, firmware(4, 0x21000)]] },
			untouched,
		);
	});

	describe("of 4 MiB with a header that says 2", () => {
		provesIn(
			{ "is the one for 2, beyond which the ROM refuses": [statusOf("storage"), [0x1f0000, 0xb000]] },
			{ size: 0x400000, contents: [[0, firmware(3, 0x21000)]] },
			untouched,
		);
	});

	describe("whose header has no size", () => {
		provesIn(
			{
				"has no partitions": ["[...flash]", []],
				"nothing to open": [statusOf("running"), "Error"],
			},
			{ contents: [] },
			untouched,
		);
	});
});
