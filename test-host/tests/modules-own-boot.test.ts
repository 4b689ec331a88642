/** The hand-over to our boot loader in the device's engine, over the C of modules/flash. */
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decodeHeader, HEADER_LENGTH, RecordState } from "../../ota/boot-record/header";
import { SECTOR } from "../../ota/image";
import { buildFirmware } from "../virtual/image-builder";
import { layoutFor } from "../virtual/layout";
import type { Fault } from "../virtual/nor";
import { configFor, ownBootSector } from "../virtual/own-flash";
import { sizeNibble } from "../virtual/slots-flash";
import { type Outcome, runNative, skipsXS, xsNote } from "./native-bench";

const SIZE = 0x400000;
const LAYOUT = layoutFor(SIZE);
const CONFIG = configFor(SIZE, LAYOUT);
const STAGING = 0x1fc000;
const header = { flashSize: sizeNibble(SIZE) };
const RUNNING = buildFirmware({
	script: "",
	name: "bench",
	version: "1",
	padTo: 2 * SECTOR,
	confirms: true,
	...header,
});
const NEW = buildFirmware({ script: "", name: "bench", version: "2", padTo: 4 * SECTOR - 496, ...header });

const HELPERS = `
	import board from "board";
	import flash from "embedded:storage/flash";
	import { bootStrategy } from "ota/boot-loader";
	import { BootRecord } from "ota/boot-record/record";
	import { RecordTrial } from "ota/boot-record/record-trial";
	const staged = Object.freeze({
		address: ${STAGING}, size: ${NEW.length}, destination: 0, room: ${CONFIG.applicationEnd}, inflated: undefined,
		image: Object.freeze({ md5: "${"12".repeat(16)}", version: "2", tag: "" }),
	});
	const known = Object.freeze({ md5: staged.image.md5, version: "", tag: "" });
	/* A record as of a board that keeps the firmware before; its flags are those of a trial. */
	function install() {
		select();
		const record = new BootRecord();
		const given = { ...record.header, flags: 1, starts: 1 };
		record.flash.write(new Uint8Array(128), 0);
		const notes = record.flash.read(256, 0x200);
		record.erase();
		record.flash.write(notes, 0x200);
		record.write(given);
		for (const state of [${RecordState.KEPT}, ${RecordState.BEGUN}, ${RecordState.INSTALLED}]) record.set(state);
	}
	function select() {
		const boot = bootStrategy(board);
		boot.check(staged);
		boot.select(staged);
	}`;

function run(scripts: Readonly<Record<string, string>>, faults: readonly Fault[] = []): Promise<Outcome> {
	const contents = [
		[0, RUNNING],
		[0, ownBootSector(CONFIG, header)],
		[STAGING, NEW],
	] as const;
	return runNative(scripts, { size: SIZE, contents, faults, helpers: HELPERS });
}

const headersOf = ({ flash }: Outcome) =>
	[0, HEADER_LENGTH].map((at) =>
		decodeHeader(new DataView(flash.buffer, flash.byteOffset + CONFIG.record + at)),
	);

describe.skipIf(skipsXS)(`our boot loader's record, in the device's engine${xsNote}`, () => {
	test("is written, read, and changed without an erase", async () => {
		const outcome = await run({
			select: "select(); return new BootRecord().header",
			states: `const record = new BootRecord();
				const told = [record.isUntouched, record.is(${RecordState.CONFIRMED})];
				record.set(${RecordState.CONFIRMED});
				return [...told, record.is(${RecordState.CONFIRMED})]`,
			void: `bootStrategy(board).clear(); return new BootRecord().is(${RecordState.REFUSED})`,
			stages: `flash.open({ path: "bootstages" }).eraseBlock(0)`,
		});
		const crc = crc32(NEW.subarray(SECTOR));
		const { length } = NEW;
		const expected = {
			sequence: 1,
			flags: 0,
			source: STAGING,
			destination: 0,
			size: length,
			length,
			crc,
			starts: 0,
		};
		expect(JSON.parse(outcome.answers.get("select") ?? "")).toEqual(expected);
		expect(headersOf(outcome)).toEqual([expected, expected]);
		expect(outcome.answers.get("states")).toBe("[true,false,true]");
		expect(outcome.answers.get("void")).toBe("true");
		// What only the boot loader writes.
		expect(outcome.answers.get("stages")).toBe("Error");
		// An erase, the note, the header twice, a state each, and that nothing is to be told of it.
		expect(outcome.operations).toBe(7);
	});

	test.each([
		["erase", 0, []],
		["note", 1, []],
		["header", 2, []],
		["header's copy", 3, [0]],
	])("cut while the %s is written is none, or whole", async (_what, at, whole) => {
		const { flash, ...outcome } = await run({ select: "select()" }, [{ at, kind: "power during" }]);
		const headers = headersOf({ flash, ...outcome });
		expect(headers.flatMap((found, i) => (found ? [i] : []))).toEqual(whole);
		expect(Buffer.compare(flash.subarray(STAGING, STAGING + NEW.length), NEW)).toBe(0);
		expect(Buffer.compare(flash.subarray(SECTOR, RUNNING.length), RUNNING.subarray(SECTOR))).toBe(0);
	});

	test("has a firmware on trial, until it is confirmed", async () => {
		const { answers } = await run({
			install: "install()",
			pending:
				"const trial = new RecordTrial(board); trial.begin(); return [trial.isPending, trial.refuses(known)]",
			confirmed: `const trial = new RecordTrial(board); trial.confirm();
				return [trial.isPending, new RecordTrial(board).isPending, new BootRecord().is(${RecordState.CONFIRMED})]`,
		});
		expect(answers.get("pending")).toBe("[true,false]");
		expect(answers.get("confirmed")).toBe("[false,false,true]");
	});

	test("has one that the board went back from refused", async () => {
		const { answers } = await run({
			install: "install()",
			back: `const record = new BootRecord(); record.set(${RecordState.RESTORE}); record.set(${RecordState.RESTORED}); return true`,
			refused:
				"const trial = new RecordTrial(board); trial.begin(); return [trial.isPending, trial.refuses(known)]",
			// The layout of this board has no place for it.
			none: "try { new RecordTrial(board).rollback(); } catch (error) { return error.code; }",
		});
		expect(answers.get("refused")).toBe("[false,true]");
		expect(answers.get("none")).toBe("159");
	});

	test.each([
		["before", (word: number) => word === 0xffffffff],
		["during", () => true],
		["after", (word: number) => word === 0],
	] as const)(
		"the power cut %s the word of its confirmation, changes nothing else",
		async (when, isRight) => {
			const { operations: at, flash: installed } = await run({ install: "install()" });
			const scripts = { install: "install()", confirm: "new RecordTrial(board).confirm()" };
			const { flash } = await run(scripts, [{ at, kind: `power ${when}` }]);
			const place = CONFIG.record + RecordState.CONFIRMED;
			expect(isRight(new DataView(flash.buffer, flash.byteOffset + place, 4).getUint32(0))).toBe(true);
			flash.fill(0xff, place, place + 4);
			expect(Buffer.compare(flash, installed)).toBe(0);
		},
	);
});
