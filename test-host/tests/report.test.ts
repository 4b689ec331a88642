/** What became of the last update, for people and their tools. */
import { describe, expect, test } from "vitest";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { reportOf } from "../../ota/report";
import { firmware, OLD, UpdaterBench } from "./updater-bench";

const NEW = firmware("2.0.0", 9000);
const FROM = "HTTP 192.168.1.20";

describe("the report of an update", () => {
	test("is none before the first one", () => {
		expect(new UpdaterBench().updater.last).toBeUndefined();
	});

	test("counts what was taken as it goes", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW, { from: FROM });
		update.write(NEW.subarray(0, 5000));
		const expected = { kind: "firmware", result: "running", error: null, bytes: 5000, from: FROM };
		expect(bench.updater.last).toMatchObject(expected);
		update.close();
	});

	test("says that it was verified, and stays so", () => {
		const bench = new UpdaterBench();
		bench.update(NEW, { from: FROM });
		const expected = { result: "verified", error: null, bytes: NEW.length, ms: expect.any(Number) };
		expect(bench.updater.last).toMatchObject(expected);
		bench.restart();
		expect(bench.updater.last).toMatchObject(expected);
	});

	test("says why it failed, and stays so", () => {
		const bench = new UpdaterBench();
		const update = bench.open(NEW);
		expect(() => update.write(Uint8Array.of(1))).toThrow();
		update.close(new UpdateError(ErrorCode.CONNECTION_LOST, 0, 1));
		const error = { code: ErrorCode.MAGIC_BYTE, text: "Magic byte is not 0xE9" };
		expect(bench.updater.last).toMatchObject({ result: "failed", error, bytes: 0, from: "" });
	});

	test("says that the application abandoned it, or the reason that was given", () => {
		const bench = new UpdaterBench();
		bench.open(NEW).close();
		expect(bench.updater.last?.error?.code).toBe(ErrorCode.ABANDONED);
		bench.open(NEW).close(new UpdateError(ErrorCode.CONNECTION_LOST, 3, 9000));
		const text = "Connection lost after 3 of 9000 bytes, send it again";
		expect(bench.updater.last?.error).toEqual({ code: ErrorCode.CONNECTION_LOST, text });
	});

	test("stays that of the last one when another one is refused", () => {
		const bench = new UpdaterBench();
		bench.update(NEW, { from: FROM });
		expect(() => bench.open(OLD, { byteLength: 0 })).toThrow();
		expect(bench.updater.last).toMatchObject({ result: "verified", from: FROM });
	});

	test("of before a restart is what the application was told by the verdict, until the next one", () => {
		const bench = new UpdaterBench();
		const image = { kind: "firmware", gzip: false, size: 9000, digest: "", version: "2.0.0" } as const;
		const verdict = { ...image, text: "", ms: 12, from: FROM };
		const report = reportOf({ ...verdict, tookEffect: true });
		expect(report).toEqual({
			kind: "firmware",
			result: "took effect",
			error: null,
			bytes: 9000,
			ms: 12,
			from: FROM,
		});
		expect(reportOf({ ...verdict, tookEffect: false }).result).toBe("did not take effect");
		bench.updater.last = report;
		expect(bench.updater.last).toBe(report);
		bench.open(NEW).close();
		expect(bench.updater.last?.result).toBe("failed");
	});
});
