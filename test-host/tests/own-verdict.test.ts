import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { APPLICATION_OFFSET, SECTOR } from "../../ota/image";
import { RunningFirmware } from "../../ota/running";
import { judge, type Verdict } from "../../ota/verdict";
import { PLACES } from "../judge/places";
import board from "../shims/board";
import { Noise } from "../virtual/noise";
import { ResetCause } from "../virtual/outcome";
import { until } from "./board-bench";
import { JudgeBench } from "./boot-judge-bench";
import { withCompiler } from "./lx106";
import { OwnBench, ownFirmware } from "./own-bench";
import { codeOf, md5 } from "./updater-bench";

const OLD = ownFirmware("old", 2 * SECTOR + 496);
/** Its sector 0 is none that the board has. */
const NEW = ownFirmware("new", 2 * SECTOR + 1008);
const FILES = new Noise(5).fill(new Uint8Array(2 * SECTOR - 100));

/** Milliseconds in which nothing is told. */
const SILENCE = 100;

withCompiler("what our boot loader made of an update", () => {
	const bench = new OwnBench(new JudgeBench());

	/** What this start says. */
	function verdict(): Promise<Verdict> {
		return new Promise((resolve) => judge(board, new RunningFirmware(APPLICATION_OFFSET), resolve));
	}

	/** Whether it says nothing. */
	async function isSilent(): Promise<boolean> {
		let isSilent = true;
		judge(board, new RunningFirmware(APPLICATION_OFFSET), () => {
			isSilent = false;
		});
		await new Promise((resolve) => setTimeout(resolve, SILENCE));
		return isSilent;
	}

	function updated(bytes: Uint8Array = NEW, kind: "firmware" | "filesystem" = "firmware"): void {
		bench.insert(OLD);
		bench.start();
		bench.update(bytes, kind);
	}

	/** A restart, or a power cut behind the hand-over, of which RTC memory tells nothing any more. */
	const ways = [
		["a restart", () => {}],
		["a power cut", () => bench.judged.cutPower()],
	] as const;

	test.each(ways)("raw, after %s: it took effect, and that is told once", async (_way, cut) => {
		updated();
		cut();
		expect(bench.start()).toBe("new");
		const expected = {
			kind: "firmware",
			tookEffect: true,
			text: "update to new took effect",
			size: NEW.length,
		};
		expect(await verdict()).toMatchObject(expected);
		bench.updater.confirm();
		bench.start();
		expect(await isSilent()).toBe(true);
	});

	test.each(ways)("a gzip, after %s: it took effect", async (_way, cut) => {
		updated(new Uint8Array(gzipSync(NEW)));
		cut();
		bench.start();
		const text = "update to new took effect";
		expect(await verdict()).toMatchObject({ tookEffect: true, text, gzip: true, size: NEW.length });
	});

	test.each(ways)("a filesystem, after %s: it took effect", async (_way, cut) => {
		updated(FILES, "filesystem");
		cut();
		bench.start();
		const text = `update of the filesystem (${FILES.length} bytes) took effect`;
		expect(await verdict()).toMatchObject({ kind: "filesystem", tookEffect: true, text });
		expect(
			Buffer.compare(bench.judged.cells.subarray(PLACES.filesystem, PLACES.filesystem + FILES.length), FILES),
		).toBe(0);
	});

	test.each(ways)("damaged while it was staged, after %s: it was refused", async (_way, cut) => {
		updated();
		bench.judged.erase(0x1e000, 100);
		cut();
		expect(bench.start()).toBe("old");
		expect(bench.judged.uart).toMatch(/cp:1[13]/);
		const text = "update to new did not take effect: the boot loader refused it";
		expect(await verdict()).toMatchObject({ tookEffect: false, text });
		bench.start();
		expect(await isSilent()).toBe(true);
	});

	test("taken back at the end of its trial: both are told", async () => {
		updated();
		bench.start();
		expect(await verdict()).toMatchObject({ tookEffect: true });
		expect(bench.start()).toBe("old");
		const text = "update to new was taken back: old runs again";
		expect(await verdict()).toMatchObject({ tookEffect: false, text });
		bench.start();
		expect(await isSilent()).toBe(true);
	});

	test("over which a cable has put another one: it did not", async () => {
		updated();
		expect(bench.judged.start(ResetCause.RESET)).toBe("application");
		bench.judged.put(SECTOR, OLD.subarray(SECTOR));
		bench.run();
		expect(await verdict()).toMatchObject({ tookEffect: false });
	});

	test("that was never taken up, since there is no second stage: it did not, and it waits", async () => {
		updated();
		bench.judged.erase(PLACES.stages, 2 * SECTOR);
		expect(bench.start()).toBe("old");
		const text = "update to new did not take effect: the boot loader left old running";
		expect(await verdict()).toMatchObject({ tookEffect: false, text });
		expect(bench.record.isUntouched).toBe(true);
	});

	test("without an update nothing is told", async () => {
		bench.insert(OLD);
		bench.start();
		expect(await isSilent()).toBe(true);
	});

	test("what was sent is known again by its MD5, though sector 0 is another one in flash", async () => {
		for (const sent of [NEW, new Uint8Array(gzipSync(NEW))]) {
			updated(sent);
			bench.start();
			bench.updater.confirm();
			const running = new RunningFirmware(APPLICATION_OFFSET);
			await new Promise<void>((resolve) => running.measure(resolve, board));
			expect(running.md5).toBe(md5(sent));
			// Of a firmware that came by cable it is flash's.
			bench.judged.put(SECTOR, OLD.subarray(SECTOR));
			const other = new RunningFirmware(APPLICATION_OFFSET);
			await new Promise<void>((resolve) => other.measure(resolve, board));
			expect(other.md5).toBe(md5(bench.judged.cells.subarray(0, OLD.length)));
		}
	});

	test("it is not taken from a server again", async () => {
		updated();
		bench.start();
		bench.updater.confirm();
		bench.start();
		await until(() => bench.running.md5 !== undefined);
		const update = bench.updater.open({ kind: "firmware", byteLength: NEW.length, isAsked: true });
		update.write(NEW);
		expect(codeOf(() => update.complete())).toBe(ErrorCode.RUNS_ALREADY);
	});
});
