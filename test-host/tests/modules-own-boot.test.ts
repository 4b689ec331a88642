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
const RUNNING = buildFirmware({ script: "", name: "bench", version: "1", padTo: 2 * SECTOR, ...header });
const NEW = buildFirmware({ script: "", name: "bench", version: "2", padTo: 4 * SECTOR - 496, ...header });

const HELPERS = `
	import board from "board";
	import flash from "embedded:storage/flash";
	import { bootStrategy } from "ota/boot-loader";
	import { BootRecord } from "ota/boot-record/record";
	const staged = Object.freeze({
		address: ${STAGING}, size: ${NEW.length}, destination: 0, room: ${CONFIG.applicationEnd}, inflated: undefined,
		image: Object.freeze({ md5: "${"12".repeat(16)}", version: "2", tag: "" }),
	});
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
		// An erase, the note, the header twice, a state each.
		expect(outcome.operations).toBe(6);
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
});
