import { describe, expect, test } from "vitest";
import { Progress, progressLine } from "../../tools/progress";

/** What a progress writes, with a clock that the test moves. */
function record(isTTY: boolean): { progress: Progress; written: string[]; clock: { now: number } } {
	const written: string[] = [];
	const clock = { now: 0 };
	const progress = new Progress({ isTTY, write: (text) => written.push(text) }, () => clock.now);
	return { progress, written, clock };
}

describe("a line of progress", () => {
	test("has bar, percent, bytes, speed and remaining time", () => {
		expect(progressLine(75_000, 300_000, 1500)).toBe(
			"[======                  ]  25 %  75000 of 300000 bytes  50.0 KB/s, 5 s left",
		);
	});

	test("knows no remaining time before the first byte", () => {
		expect(progressLine(0, 300_000, 0)).toBe("[                        ]   0 %  0 of 300000 bytes  0.0 KB/s");
	});

	test("is 100 % only when all is done", () => {
		expect(progressLine(299_999, 300_000, 1000)).toContain(" 99 %");
		expect(progressLine(300_000, 300_000, 1000)).toContain("100 %");
	});

	test("counts long waits in minutes", () => {
		expect(progressLine(1000, 200_000, 1000)).toContain("3 min 19 s left");
	});
});

describe("on a terminal", () => {
	test("each line is drawn over the one before", () => {
		const { progress, written, clock } = record(true);
		progress.update(0, 1000);
		clock.now = 200;
		progress.update(500, 1000);
		expect(written.every((text) => text.startsWith("\r") && !text.includes("\n"))).toBe(true);
	});

	test("a shorter line leaves nothing of a longer one", () => {
		const { progress, written, clock } = record(true);
		progress.update(0, 1_000_000);
		clock.now = 1000;
		progress.update(1, 1_000_000);
		clock.now = 2000;
		progress.update(1_000_000, 1_000_000);
		expect(written[2]?.length).toBeGreaterThanOrEqual(written[1]?.length ?? 0);
	});

	test("many calls draw ten times a second, and the last in any case", () => {
		const { progress, written, clock } = record(true);
		for (let done = 0; done <= 1000; done++) {
			clock.now = done;
			progress.update(done, 1000);
		}
		expect(written.length).toBe(11);
		expect(written.at(-1)).toContain("100 %");
	});

	test("what follows begins on a line of its own", () => {
		const { progress, written } = record(true);
		progress.update(0, 10);
		progress.end();
		progress.end();
		expect(written.join("").match(/\n/g)).toHaveLength(1);
	});
});

describe("elsewhere", () => {
	test("a line comes every 10 %", () => {
		const { progress, written } = record(false);
		for (let done = 0; done <= 1000; done++) progress.update(done, 1000);
		expect(written.map((text) => /(\d+) %/.exec(text)?.[1])).toEqual([
			"10",
			"20",
			"30",
			"40",
			"50",
			"60",
			"70",
			"80",
			"90",
			"100",
		]);
		expect(written.every((text) => text.endsWith("\n") && !text.includes("\r"))).toBe(true);
	});

	test("steps that are jumped over are one line", () => {
		const { progress, written } = record(false);
		progress.update(0, 10);
		progress.update(10, 10);
		expect(written).toHaveLength(1);
	});

	test("the end adds nothing", () => {
		const { progress, written } = record(false);
		progress.update(0, 10);
		progress.end();
		expect(written).toEqual([]);
	});
});
