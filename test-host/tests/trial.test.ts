import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ImageIdentity } from "../../ota/boot";
import { HealthCheck, type HealthCheckOptions } from "../../ota/trial";
import type { Updater } from "../../ota/updater";
import board from "../shims/board";
import { chipForTest } from "./shim-bench";

/** An Updater as far as a health check knows it. */
class Trials {
	onTrial = true;
	readonly told: string[] = [];
	fails = false;

	confirm(): void {
		if (this.fails) throw new Error("flash");
		this.told.push("confirm");
		this.onTrial = false;
	}

	rollback(): void {
		this.told.push("rollback");
	}

	refuses(_image: ImageIdentity): boolean {
		return false;
	}
}

function check(trials: Trials, options: Partial<HealthCheckOptions>): HealthCheck {
	return new HealthCheck({
		updater: trials as unknown as Updater,
		board,
		conditions: {},
		onConfirmed: () => trials.told.push("confirmed"),
		onFailed: (condition) => trials.told.push(`failed: ${condition}`),
		onError: (error) => trials.told.push(`error: ${(error as Error).message}`),
		...options,
	});
}

describe("a health check", () => {
	beforeEach(() => {
		chipForTest();
		vi.useFakeTimers();
	});
	afterEach(() => {
		vi.useRealTimers();
	});
	const seconds = (count: number) => vi.advanceTimersByTimeAsync(1000 * count);

	test("confirms when all conditions hold at the same time, and not before", async () => {
		const trials = new Trials();
		let joined = true;
		let reached = false;
		check(trials, { conditions: { joined: () => joined, reached: () => reached } });
		await seconds(5);
		joined = false;
		reached = true;
		await seconds(5);
		expect(trials.told).toEqual([]);
		joined = true;
		await seconds(1);
		expect(trials.told).toEqual(["confirm", "confirmed"]);
		await seconds(1000);
		expect(trials.told).toHaveLength(2);
	});

	test("goes back at the deadline, and names the condition that did not hold", async () => {
		const trials = new Trials();
		check(trials, { conditions: { well: () => true, reached: () => false }, deadline: 30 });
		await seconds(29);
		expect(trials.told).toEqual([]);
		await seconds(1);
		expect(trials.told).toEqual(["failed: reached", "rollback"]);
		await seconds(1000);
		expect(trials.told).toHaveLength(2);
	});

	test("waits 300 s where no deadline is given", async () => {
		const trials = new Trials();
		check(trials, { conditions: { never: () => false } });
		await seconds(299);
		expect(trials.told).toEqual([]);
		await seconds(1);
		expect(trials.told).toEqual(["failed: never", "rollback"]);
	});

	test("confirms at the deadline itself where it holds then", async () => {
		const trials = new Trials();
		let count = 0;
		check(trials, { conditions: { last: () => ++count === 10 }, deadline: 10 });
		await seconds(10);
		expect(trials.told).toEqual(["confirm", "confirmed"]);
	});

	test("takes a condition that throws for one that does not hold", async () => {
		const trials = new Trials();
		const broken = () => {
			throw new Error("no sensor");
		};
		check(trials, { conditions: { broken }, deadline: 2 });
		await seconds(2);
		expect(trials.told).toEqual(["failed: broken", "rollback"]);
	});

	test("wants as much free memory as it is told", async () => {
		const { freeHeap } = board;
		const well = new Trials();
		const ill = new Trials();
		check(well, { freeHeap });
		check(ill, { freeHeap: freeHeap + 1, deadline: 1 });
		await seconds(1);
		expect(well.told).toEqual(["confirm", "confirmed"]);
		expect(ill.told).toEqual(["failed: free memory", "rollback"]);
	});

	test("does nothing without a trial, after it was closed, or when the application has confirmed", async () => {
		const none = new Trials();
		none.onTrial = false;
		check(none, {});
		const closed = new Trials();
		check(closed, {}).close();
		const done = new Trials();
		check(done, { conditions: { never: () => false }, deadline: 5 });
		await seconds(2);
		done.onTrial = false;
		await seconds(100);
		expect([none.told, closed.told, done.told]).toEqual([[], [], []]);
	});

	test("tells what the flash did not take, and tries no more", async () => {
		const trials = new Trials();
		trials.fails = true;
		check(trials, {});
		await seconds(10);
		expect(trials.told).toEqual(["error: flash"]);
	});
});
