import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import Timer from "../shims/timer";

type TimerId = ReturnType<typeof Timer.set>;

beforeEach(() => {
	vi.useFakeTimers();
});

afterEach(() => {
	vi.useRealTimers();
});

const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

describe("set", () => {
	test("calls back once, after the delay", () => {
		const callback = vi.fn();
		Timer.set(callback, 10);
		pass(9);
		expect(callback).toHaveBeenCalledTimes(0);
		pass(1);
		expect(callback).toHaveBeenCalledTimes(1);
		pass(100);
		expect(callback).toHaveBeenCalledTimes(1);
	});

	test("without a delay it calls back when the script has returned, not before", async () => {
		vi.useRealTimers();
		const callback = vi.fn();
		Timer.set(callback);
		for (const start = Date.now(); Date.now() < start + 5; );
		expect(callback).toHaveBeenCalledTimes(0);
		await pause(5);
		expect(callback).toHaveBeenCalledTimes(1);
	});

	test("the callback gets the id", () => {
		const callback = vi.fn();
		const id = Timer.set(callback, 1);
		pass(1);
		expect(callback).toHaveBeenCalledWith(id);
	});

	test("with a repeat it calls back after the delay, then every so many milliseconds", () => {
		const callback = vi.fn();
		Timer.set(callback, 5, 10);
		pass(5);
		expect(callback).toHaveBeenCalledTimes(1);
		pass(20);
		expect(callback).toHaveBeenCalledTimes(3);
	});

	test("what is no function is a TypeError", () => {
		expect(() => Reflect.apply(Timer.set, Timer, [undefined, 5])).toThrow(TypeError);
	});
});

describe("repeat", () => {
	test("calls back every so many milliseconds", () => {
		const callback = vi.fn();
		Timer.repeat(callback, 10);
		pass(9);
		expect(callback).toHaveBeenCalledTimes(0);
		pass(31);
		expect(callback).toHaveBeenCalledTimes(4);
	});

	test("clear inside the callback stops it", () => {
		const callback = vi.fn((id: TimerId) => Timer.clear(id));
		Timer.repeat(callback, 10);
		pass(100);
		expect(callback).toHaveBeenCalledTimes(1);
	});

	test("schedule inside the callback gives it another rhythm", () => {
		const callback = vi.fn((id: TimerId) => {
			if (callback.mock.calls.length === 1) Timer.schedule(id, 50, 20);
		});
		Timer.repeat(callback, 10);
		pass(59);
		expect(callback).toHaveBeenCalledTimes(1);
		pass(21);
		expect(callback).toHaveBeenCalledTimes(3);
	});

	test("schedule without a repeat inside the callback ends it", () => {
		const callback = vi.fn((id: TimerId) => Timer.schedule(id, 5));
		Timer.repeat(callback, 10);
		pass(100);
		expect(callback).toHaveBeenCalledTimes(1);
	});
});

describe("clear", () => {
	test("keeps a callback back", () => {
		const callback = vi.fn();
		Timer.clear(Timer.set(callback, 10));
		pass(100);
		expect(callback).not.toHaveBeenCalled();
	});

	test("undefined, no argument, a cleared and a fired timer are fine", () => {
		const cleared = Timer.set(() => {}, 10);
		Timer.clear(cleared);
		const fired = Timer.set(() => {}, 1);
		pass(1);
		Timer.clear(cleared);
		Timer.clear(fired);
		Timer.clear(undefined);
		Timer.clear();
	});
});

describe("schedule", () => {
	test("starts the wait anew", () => {
		const callback = vi.fn();
		const id = Timer.set(callback, 10);
		pass(9);
		Timer.schedule(id, 10);
		pass(9);
		expect(callback).not.toHaveBeenCalled();
		pass(1);
		expect(callback).toHaveBeenCalledTimes(1);
	});

	test("gives a timer a repeat", () => {
		const callback = vi.fn();
		Timer.schedule(Timer.set(callback, 10), 5, 5);
		pass(20);
		expect(callback).toHaveBeenCalledTimes(4);
	});

	test("without a delay the timer rests until it is scheduled again", () => {
		const callback = vi.fn();
		const id = Timer.set(callback, 10);
		Timer.schedule(id);
		pass(100);
		expect(callback).not.toHaveBeenCalled();
		Timer.schedule(id, 10);
		pass(10);
		expect(callback).toHaveBeenCalledTimes(1);
	});

	test("inside its own callback it does not bring back a timer that fires once", () => {
		const callback = vi.fn((id: TimerId) => Timer.schedule(id, 5));
		Timer.set(callback, 10);
		pass(100);
		expect(callback).toHaveBeenCalledTimes(1);
	});

	test("of a fired timer it throws SyntaxError", () => {
		const id = Timer.set(() => {}, 1);
		pass(1);
		expect(() => Timer.schedule(id, 10)).toThrow(SyntaxError);
	});

	test("of a cleared timer it throws SyntaxError", () => {
		const id = Timer.set(() => {}, 1);
		Timer.clear(id);
		expect(() => Timer.schedule(id, 10)).toThrow(SyntaxError);
	});

	test("of something else it throws SyntaxError", () => {
		for (const id of [undefined, {}, 5]) {
			expect(() => Reflect.apply(Timer.schedule, Timer, [id, 10])).toThrow(SyntaxError);
		}
	});
});
