/** When the next check comes. */
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { HTTPUpdate, Outcome } from "../../ota/client/http-update";
import { delayAfter, Poller, type PollerOptions } from "../../ota/client/poller";
import { ClientBench, NEW, serves, TestServer } from "./client-bench";

const NOTHING: Outcome = { result: "no updates" };
const FAILED: Outcome = { result: "failed" };

describe("the delay", () => {
	const middle = (outcome: Outcome, failures = 0, interval = 7200) =>
		delayAfter(outcome, failures, interval, 0.5);

	test("is the interval, a tenth more or less", () => {
		expect(middle(NOTHING)).toBe(7200);
		expect(delayAfter(NOTHING, 0, 1000, 0)).toBeCloseTo(900);
		expect(delayAfter(NOTHING, 0, 1000, 1)).toBeCloseTo(1100);
	});

	test("after failures begins at 30 s and doubles, up to the interval, or an hour where that is longer", () => {
		const delays = [1, 2, 3, 7, 8, 9, 1000].map((failures) => middle(FAILED, failures));
		expect(delays).toEqual([30, 60, 120, 1920, 3840, 7200, 7200]);
		expect(middle(FAILED, 1000, 60)).toBe(3600);
	});

	test("after no time is a minute, or a shorter interval", () => {
		expect(middle({ result: "postponed" })).toBe(60);
		expect(middle({ result: "postponed" }, 0, 20)).toBe(20);
	});

	test("is never less than the server asks for", () => {
		expect(middle({ ...FAILED, retryAfter: 10_000 }, 1)).toBe(10_000);
		expect(middle({ ...FAILED, retryAfter: 1 }, 1)).toBe(30);
	});

	test("is always a finite number of seconds above 0", () => {
		fc.assert(
			fc.property(
				fc.nat(),
				fc.double({ min: 1, max: 1e7, noNaN: true }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(failures, interval, random) => {
					for (const outcome of [NOTHING, FAILED, { result: "postponed" } as const]) {
						const delay = delayAfter(outcome, failures + 1, interval, random);
						expect(delay > 0 && delay <= 1.1 * Math.max(interval, 3600)).toBe(true);
					}
				},
			),
		);
	});
});

/** A client whose checks end when the test says so. */
class FakeClient {
	busy = false;
	asked = 0;
	closed = false;
	#outcome: ((outcome: Outcome) => void) | undefined;

	update(_source: unknown, _version: unknown, onOutcome: (outcome: Outcome) => void): void {
		if (this.busy) {
			onOutcome({ result: "postponed" });
			return;
		}
		this.asked += 1;
		this.busy = true;
		this.#outcome = onOutcome;
	}

	ends(outcome: Outcome): void {
		this.busy = false;
		this.#outcome?.(outcome);
	}

	close(): void {
		this.busy = false;
		this.closed = true;
	}
}

function poll(options: Partial<PollerOptions> = {}) {
	const client = new FakeClient();
	const outcomes: [string, number][] = [];
	const poller = new Poller({
		client: client as unknown as HTTPUpdate,
		source: "http://a/",
		interval: 0.02,
		first: 0.01,
		onOutcome: ({ result }, next) => outcomes.push([result, next]),
		...options,
	});
	onTestFinished(() => poller.close());
	return { client, poller, outcomes };
}

const waits = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("the loop", () => {
	test("checks soon after the start, then again and again, one check at a time", async () => {
		const { client, outcomes } = poll();
		for (let count = 1; count < 4; count++) {
			await expect.poll(() => client.asked, { interval: 2 }).toBe(count);
			await waits(40);
			expect(client.asked).toBe(count);
			client.ends(NOTHING);
		}
		expect(outcomes.map(([result]) => result)).toEqual(["no updates", "no updates", "no updates"]);
	});

	test("checks now where it is told to, after a failure too", async () => {
		const { client, poller } = poll({ first: 1000, interval: 1000 });
		for (const outcome of [NOTHING, FAILED, FAILED]) {
			const before = client.asked;
			poller.checkNow();
			await expect.poll(() => client.asked).toBe(before + 1);
			poller.checkNow();
			await waits(20);
			expect(client.asked).toBe(before + 1);
			client.ends(outcome);
		}
	});

	test("waits longer after each failure, and forgets them with the first success", async () => {
		const { client, poller, outcomes } = poll({ first: 1000, interval: 1000 });
		for (const outcome of [FAILED, FAILED, NOTHING, FAILED]) {
			poller.checkNow();
			await expect.poll(() => client.busy).toBe(true);
			client.ends(outcome);
		}
		const rounded = outcomes.map(([, next]) => Math.round(next / 30));
		expect(rounded[0]).toBe(1);
		expect(rounded[1]).toBe(2);
		expect(rounded[3]).toBe(1);
	});

	test("rests while it is paused, but for a check that it is told to make", async () => {
		const { client, poller } = poll();
		poller.pause();
		await waits(60);
		expect(client.asked).toBe(0);
		poller.checkNow();
		await expect.poll(() => client.asked).toBe(1);
		client.ends(NOTHING);
		await waits(60);
		expect(client.asked).toBe(1);
		poller.resume();
		await expect.poll(() => client.asked).toBe(2);
	});

	test("may be paused and resumed while a check is under way", async () => {
		const { client, poller } = poll();
		await expect.poll(() => client.asked).toBe(1);
		poller.pause();
		poller.resume();
		await waits(40);
		client.ends(NOTHING);
		await expect.poll(() => client.asked).toBe(2);
	});

	test("goes on where the application has used the client for itself, or closed it", async () => {
		const { client } = poll();
		client.busy = true;
		await waits(50);
		expect(client.asked).toBe(0);
		client.busy = false;
		await expect.poll(() => client.asked).toBe(1);
		client.close();
		await expect.poll(() => client.asked).toBe(2);
	});

	test("ends with close, and so does the check under way", async () => {
		const { client, poller, outcomes } = poll();
		await expect.poll(() => client.asked).toBe(1);
		poller.close();
		expect(client.closed).toBe(true);
		client.ends(NOTHING);
		poller.checkNow();
		poller.resume();
		await waits(60);
		expect([client.asked, outcomes]).toEqual([1, []]);
	});

	test("may be closed, paused and told to check from onOutcome", async () => {
		const { client, poller } = poll({ onOutcome: () => poller.close() });
		await expect.poll(() => client.asked).toBe(1);
		client.ends(FAILED);
		await waits(60);
		expect(client.asked).toBe(1);
		const other = poll({ interval: 1000, onOutcome: () => other.poller.checkNow() });
		await expect.poll(() => other.client.asked).toBe(1);
		other.client.ends(NOTHING);
		await expect.poll(() => other.client.asked).toBe(2);
	});
});

test("an interval that is none is refused", () => {
	for (const interval of [0, -1, Number.NaN]) expect(() => poll({ interval })).toThrow(RangeError);
});

test("a server is asked until it has an update, which is taken", async () => {
	const bench = new ClientBench();
	const server = await TestServer.start((_request, response) => response.writeHead(304).end());
	const { outcomes } = poll({ client: bench.client, source: server.url, version: "1.0.0" });
	await expect.poll(() => outcomes.length).toBeGreaterThan(1);
	server.answer = serves(NEW);
	await bench.restarted;
	expect(server.asked[0]?.headers["x-esp8266-version"]).toBe("1.0.0");
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});
