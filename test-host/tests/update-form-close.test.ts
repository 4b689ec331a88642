/** The update form, closed by its application at any time. */
import { describe, expect, test } from "vitest";
import { FORM, FormBench, formBody, NEW, TICK } from "./form-bench";
import { OLD } from "./updater-bench";

const sleep = (milliseconds: number) => new Promise<void>((wake) => setTimeout(wake, milliseconds));

describe("a closed form", () => {
	test("answers nothing", async () => {
		const bench = new FormBench();
		bench.form.close();
		await expect(bench.ask("GET", "/")).rejects.toThrow();
		await expect(bench.ask("PUT", "/update", {}, NEW)).rejects.toThrow();
		expect(bench.flash.operations).toBe(0);
	});

	test("has abandoned the update under way, of which the application is not told", async () => {
		const bench = new FormBench();
		const raw = await bench.updating();
		bench.form.close();
		bench.form.close();
		await raw.ended();
		expect(bench.updater.last).toMatchObject({ result: "failed", error: { code: 109 } });
		expect(bench.told).toEqual(["start firmware"]);
		expect(bench.runs()).toBe("1.0.0");
	});

	test("may be closed after its server", async () => {
		const bench = new FormBench();
		const raw = await bench.updating();
		bench.server.close();
		bench.form.close();
		await raw.ended();
		expect(bench.updater.busy).toBe(false);
		await sleep(3 * TICK);
	});

	test.each(["PUT", "POST"] as const)("may have been closed from onStart of a %s", async (method) => {
		const bench: FormBench = new FormBench({ onStart: () => bench.form.close() });
		const body = method === "PUT" ? NEW : formBody([["firmware", NEW]]);
		await expect(bench.ask(method, "/update", FORM, body)).rejects.toThrow();
		await sleep(2 * TICK);
		expect(bench.updater.busy).toBe(false);
		expect(bench.told).toEqual([]);
		expect(bench.runs()).toBe("1.0.0");
	});

	test.each(["PUT", "POST"] as const)("may have been closed from onProgress of a %s", async (method) => {
		for (const at of [1, 5000, NEW.length]) {
			const bench: FormBench = new FormBench({
				onProgress: (done) => {
					if (done >= at) bench.form.close();
				},
			});
			const body = method === "PUT" ? NEW : formBody([["firmware", NEW]]);
			await expect(bench.ask(method, "/update", FORM, body)).rejects.toThrow();
			await sleep(TICK);
			expect(bench.updater.busy).toBe(false);
			expect(bench.told).toEqual(["start firmware"]);
			expect(bench.runs()).toBe("1.0.0");
		}
	});

	test("may have been closed from onEnd: the update stays chosen, the restart is the application's", async () => {
		let restarts = 0;
		const bench: FormBench = new FormBench({ onEnd: () => bench.form.close() });
		void bench.restarted.then(() => {
			restarts += 1;
		});
		await bench.ask("PUT", "/update", {}, NEW).catch(() => {});
		await sleep(1100);
		expect(restarts).toBe(0);
		expect(bench.hasCommand).toBe(false);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("may have been closed from onError", async () => {
		const bench: FormBench = new FormBench({ onError: () => bench.form.close() });
		await expect(bench.ask("PUT", "/update", {}, "no image")).rejects.toThrow();
		expect(bench.form.exchanges.size).toBe(0);
		expect(bench.updater.last?.result).toBe("failed");
	});

	test("may have been closed with its server from every callback", async () => {
		for (const callback of ["onStart", "onProgress", "onEnd", "onError"] as const) {
			const bench: FormBench = new FormBench({
				[callback]: () => {
					bench.server.close();
					bench.form.close();
				},
			});
			const image = callback === "onError" ? OLD.subarray(0, 9000) : NEW;
			await bench.ask("PUT", "/update", {}, image).catch(() => {});
			await sleep(2 * TICK);
			expect(bench.updater.busy).toBe(false);
		}
	});
});

test("an exception in the application's onStart or onProgress ends the update, not the board", async () => {
	for (const callback of ["onStart", "onProgress"] as const) {
		const bench = new FormBench({
			[callback]: () => {
				throw new Error("of the application");
			},
		});
		for (const method of ["PUT", "POST"]) {
			const body = method === "PUT" ? NEW : formBody([["firmware", NEW]]);
			expect((await bench.ask(method, "/update", FORM, body)).body).toMatch(/ERROR\[3\]/);
			expect(bench.updater.busy).toBe(false);
		}
	}
});
