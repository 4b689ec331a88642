import { truncateSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	BLOCK_SIZE,
	type Fault,
	FlashFault,
	NorControl,
	NorFlash,
	PAGE_SIZE,
	PowerCut,
	SECTOR_SIZE,
} from "../virtual/nor";
import { get, temporaryFile, temporaryFlash } from "./temporary-flash";

const SIZE = 0x80000;
const zeros = (length: number) => new Uint8Array(length);
const ones = (length: number) => new Uint8Array(length).fill(0xff);
/** By Buffer: toEqual takes a second for half a MiB. */
const isErased = (flash: NorFlash) => Buffer.compare(get(flash, 0, flash.size), ones(flash.size)) === 0;

describe("the chip's file", () => {
	test("a new file is an erased chip", () => {
		const flash = temporaryFlash({ size: SIZE });
		expect(flash.size).toBe(SIZE);
		expect(isErased(flash)).toBe(true);
	});

	test("the content outlives the chip's closing", () => {
		const file = temporaryFile();
		const before = NorFlash.open({ file, size: SIZE });
		before.program(5, Uint8Array.of(1, 2, 3));
		before.close();
		before.close();
		const after = NorFlash.open({ file });
		expect(get(after, 5, 3)).toEqual(Uint8Array.of(1, 2, 3));
		after.close();
	});

	test("two that opened the same file see the same cells", () => {
		const file = temporaryFile();
		const flash = temporaryFlash({ file, size: SIZE });
		const other = temporaryFlash({ file, size: SIZE });
		flash.program(0x7000, Uint8Array.of(0x12));
		expect(get(other, 0x7000, 1)).toEqual(Uint8Array.of(0x12));
	});

	test("without a size, a new chip has 4 MiB and an old one its file's", () => {
		const file = temporaryFile();
		NorFlash.open({ file }).close();
		const flash = NorFlash.open({ file });
		expect(flash.size).toBe(0x400000);
		flash.close();
	});

	test.each([0x40000, 0x80001, 0xc0000, 0x2000000])("%i bytes is no chip", (size) => {
		expect(() => NorFlash.open({ file: temporaryFile(), size })).toThrow(`${size} bytes is no flash chip`);
	});

	test("a file of another size is refused, both sizes named", () => {
		const file = temporaryFile();
		NorFlash.open({ file, size: SIZE }).close();
		expect(() => NorFlash.open({ file, size: 0x100000 })).toThrow(/holds 524288 bytes.*1048576 bytes/);
	});

	test("a file that is no chip is refused", () => {
		const file = temporaryFile();
		writeFileSync(file, "text");
		expect(() => NorFlash.open({ file })).toThrow("holds 4 bytes, no flash chip");
	});

	test("after close nothing can be read", () => {
		const flash = temporaryFlash();
		flash.close();
		expect(() => get(flash, 0, 1)).toThrow("flash is closed");
	});

	test("a file that was cut short is noticed", () => {
		const file = temporaryFile();
		const flash = temporaryFlash({ file, size: SIZE });
		truncateSync(file, 10);
		expect(() => get(flash, 0, 16)).toThrow("cut short");
	});
});

describe("NOR rules", () => {
	test("a program clears bits and sets none", () => {
		const flash = temporaryFlash();
		flash.program(0, Uint8Array.of(0b1010));
		flash.program(0, Uint8Array.of(0b0110));
		expect(get(flash, 0, 1)).toEqual(Uint8Array.of(0b0010));
	});

	test("a sector erase sets its 4,096 bytes and no other", () => {
		const flash = temporaryFlash({ size: SIZE });
		flash.program(0, zeros(3 * SECTOR_SIZE));
		flash.eraseSector(SECTOR_SIZE);
		expect(get(flash, 0, SECTOR_SIZE)).toEqual(zeros(SECTOR_SIZE));
		expect(get(flash, SECTOR_SIZE, SECTOR_SIZE)).toEqual(ones(SECTOR_SIZE));
		expect(get(flash, 2 * SECTOR_SIZE, SECTOR_SIZE)).toEqual(zeros(SECTOR_SIZE));
	});

	test("a block erase sets its 65,536 bytes and no other", () => {
		const flash = temporaryFlash({ size: SIZE });
		flash.program(BLOCK_SIZE - 1, zeros(BLOCK_SIZE + 2));
		flash.eraseBlock(BLOCK_SIZE);
		expect(get(flash, BLOCK_SIZE - 1, 2)).toEqual(Uint8Array.of(0, 0xff));
		expect(get(flash, 2 * BLOCK_SIZE - 1, 2)).toEqual(Uint8Array.of(0xff, 0));
	});

	test.each([
		["a sector erase off its alignment", (flash: NorFlash) => flash.eraseSector(0x800)],
		["a block erase off its alignment", (flash: NorFlash) => flash.eraseBlock(SECTOR_SIZE)],
		["a sector erase behind the end", (flash: NorFlash) => flash.eraseSector(SIZE)],
		["a block erase behind the end", (flash: NorFlash) => flash.eraseBlock(SIZE)],
		["a program one byte over the end", (flash: NorFlash) => flash.program(SIZE - 1, zeros(2))],
		["a program before the start", (flash: NorFlash) => flash.program(-1, zeros(1))],
		["a read one byte over the end", (flash: NorFlash) => flash.read(SIZE - 1, zeros(2))],
		["an address that is no integer", (flash: NorFlash) => flash.program(0.5, zeros(1))],
		["an address that is no number", (flash: NorFlash) => flash.program(Number.NaN, zeros(1))],
	])("%s is a RangeError and touches nothing", (_, act) => {
		const flash = temporaryFlash({ size: SIZE });
		expect(() => act(flash)).toThrow(RangeError);
		expect(flash.operations).toBe(0);
		expect(isErased(flash)).toBe(true);
	});

	test("the last byte can be programmed", () => {
		const flash = temporaryFlash({ size: SIZE });
		flash.program(SIZE - 1, zeros(1));
		expect(get(flash, SIZE - 2, 2)).toEqual(Uint8Array.of(0xff, 0));
	});

	test("property: program is AND, at any address and length", () => {
		const flash = temporaryFlash({ size: SIZE });
		const bytes = () => fc.uint8Array({ minLength: 0, maxLength: 700 });
		fc.assert(
			fc.property(fc.nat(SIZE - 700), bytes(), bytes(), (address, first, second) => {
				const old = get(flash, address, 700);
				flash.program(address, first);
				flash.program(address, second);
				const expected = old.map((byte, i) => byte & (first[i] ?? 0xff) & (second[i] ?? 0xff));
				expect(get(flash, address, 700)).toEqual(expected);
			}),
			{ numRuns: 50 },
		);
	});

	test("property: any sequence of operations leaves what a model in memory says", () => {
		const action = fc.oneof(
			fc.record({ kind: fc.constant("sector" as const), at: fc.nat(SIZE / SECTOR_SIZE - 1) }),
			fc.record({ kind: fc.constant("block" as const), at: fc.nat(SIZE / BLOCK_SIZE - 1) }),
			fc.record({
				kind: fc.constant("program" as const),
				at: fc.nat(SIZE - 600),
				bytes: fc.uint8Array({ maxLength: 600 }),
			}),
		);
		const flash = temporaryFlash({ size: SIZE });
		const model = ones(SIZE);
		fc.assert(
			fc.property(fc.array(action, { maxLength: 12 }), (actions) => {
				for (const act of actions) {
					if (act.kind === "program") {
						flash.program(act.at, act.bytes);
						for (const [i, byte] of act.bytes.entries()) model[act.at + i] = (model[act.at + i] ?? 0) & byte;
					} else if (act.kind === "sector") {
						flash.eraseSector(act.at * SECTOR_SIZE);
						model.fill(0xff, act.at * SECTOR_SIZE, (act.at + 1) * SECTOR_SIZE);
					} else {
						flash.eraseBlock(act.at * BLOCK_SIZE);
						model.fill(0xff, act.at * BLOCK_SIZE, (act.at + 1) * BLOCK_SIZE);
					}
				}
				expect(Buffer.compare(get(flash, 0, SIZE), model)).toBe(0);
			}),
			{ numRuns: 40 },
		);
	});
});

describe("operations", () => {
	test("a sector erase and a block erase are one operation each", () => {
		const flash = temporaryFlash();
		flash.eraseSector(0);
		flash.eraseBlock(0);
		expect(flash.operations).toBe(2);
	});

	test.each([
		[0, 0, 0],
		[0, 1, 1],
		[0, PAGE_SIZE, 1],
		[0, PAGE_SIZE + 1, 2],
		[PAGE_SIZE - 1, 2, 2],
		[1, PAGE_SIZE, 2],
		[0, SECTOR_SIZE, 16],
	])("a program at %i of %i bytes is %i pages", (address, length, pages) => {
		const flash = temporaryFlash();
		flash.program(address, zeros(length));
		expect(flash.operations).toBe(pages);
	});

	test("the counter and the faults are the same in everything that shares the control's memory", () => {
		const control = NorControl.create();
		const flash = temporaryFlash({ control: new NorControl(control.words) });
		flash.eraseSector(0);
		expect(control.operations).toBe(1);
		control.arm({ at: 1, kind: "fail" });
		expect(() => flash.eraseSector(0)).toThrow(FlashFault);
	});
});

describe("faults", () => {
	/** A chip with one page of 0x0F, and the fault armed for the operations that follow. */
	function faulty(fault: Omit<Fault, "at">, ahead = 0): NorFlash {
		const flash = temporaryFlash();
		flash.program(0, new Uint8Array(PAGE_SIZE).fill(0x0f));
		flash.control.arm({ at: flash.operations + ahead, ...fault });
		return flash;
	}

	test("fail: FlashFault, nothing changed", () => {
		const flash = faulty({ kind: "fail" });
		expect(() => flash.program(0, zeros(PAGE_SIZE))).toThrow(FlashFault);
		expect(get(flash, 0, PAGE_SIZE)).toEqual(new Uint8Array(PAGE_SIZE).fill(0x0f));
	});

	test("ignored: success, nothing changed", () => {
		const flash = faulty({ kind: "ignored" });
		flash.program(0, zeros(PAGE_SIZE));
		expect(get(flash, 0, PAGE_SIZE)).toEqual(new Uint8Array(PAGE_SIZE).fill(0x0f));
	});

	test("torn program: FlashFault, some of the bits that were to go are gone, no other", () => {
		const flash = faulty({ kind: "torn" });
		expect(() => flash.program(0, new Uint8Array(PAGE_SIZE).fill(0x03))).toThrow(FlashFault);
		const page = get(flash, 0, PAGE_SIZE);
		expect(new Set(page)).toEqual(new Set([0x03, 0x07, 0x0b, 0x0f]));
	});

	test("torn erase: FlashFault, some of the bits that were 0 are 1, those that were 1 stay", () => {
		const flash = faulty({ kind: "torn" });
		expect(() => flash.eraseSector(0)).toThrow(FlashFault);
		const page = get(flash, 0, PAGE_SIZE);
		expect(page.every((byte) => (byte & 0x0f) === 0x0f)).toBe(true);
		expect(new Set(page).size).toBe(16);
	});

	test("the same seed tears the same bits, another seed others", () => {
		const [first, second, third] = [1, 1, 2].map((seed) => {
			const flash = temporaryFlash({ control: NorControl.create(seed) });
			flash.control.arm({ at: 0, kind: "torn" });
			expect(() => flash.program(0, zeros(PAGE_SIZE))).toThrow(FlashFault);
			return get(flash, 0, PAGE_SIZE);
		});
		expect(second).toEqual(first);
		expect(third).not.toEqual(first);
	});

	test("a fault hits its operation only", () => {
		const flash = faulty({ kind: "fail" }, 2);
		flash.program(0x100, zeros(2 * PAGE_SIZE));
		expect(() => flash.program(0x300, zeros(PAGE_SIZE))).toThrow(FlashFault);
		flash.program(0x300, zeros(PAGE_SIZE));
	});

	test("the pages before a failed one are written, those behind are not", () => {
		const flash = faulty({ kind: "fail" }, 1);
		expect(() => flash.program(0x100, zeros(3 * PAGE_SIZE))).toThrow(FlashFault);
		expect(get(flash, 0x100, PAGE_SIZE)).toEqual(zeros(PAGE_SIZE));
		expect(get(flash, 0x200, 2 * PAGE_SIZE)).toEqual(ones(2 * PAGE_SIZE));
	});

	test("a repeated fault hits every operation from its number on, until it is disarmed", () => {
		const flash = faulty({ kind: "fail", repeat: true }, 1);
		flash.eraseSector(0x1000);
		for (let i = 0; i < 3; i++) expect(() => flash.eraseSector(0)).toThrow(FlashFault);
		flash.control.disarm();
		flash.eraseSector(0);
	});

	test("a fault for one type of operation waits for it", () => {
		const flash = faulty({ kind: "fail", only: "erase" });
		flash.program(0x100, zeros(PAGE_SIZE));
		expect(() => flash.eraseSector(0)).toThrow(FlashFault);
	});

	test("seventeen faults are too many", () => {
		const control = NorControl.create();
		for (let at = 0; at < 16; at++) control.arm({ at, kind: "fail" });
		expect(() => control.arm({ at: 16, kind: "fail" })).toThrow(RangeError);
	});
});

describe("power cuts", () => {
	function cut(kind: "power before" | "power during" | "power after", onPowerCut?: () => void): NorFlash {
		const flash = temporaryFlash(onPowerCut && { onPowerCut });
		flash.control.arm({ at: 0, kind });
		expect(() => flash.program(0, zeros(PAGE_SIZE))).toThrow(PowerCut);
		return flash;
	}

	test.each([
		["before", ones(PAGE_SIZE)],
		["after", zeros(PAGE_SIZE)],
	] as const)("power %s the operation", (moment, content) => {
		const flash = cut(`power ${moment}`);
		flash.control.powerOn();
		expect(get(flash, 0, PAGE_SIZE)).toEqual(content);
	});

	test("power during the operation leaves part of the bits", () => {
		const flash = cut("power during");
		flash.control.powerOn();
		const page = get(flash, 0, PAGE_SIZE);
		expect(page).not.toEqual(ones(PAGE_SIZE));
		expect(page).not.toEqual(zeros(PAGE_SIZE));
	});

	test("without power nothing works and nothing counts, until the power is back", () => {
		const flash = cut("power before");
		expect(() => get(flash, 0, 1)).toThrow(PowerCut);
		expect(() => flash.program(0, zeros(1))).toThrow(PowerCut);
		expect(() => flash.eraseSector(0)).toThrow(PowerCut);
		expect(() => flash.eraseBlock(0)).toThrow(PowerCut);
		expect(flash.operations).toBe(1);
		flash.control.powerOn();
		flash.eraseSector(0);
		expect(flash.operations).toBe(2);
	});

	test("the hook runs in the instant of the cut, the power already off", () => {
		const seen: boolean[] = [];
		const control = NorControl.create();
		const flash = temporaryFlash({ control, onPowerCut: () => seen.push(control.powered) });
		control.arm({ at: 0, kind: "power before" });
		expect(() => flash.eraseSector(0)).toThrow(PowerCut);
		expect(() => flash.eraseSector(0)).toThrow(PowerCut);
		expect(seen).toEqual([false]);
	});

	test("the pages behind the cut are not written", () => {
		const flash = temporaryFlash();
		flash.control.arm({ at: 1, kind: "power after" });
		expect(() => flash.program(0, zeros(3 * PAGE_SIZE))).toThrow(PowerCut);
		flash.control.powerOn();
		expect(get(flash, PAGE_SIZE, PAGE_SIZE)).toEqual(zeros(PAGE_SIZE));
		expect(get(flash, 2 * PAGE_SIZE, PAGE_SIZE)).toEqual(ones(PAGE_SIZE));
	});
});
