/** Our boot loader's model where there is no compiler: that it does as the machine code, boot-loader.test.ts shows. */
import { describe, expect, test } from "vitest";
import { ACTION_LOAD_APP } from "../../ota/eboot";
import { SECTOR } from "../../ota/image";
import { readPackerWords } from "../../tools/image/packer";
import { JudgedBoard } from "../judge/board";
import { applicationOf, firmware } from "../judge/images";
import { NO_PREVIOUS, PLACES, STAGING } from "../judge/places";
import { boot } from "../virtual/boot";
import { buildFirmware, buildRtosBoot } from "../virtual/image-builder";
import { modelStages, withOwnBoot } from "../virtual/own-boot/stages";

const OLD = firmware({ seed: 1, length: 2 * SECTOR + 1000 });
const NEW = firmware({ seed: 2, length: 3 * SECTOR, packed: true });
const CASE = { OLD, NEW };

/** A board that a cable has put a firmware into. */
function inserted(file = OLD, config = PLACES): JudgedBoard {
	const board = new JudgedBoard((start) => boot({ ...start, trials: false }));
	board.put(0, modelStages.image(config));
	board.put(SECTOR, withOwnBoot(file, modelStages, config).subarray(SECTOR));
	return board;
}

const has = (board: JudgedBoard, file: Uint8Array) =>
	Buffer.compare(board.installed(file.length - SECTOR), applicationOf(file)) === 0;

test("a firmware brings its second stage, of which the first start makes both copies", () => {
	const board = inserted();
	expect(board.start()).toBe("application");
	expect(board.uart).toMatch(/csum 0x..\r\nv[0-9a-f]{8}\r\n~ld\r\n$/);
	const { secondStage } = modelStages;
	for (const copy of [PLACES.stages, PLACES.stages + SECTOR]) {
		const there = board.cells.subarray(copy, copy + SECTOR);
		expect(Buffer.compare(there.subarray(0, secondStage.length), secondStage)).toBe(0);
		expect(there.subarray(secondStage.length).every((byte) => byte === 0xff)).toBe(true);
	}
	const { operations } = board;
	board.start();
	expect(board.operations).toBe(operations);
});

test("takes eboot's command, once", () => {
	const board = inserted();
	board.put(STAGING, NEW);
	board.command(STAGING, 0, NEW.length);
	expect(board.start()).toBe("application");
	expect(board.uart).toMatch(/@cp:0\r\nld\r\n$/);
	expect([has(board, NEW), board.hasCommand]).toEqual([true, false]);
	expect(board.application?.entry).toBe(0x40100004);
	expect(board.application?.memory.loads.map(({ address }) => address)).toEqual([0x40100000, 0x3ffe8000]);
});

test("starts another image where it is told to load that one", () => {
	const board = inserted();
	board.put(STAGING, applicationOf(NEW));
	board.command(STAGING - SECTOR, 0, 0, ACTION_LOAD_APP);
	expect(board.start()).toBe("application");
	expect(board.uart).toMatch(/@ld\r\n$/);
	const data = board.application?.memory.read(0x3ffe8000, 16) ?? new Uint8Array();
	expect(Buffer.from(NEW).includes(Buffer.from(data))).toBe(true);
});

test("says so of an action that there is not", () => {
	const board = inserted();
	board.command(STAGING, 0, 0, 7);
	expect(board.start()).toBe("application");
	expect(board.uart).toMatch(/@e:9\r\nld\r\n$/);
});

test("waits where there is nothing to start, and with it nothing behind which its second stage could be", () => {
	const board = inserted();
	board.erase(SECTOR, 4 * SECTOR);
	board.command(STAGING, 0, NEW.length);
	expect(board.start()).toBe("waits");
	expect(board.uart).toMatch(/@cp:14\r\nno application, flash me\r\n$/);
});

test("starts a boot loader for slots, which a packed upgrade has put in the application's place", () => {
	const board = inserted();
	board.start();
	board.erase(SECTOR, 4 * SECTOR);
	board.put(SECTOR, buildRtosBoot());
	expect(board.start()).toBe("waits");
	expect(board.uart).toMatch(/~ld\r\nI \(\d+\) boot: ESP-IDF/);
});

describe.each([
	["with room for the application before", PLACES],
	["without", NO_PREVIOUS],
])("%s", (_, config) => {
	test("a power cut at any flash operation of an install leaves all of the old or all of the new", () => {
		const came = { OLD: 0, NEW: 0 };
		for (let operation = 0; ; operation++) {
			const board = inserted(OLD, config);
			board.start();
			board.put(STAGING, NEW);
			board.command(STAGING, 0, NEW.length);
			board.arm(operation, "power during");
			if (board.start() !== "cut") break;
			board.cutPower();
			expect([operation, board.start()]).toEqual([operation, "application"]);
			const found = (["OLD", "NEW"] as const).filter((name) => has(board, CASE[name]));
			expect([operation, found.length]).toEqual([operation, 1]);
			for (const name of found) came[name] += 1;
		}
		// The record takes three operations; from then on it is known what was intended.
		expect(came.OLD).toBeLessThanOrEqual(3);
		expect(came.NEW).toBeGreaterThan(30);
	});
});

describe("the stages", () => {
	test("stay as they are in a firmware that has them", () => {
		const file = withOwnBoot(OLD, modelStages, PLACES);
		expect(withOwnBoot(file, modelStages, NO_PREVIOUS)).toBe(file);
	});

	test("are what a firmware is built with that wants them, its packer's words as they should be", () => {
		const options = { script: "light();", name: "lamp", version: "1.2.3", padTo: 2 * SECTOR + 160 };
		const file = buildFirmware({ ...options, ownBoot: { config: PLACES } });
		const { secondStage } = modelStages;
		expect(file.length).toBe(3 * SECTOR + secondStage.length);
		expect(Buffer.compare(file.subarray(3 * SECTOR), secondStage)).toBe(0);
		expect(readPackerWords(file)).toBe("right");
		const board = inserted(file);
		board.put(0, file);
		expect(board.start()).toBe("application");
	});

	test("come before no application that is damaged", () => {
		const damaged = OLD.slice();
		damaged[5000] = (damaged[5000] ?? 0) ^ 1;
		expect(() => withOwnBoot(damaged, modelStages, PLACES)).toThrow("no application");
	});
});
