/** When the staging area is erased: not again what is erased, not what holds the bytes already, and before they come. */
import { describe, expect, test } from "vitest";
import type { BootBench } from "./boot-bench";
import { TestServer } from "./client-bench";
import { FormBench } from "./form-bench";
import { ReceiverBench, NEW as SENT } from "./receiver-bench";
import { ResumeBench } from "./resume-bench";
import { codeOf, firmware, OLD, UpdaterBench } from "./updater-bench";

const SECTOR = 4096;
/** Seven sectors and a half. */
const NEW = firmware("2.0.0", 30_000);
const SECTORS = Math.ceil(NEW.length / SECTOR);
const PAGES = Math.ceil(NEW.length / 256);
const START = 0x200000 - SECTORS * SECTOR;

/** Operations of the flash that `operate` takes. */
function operations({ flash }: BootBench, operate: () => void): number {
	const before = flash.operations;
	operate();
	return flash.operations - before;
}

function soiled(): UpdaterBench {
	const bench = new UpdaterBench();
	bench.soil();
	return bench;
}

describe("a sector", () => {
	test("that is erased is not erased again", () => {
		const bench = new UpdaterBench();
		expect(operations(bench, () => bench.update(NEW))).toBe(PAGES);
		expect(operations(soiled(), () => {})).toBe(0);
		const other = soiled();
		expect(operations(other, () => other.update(NEW))).toBe(PAGES + SECTORS);
	});

	test("of which a bit is programmed is erased", () => {
		for (const bit of [0, 100, SECTOR * 8 - 1]) {
			const bench = new UpdaterBench();
			const cells = new Uint8Array(SECTOR).fill(0xff);
			cells[bit >> 3] = 0xff ^ (1 << (bit & 7));
			bench.put(START + SECTOR, cells);
			expect(operations(bench, () => bench.update(NEW))).toBe(PAGES + 1);
		}
	});

	test("that the flash holds already is left alone, and counts", () => {
		const bench = soiled();
		bench.update(NEW);
		expect(operations(bench, () => bench.update(NEW))).toBe(0);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("of which a byte is another one is written anew, and no other", () => {
		for (const at of [SECTOR, 2 * SECTOR - 1, NEW.length - 1]) {
			const bench = soiled();
			bench.update(NEW);
			const last = at >= 7 * SECTOR;
			const start = START + (last ? 7 : 1) * SECTOR;
			const cells = bench.get(start, SECTOR);
			cells[at % SECTOR] = (cells[at % SECTOR] ?? 0) ^ 1;
			bench.put(start, cells);
			expect(operations(bench, () => bench.update(NEW))).toBe(
				1 + (last ? Math.ceil((NEW.length % SECTOR) / 256) : 16),
			);
			bench.restart();
			expect(bench.runs()).toBe("2.0.0");
		}
	});

	test("of a header whose flash mode is changed is the same the second time", () => {
		const quad = NEW.slice();
		quad[2] = 0;
		const bench = soiled();
		bench.update(quad);
		expect(operations(bench, () => bench.update(quad))).toBe(0);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});
});

describe("between two pieces", () => {
	test("the next sector is erased, once, and then only programmed", () => {
		const bench = soiled();
		const update = bench.open(NEW);
		expect(operations(bench, () => update.write(NEW.subarray(0, SECTOR)))).toBe(1 + 16);
		const before = bench.flash.operations;
		update.eraseAhead();
		expect(bench.flash.operations - before).toBe(1);
		update.eraseAhead();
		expect(bench.flash.operations - before).toBe(1);
		expect(bench.get(START + SECTOR, SECTOR).every((byte) => byte === 0xff)).toBe(true);
		expect(operations(bench, () => update.write(NEW.subarray(SECTOR, 2 * SECTOR)))).toBe(16);
		expect(operations(bench, () => update.write(NEW.subarray(2 * SECTOR)))).toBeGreaterThan(0);
		update.complete();
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("nothing is erased before the first sector, behind the last one, or after the end", () => {
		const bench = soiled();
		const update = bench.open(NEW);
		update.write(NEW.subarray(0, SECTOR - 1));
		let before = bench.flash.operations;
		update.eraseAhead();
		expect(bench.flash.operations).toBe(before);
		update.write(NEW.subarray(SECTOR - 1));
		before = bench.flash.operations;
		update.eraseAhead();
		expect(bench.flash.operations).toBe(before);
		update.complete();
		const abandoned = bench.open(firmware("3.0.0", 40_000));
		abandoned.write(firmware("3.0.0", 40_000).subarray(0, SECTOR));
		abandoned.close();
		before = bench.flash.operations;
		abandoned.eraseAhead();
		expect(bench.flash.operations).toBe(before);
	});

	test("what is erased keeps its bits where the flash holds what comes, as it seems", () => {
		const bench = soiled();
		bench.update(NEW);
		const update = bench.open(NEW);
		update.write(NEW.subarray(0, SECTOR));
		const before = bench.flash.operations;
		update.eraseAhead();
		expect(bench.flash.operations).toBe(before);
		update.write(NEW.subarray(SECTOR));
		update.complete();
		expect(bench.flash.operations).toBe(before);
	});

	test.each(["fail", "torn"] as const)("an erase that fails (%s) is tried again with the bytes", (kind) => {
		const bench = soiled();
		const update = bench.open(NEW);
		update.write(NEW.subarray(0, SECTOR));
		bench.flash.control.arm({ at: bench.flash.operations, kind });
		update.eraseAhead();
		expect(update.isOpen).toBe(true);
		update.write(NEW.subarray(SECTOR));
		update.complete();
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("a power cut leaves the old firmware", () => {
		for (const kind of ["power before", "power during", "power after"] as const) {
			const bench = soiled();
			const update = bench.open(NEW);
			update.write(NEW.subarray(0, SECTOR));
			bench.flash.control.arm({ at: bench.flash.operations, kind });
			update.eraseAhead();
			expect(codeOf(() => update.write(NEW.subarray(SECTOR)))).toBeDefined();
			expect(bench.runs()).toBe("1.0.0");
			expect(bench.get(0, OLD.length)).toEqual(OLD);
		}
	});
});

/** What comes of an update before its sender waits: a sector and a bit. */
const FIRST = SECTOR + 500;
/** An erase and 16 pages of the first sector, and the erase of the second. */
const AHEAD = 1 + 16 + 1;

describe("the next sector is erased while the sender is waited for, by", () => {
	test("ArduinoOTA", async () => {
		const bench = new ReceiverBench();
		bench.soil();
		const uploader = await bench.uploader();
		await uploader.invite();
		const socket = await uploader.accept();
		socket.write(SENT.subarray(0, FIRST));
		await expect.poll(() => bench.flash.operations).toBe(AHEAD);
	});

	test("the web update", async () => {
		const bench = new FormBench();
		bench.soil();
		await bench.updating(FIRST);
		await expect.poll(() => bench.flash.operations).toBe(AHEAD);
	});

	test("the polling client", async () => {
		const bench = new ResumeBench();
		bench.soil();
		// Without an ETag or an MD5 no record of it is kept.
		const server = await TestServer.start((_request, response) => {
			response.writeHead(200, { "content-length": SENT.length }).write(SENT.subarray(0, FIRST));
		});
		void bench.short(server.url).catch(() => {});
		await expect.poll(() => bench.flash.operations).toBe(AHEAD);
		bench.client.close();
	});
});
