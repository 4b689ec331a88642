/** The polling client and its application: the hooks, closing at any time, and other updates beside. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { HTTPUpdate, type HTTPUpdateOptions, type Outcome } from "../../ota/client/http-update";
import { ErrorCode } from "../../ota/errors";
import { ClientBench, md5, NEW, quickWaits, RawServer, serves, TestServer } from "./client-bench";
import { OLD } from "./updater-bench";

const FILES = new Uint8Array(10_000).fill(7);
const waits = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("the application", () => {
	test("may have no time: then nothing is asked", async () => {
		const bench = new ClientBench({ mayUpdate: () => false });
		const server = await TestServer.start(serves(NEW));
		expect(await bench.short(server.url)).toBe("postponed 112");
		expect(server.asked).toHaveLength(0);
	});

	test("is asked to get ready when there is an update, and not before it is does that begin", async () => {
		const order: string[] = [];
		const bench = new ClientBench({
			timeout: 400,
			prepare(kind, done) {
				order.push(`prepare ${kind}`);
				setTimeout(() => {
					order.push("ready");
					done();
					done();
				}, 600);
			},
			onStart: () => order.push("start"),
		});
		const server = await TestServer.start(serves(NEW));
		expect(await bench.short(server.url)).toBe("updated");
		expect(order).toEqual(["prepare firmware", "ready", "start"]);
	});

	test("is not asked to get ready where there is none", async () => {
		const bench = new ClientBench({ prepare: () => expect.unreachable() });
		const server = await TestServer.start((_request, response) => response.writeHead(304).end());
		expect(await bench.short(server.url)).toBe("no updates");
	});

	test("that does not get ready within its time is left alone", async () => {
		quickWaits();
		let late = () => {};
		const bench = new ClientBench({
			prepare: (_kind, done) => {
				late = done;
			},
		});
		const server = await RawServer.start((socket) => {
			socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${NEW.length}\r\n\r\n`);
		});
		expect(await bench.short(server.url)).toBe("postponed 112");
		late();
		await waits(50);
		expect(bench.told).toEqual([]);
		await expect.poll(() => server.open).toBe(0);
	});

	test("sees how far it is", async () => {
		const seen: number[][] = [];
		const bench = new ClientBench({ onProgress: (done, total) => seen.push([done, total]) });
		const server = await TestServer.start(serves(NEW));
		await bench.ask(server.url);
		expect(seen.at(-1)).toEqual([NEW.length, NEW.length]);
		for (const [i, [done = 0]] of seen.entries()) expect(done).toBeGreaterThan(seen[i - 1]?.[0] ?? 0);
	});
});

describe("closing", () => {
	type Name = "prepare" | "onStart" | "onProgress" | "onEnd" | "onError" | "mayUpdate";

	test.each<[Name, Uint8Array]>([
		["prepare", NEW],
		["onStart", NEW],
		["onProgress", NEW],
		["onEnd", NEW],
		["onError", new TextEncoder().encode("no image")],
	])("in %s ends it there, without an outcome and a restart", async (name, image) => {
		const told: string[] = [];
		const tell =
			(what: Name) =>
			(..._values: unknown[]) => {
				told.push(what);
				if (what === name) bench.client.close();
				else if (what === "prepare") (_values[1] as () => void)();
			};
		const options: Partial<HTTPUpdateOptions> = {};
		const names: Name[] = ["prepare", "onStart", "onProgress", "onEnd", "onError"];
		for (const what of names) Object.assign(options, { [what]: tell(what) });
		let restarts = 0;
		const bench: ClientBench = new ClientBench(options, {
			restart: () => {
				restarts += 1;
				return undefined as never;
			},
		});
		const server = await TestServer.start(serves(image));
		let outcome: Outcome | undefined;
		bench.client.update(server.url, "", (its) => {
			outcome = its;
		});
		await expect.poll(() => told.at(-1)).toBe(name);
		const before = told.length;
		await waits(200);
		expect(told).toHaveLength(before);
		expect([outcome, restarts]).toEqual([undefined, 0]);
		expect(bench.client.busy).toBe(false);
		expect(bench.updater.busy).toBe(false);
	});

	test("in onOutcome takes the restart back", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(NEW));
		let resolve: (value: unknown) => void = () => {};
		const promise = new Promise((its) => {
			resolve = its;
		});
		bench.client.update(server.url, "", () => {
			bench.client.close();
			resolve(undefined);
		});
		await promise;
		const what = await Promise.race([bench.restarted.then(() => "restarted"), waits(200)]);
		expect(what).toBeUndefined();
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test.each([0, 1, 2, 3, 5, 8, 13, 21, 34])("after %i ms leaves nothing behind", async (ms) => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(NEW));
		let outcome: Outcome | undefined;
		bench.client.update(server.url, "", (its) => {
			outcome = its;
		});
		await waits(ms);
		const ended = outcome !== undefined;
		bench.client.close();
		bench.client.close();
		const { operations } = bench.flash;
		await waits(50);
		expect(outcome !== undefined).toBe(ended);
		expect(bench.flash.operations).toBe(operations);
		expect(bench.updater.busy).toBe(false);
	});

	test("is not the end of the client", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(NEW));
		bench.client.update(server.url);
		bench.client.close();
		expect(await bench.short(server.url)).toBe("updated");
	});
});

describe("one at a time:", () => {
	test("a second question is postponed, and the first one goes on", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(NEW));
		const first = bench.short(server.url);
		expect(await bench.short(server.url)).toBe("postponed 15");
		expect(await first).toBe("updated");
	});

	test("nothing is asked during an update of another receiver", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(NEW));
		const other = bench.open(NEW);
		expect(await bench.short(server.url)).toBe("postponed 15");
		expect(server.asked).toHaveLength(0);
		other.close();
		expect(await bench.short(server.url)).toBe("updated");
	});

	test("an update that another one overtakes is postponed, and the application left alone", async () => {
		const bench = new ClientBench({ prepare: () => expect.unreachable() });
		const server = await TestServer.start((request, response) => {
			bench.open(NEW);
			serves(NEW)(request, response);
		});
		expect(await bench.short(server.url)).toBe("postponed 15");
		expect(bench.updater.busy).toBe(true);
		expect(bench.told).toEqual([]);
	});

	test("an update that another one overtakes while the application gets ready is postponed", async () => {
		const bench = new ClientBench({
			prepare: (_kind, done) => {
				bench.open(NEW);
				done();
			},
		});
		const server = await TestServer.start(serves(NEW));
		expect(await bench.short(server.url)).toBe("postponed 15");
		expect(bench.told).toEqual([]);
	});

	test("a firmware that waits for the restart is not overwritten by another one", async () => {
		const bench = new ClientBench({ rebootOnSuccess: false });
		const server = await TestServer.start(serves(NEW));
		bench.update(NEW);
		expect(await bench.short(server.url)).toBe("postponed 15");
		expect(server.asked).toHaveLength(0);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("a firmware that waits for the restart, wherever it lies, outlives a filesystem", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(FILES));
		const image = gzipSync(NEW);
		// Of no known length: from the first sector of the staging area on.
		bench.update(image, { byteLength: undefined });
		const outcome = await new Promise((resolve) => bench.client.updateFilesystem(server.url, "", resolve));
		expect(outcome).toEqual({ result: "updated" });
		expect(md5(bench.get(0x104000, image.length))).toBe(md5(image));
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("a question within the moment before the restart does not prevent it", async () => {
		const bench = new ClientBench();
		const server = await TestServer.start(serves(NEW));
		expect(await bench.short(server.url)).toBe("updated");
		expect(await bench.short(server.url)).toBe("postponed 15");
		await bench.restarted;
	});
});

describe("a flash that fails", () => {
	const LENGTH = 14_000;
	const image = NEW.subarray(0, LENGTH);

	test.each(["fail", "torn"] as const)(
		"(%s) ends no more than the update, at every operation",
		async (kind) => {
			for (let at = 0; at < 75; at++) {
				const bench = new ClientBench({ rebootOnSuccess: false });
				const server = await TestServer.start(serves(image));
				bench.flash.control.arm({ at: bench.flash.operations + at, kind });
				const outcome = await new Promise<Outcome>((resolve) =>
					bench.client.updateFilesystem(server.url, "", resolve),
				);
				if (outcome.result === "updated") expect(md5(bench.get(0x200000, LENGTH))).toBe(md5(image));
				else expect([ErrorCode.ERASE, ErrorCode.WRITE]).toContain(outcome.error?.code);
				bench.flash.control.disarm();
				const again = await new Promise<Outcome>((resolve) =>
					bench.client.updateFilesystem(server.url, "", resolve),
				);
				expect(again.result).toBe("updated");
				expect(md5(bench.get(0x200000, LENGTH))).toBe(md5(image));
			}
		},
	);
});

test("two clients on one Updater do not disturb each other", async () => {
	const bench = new ClientBench();
	const other = bench.clientOf();
	expect(other).toBeInstanceOf(HTTPUpdate);
	const server = await TestServer.start(serves(NEW));
	const both = await Promise.all([bench.short(server.url), bench.short(server.url, other)]);
	expect(both.toSorted()).toEqual(["postponed 15", "updated"]);
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
	expect(md5(bench.get(0, NEW.length))).not.toBe(md5(OLD));
});
