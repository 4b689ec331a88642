import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { encodeHeader, HEADER_LENGTH } from "../../ota/boot-record/header";
import { SECTOR } from "../../ota/image";
import type { BootConfig } from "../../tools/image/boot-config";
import { applicationOf, firmware } from "../judge/images";
import { NO_PREVIOUS, PLACES, STAGING } from "../judge/places";
import { encodeIntention, RecordFlag, RecordState } from "../judge/record";
import { Noise } from "../virtual/noise";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";

const OLD = firmware({ seed: 1, length: 2 * SECTOR });
const NEW = firmware({ seed: 2, length: 3 * SECTOR, packed: true });

withCompiler("the boot loader's machine code", () => {
	const bench = new JudgeBench();
	const { judged, board } = bench;
	const has = (file: Uint8Array) =>
		Buffer.compare(board.installed(file.length - SECTOR), applicationOf(file)) === 0;
	const prepare = (staged: Uint8Array, config: BootConfig = NO_PREVIOUS) => {
		bench.insert(config);
		judged.put(SECTOR, applicationOf(OLD));
		judged.put(STAGING, staged);
	};
	const zipped = (file: Uint8Array) => new Uint8Array(gzipSync(file));

	test("says what eboot says, and takes its command once", () => {
		prepare(NEW);
		judged.command(STAGING, 0, NEW.length);
		expect(judged.start()).toBe("application");
		expect(board.uart).toMatch(/v[0-9a-f]{8}\r\n@cp:0\r\nld\r\n$/);
		expect(board.hasCommand).toBe(false);
		expect(has(NEW)).toBe(true);
		expect(judged.start()).toBe("application");
		expect(board.uart).toMatch(/v00003000\r\n~ld\r\n$/);
	});

	test("loads the application's segments, and hands over its stack", () => {
		prepare(NEW);
		judged.start();
		expect(board.application?.entry).toBe(0x40100004);
		const loaded = board.application?.memory.read(0x3ffe8000, 16);
		expect(loaded && Buffer.from(OLD).includes(Buffer.from(loaded))).toBe(true);
	});

	describe("refuses, and leaves all as it was:", () => {
		const damaged = (file: Uint8Array, at: number) => {
			const bytes = file.slice();
			bytes[at] = (bytes[at] ?? 0) ^ 0x10;
			return bytes;
		};
		const gzip = zipped(NEW);
		test.each([
			["a source between sectors", NEW, [STAGING + 4, 0, NEW.length], 1],
			["a destination between sectors", NEW, [STAGING, 4, NEW.length], 1],
			["nothing at all", NEW, [STAGING, 0, 0], 10],
			["a negative size", NEW, [STAGING, 0, 0xffffff00], 10],
			["what lies beyond the chip", NEW, [0x3f000, 0, 2 * SECTOR], 10],
			["a destination that is no place", NEW, [STAGING, 0x8000, NEW.length], 10],
			["what lies over its own record", NEW, [PLACES.record, 0, NEW.length], 10],
			["no application", new Uint8Array(NEW.length), [STAGING, 0, NEW.length], 11],
			["a damaged one", damaged(NEW, 6000), [STAGING, 0, NEW.length], 11],
			["one cut short", NEW, [STAGING, 0, NEW.length - 16], 11],
			["a gzip with a damaged header", damaged(gzip, 2), [STAGING, 0, gzip.length], 5],
			["a gzip with damaged data", damaged(gzip, 5000), [STAGING, 0, gzip.length], 6],
			["a gzip with a wrong CRC", damaged(gzip, gzip.length - 7), [STAGING, 0, gzip.length], 6],
			["a gzip with a length too large", damaged(gzip, gzip.length - 2), [STAGING, 0, gzip.length], 12],
			["a gzip cut short", gzip, [STAGING, 0, gzip.length - 100], 12],
			["a gzip with a byte behind it", gzip, [STAGING, 0, gzip.length + 4], 12],
			["two members", Buffer.concat([gzip, gzip]), [STAGING, 0, 2 * gzip.length], 6],
		] as const)("%s", (_, staged, [source, destination, size], code) => {
			prepare(staged);
			const before = board.cells.slice();
			judged.command(source, destination, size);
			expect(judged.start()).toBe("application");
			// A length that is read out of other bytes may be any.
			const told = /@cp:(\d+)\r\nld/.exec(board.uart)?.[1];
			if (code === 12) expect(["6", "12"]).toContain(told);
			else expect(told).toBe(String(code));
			expect(Buffer.compare(board.cells, before)).toBe(0);
			expect(has(OLD)).toBe(true);
		});
	});

	test("makes both copies of its second stage whole, from the other one or from behind the firmware", () => {
		const { stages } = PLACES;
		for (const damage of [[stages], [stages + SECTOR], [stages, stages + SECTOR]]) {
			bench.insert(PLACES);
			const whole = board.cells.slice(stages, stages + 2 * SECTOR);
			const stage = board.cells.slice(stages, stages + SECTOR);
			judged.put(SECTOR, applicationOf(OLD));
			judged.put(OLD.length, stage);
			for (const address of damage) judged.erase(address + 100, 500);
			expect(judged.start()).toBe("application");
			expect(Buffer.compare(board.cells.subarray(stages, stages + 2 * SECTOR), whole)).toBe(0);
		}
	});

	test("without a second stage starts what runs, and installs nothing", () => {
		prepare(NEW);
		judged.erase(NO_PREVIOUS.stages, 2 * SECTOR);
		judged.command(STAGING, 0, NEW.length);
		expect(judged.start()).toBe("application");
		expect(board.uart).toMatch(/@cp:14\r\nld\r\n$/);
		expect(has(OLD)).toBe(true);
	});

	test("says so where there is nothing to start, and waits", () => {
		bench.insert(PLACES);
		expect(judged.start()).toBe("waits");
		expect(board.uart).toMatch(/~no application, flash me\r\n$/);
	});

	test("takes up an install again that the flash refused, where there is no way back", () => {
		prepare(NEW);
		const intention = { flags: 0, source: STAGING, destination: 0, staged: NEW, result: NEW };
		judged.put(NO_PREVIOUS.record, encodeIntention(intention));
		judged.each(({ control }) => {
			control.arm({ at: control.operations, kind: "fail", only: "erase", repeat: true });
		});
		expect(judged.start()).toBe("waits");
		expect(board.uart).toMatch(/~cp:4\r\nno application, flash me\r\n$/);
		judged.cutPower();
		expect(judged.start()).toBe("application");
		expect(has(NEW)).toBe(true);
	});

	test("comes to an end with a record that tells of more than 4 GiB less a sector", () => {
		prepare(NEW);
		const header = new Uint8Array(HEADER_LENGTH);
		const length = 0xfffff800;
		const given = { flags: 0, source: STAGING, destination: 0, size: 0x5000, length, crc: 1, starts: 0 };
		encodeHeader(new DataView(header.buffer), { sequence: 1, ...given });
		judged.put(NO_PREVIOUS.record, header);
		judged.put(NO_PREVIOUS.record + RecordState.BEGUN, new Uint8Array(4));
		expect(judged.start()).toBe("waits");
		expect(board.uart).toMatch(/~cp:13\r\nno application, flash me\r\n$/);
	});

	test("brings the application before back where the new one is damaged later", () => {
		prepare(NEW, PLACES);
		judged.command(STAGING, 0, NEW.length);
		judged.start();
		expect(has(NEW)).toBe(true);
		judged.erase(SECTOR + 100, 50);
		expect(judged.start()).toBe("application");
		expect(board.uart).toMatch(/~back\r\nld\r\n$/);
		expect(has(OLD)).toBe(true);
	});

	describe("a filesystem of more than a block", () => {
		const { filesystem } = NO_PREVIOUS;
		const content = new Noise(6).fill(new Uint8Array(16 * SECTOR));
		const holds = () =>
			Buffer.compare(board.cells.subarray(filesystem, filesystem + content.length), content) === 0;

		test.each(["fail", "ignored"] as const)(
			"is erased sector by sector where the block's erase does %s",
			(kind) => {
				prepare(content);
				judged.put(filesystem, new Noise(7).fill(new Uint8Array(content.length)));
				judged.command(STAGING, filesystem, content.length);
				judged.each(({ control }) => {
					// The record's erase comes before.
					control.arm({ at: control.operations + 1, kind, only: "erase" });
				});
				const before = board.operations;
				expect(judged.start()).toBe("application");
				expect(board.uart).toContain("@cp:0");
				expect(holds()).toBe(true);
				// Of each sector an erase, all its pages, its bit in the record.
				expect(board.operations - before).toBeGreaterThan(16 * (1 + 16 + 1));
			},
		);

		test("is never erased as a block where it is staged in its own place", () => {
			prepare(NEW);
			judged.put(filesystem, new Uint8Array(SECTOR));
			judged.put(filesystem + SECTOR, content);
			judged.command(filesystem + SECTOR, filesystem, content.length);
			expect(judged.start()).toBe("application");
			expect(board.uart).toContain("@cp:0");
			expect(holds()).toBe(true);
		});
	});

	test("keeps an application that takes all the room for it, and brings it back", () => {
		const full = firmware({ seed: 8, length: 6 * SECTOR });
		bench.insert(PLACES);
		judged.put(SECTOR, applicationOf(full));
		judged.put(STAGING, NEW);
		judged.command(STAGING, 0, NEW.length);
		judged.start();
		expect(has(NEW)).toBe(true);
		judged.erase(SECTOR + 100, 50);
		expect(judged.start()).toBe("application");
		expect(has(full)).toBe(true);
	});

	describe("on trial", () => {
		const onTrial = (result: Uint8Array) => {
			prepare(result, PLACES);
			const intention = { flags: RecordFlag.TRIAL, source: STAGING, destination: 0, staged: result, result };
			judged.put(PLACES.record, encodeIntention(intention));
			for (let i = 0; i < 3; i++) expect(judged.start()).toBe("application");
		};

		test("goes back from what has not confirmed itself at its second start", () => {
			onTrial(NEW);
			expect(has(OLD)).toBe(true);
		});

		test("keeps what cannot confirm itself", () => {
			const silent = firmware({ seed: 3, length: 3 * SECTOR, confirms: false });
			onTrial(silent);
			expect(has(silent)).toBe(true);
		});
	});

	test("believes nothing that RAM still holds of the start before", () => {
		prepare(NEW);
		expect(judged.start()).toBe("application");
		// The loader's own table of CRCs, of which the application has used a part for something else.
		const ram = board.application?.memory.read(0x3ffe8000, 0x18000)?.slice() ?? new Uint8Array();
		const table = Buffer.from(ram.buffer).indexOf(Buffer.from("00000000963007772c610eee", "hex"));
		expect(table).toBeGreaterThan(0);
		ram.fill(0x55, table + 4, table + 1020);
		judged.each((each) => {
			each.ram = ram;
		});
		judged.command(STAGING, 0, NEW.length);
		expect(judged.start()).toBe("application");
		expect(board.uart).toMatch(/@cp:0\r\nld\r\n$/);
	});
});
