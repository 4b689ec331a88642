/** The polling client against servers of all sorts. */
import { expect, test } from "vitest";
import { ClientBench, NEW, serves, TestServer } from "./client-bench";

test("an update is taken, and the board restarts into it", async () => {
	const bench = new ClientBench();
	const server = await TestServer.start(serves(NEW));
	expect(await bench.ask(server.url, "1.0.0")).toEqual({ result: "updated" });
	expect(bench.told).toEqual(["start firmware", "end firmware"]);
	await bench.restarted;
	bench.restart();
	expect(bench.runs()).toBe("2.0.0");
});
