/** The stand-ins for the SDK's resolver and `net`: the same script on both engines. */
import { compileFunction } from "node:vm";
import { describe, expect, test } from "vitest";
import { installGlobals } from "../shims/globals";
import Net from "../shims/net";
import Resolver from "../shims/resolver";
import Timer from "../shims/timer";
import UDP from "../shims/udp";
import { type EngineName, engines } from "./engines";
import { chipForTest, quiet, until } from "./shim-bench";
import { IMPORTS, main, start } from "./xs-bench";

const MODULES = `${IMPORTS}
	import Net from "net";
	import Resolver from "embedded:network/dns/resolver/udp";`;
const PROLOGUE = `
	const resolver = new Resolver({ servers: ["127.0.0.1"], socket: { io: UDP } });
	const resolve = (host) => resolver.resolve({
		host,
		onResolved(name, address) { trace(this === resolver, " ", name, " is ", address, "\\n"); },
		onError(name) { trace(this === resolver, " no ", name, "\\n"); },
	});
	const thrown = (call) => { try { call(); } catch (e) { trace(e.constructor.name, "\\n"); } };
`;

interface Told {
	told(): string;
	tells(text: string): Promise<void>;
}

/** Runs a script that may use `resolver`, `resolve(host)` and `thrown(call)`. */
function run(engine: EngineName, script: string): Told {
	const body = PROLOGUE + script;
	if (engine === "xs") {
		const host = start([main(body, MODULES)], { options: ["--mac", "5c:cf:7f:a1:b2:c3"] });
		return { told: host.uart, tells: host.says };
	}
	let told = "";
	chipForTest();
	installGlobals();
	const trace = (...texts: unknown[]) => {
		told += texts.map((text) => `${text}`).join("");
	};
	const names = ["Net", "Resolver", "UDP", "Timer", "trace"];
	compileFunction(body, names)(Net, Resolver, UDP, Timer, trace);
	return { told: () => told, tells: (text) => until(() => told.includes(text)) };
}

describe.each(engines)("the resolver on %s", (engine: EngineName) => {
	test("answers an address with itself, between turns, whatever its parts are", async () => {
		const board = run(engine, `resolve("10.0.0.1"); resolve("999.1.2.3"); trace("first\\n");`);
		await board.tells("999.1.2.3\n");
		expect(board.told()).toBe("first\ntrue 10.0.0.1 is 10.0.0.1\ntrue 999.1.2.3 is 999.1.2.3\n");
	});

	test("answers localhost with this machine's address, and with that for a name", async () => {
		const board = run(engine, `resolve("localhost");`);
		await board.tells("true 127.0.0.1 is 127.0.0.1\n");
	});

	test("asks this machine for other names", async () => {
		const board = run(engine, `resolve("LOCALHOST");`);
		await board.tells("true LOCALHOST is 127.0.0.1\n");
	});

	test("tells of an unknown name", async () => {
		const board = run(engine, `resolve("nowhere.invalid"); trace("first\\n");`);
		await board.tells("no nowhere.invalid\n");
		expect(board.told()).toBe("first\ntrue no nowhere.invalid\n");
	});

	test("needs no more than one callback", async () => {
		const board = run(
			engine,
			`resolver.resolve({ host: "nowhere.invalid", onResolved() { trace("not me"); } });
			resolver.resolve({ host: "1.2.3.4", onError() { trace("not me"); } }); resolve("4.3.2.1");`,
		);
		await board.tells("4.3.2.1\n");
		await quiet();
		expect(board.told()).toBe("true 4.3.2.1 is 4.3.2.1\n");
	});

	test("throws without a host or callbacks, without servers, and after close", async () => {
		const board = run(
			engine,
			`thrown(() => resolve("")); thrown(() => resolver.resolve({ host: "h" })); thrown(() => resolver.resolve());
			thrown(() => new Resolver({ socket: { io: UDP } }));
			resolver.close(); resolver.close(); thrown(() => resolve("h")); trace("end");`,
		);
		await board.tells("end");
		expect(board.told()).toBe("Error\nError\nTypeError\nTypeError\nError\nend");
	});

	test("calls nobody any more once it is closed", async () => {
		const board = run(
			engine,
			`resolve("1.2.3.4"); resolver.close();
			const other = new Resolver({ servers: [], socket: { io: UDP } });
			other.resolve({ host: "nowhere.invalid", onError() { trace("not me"); } });
			Timer.set(() => other.close());`,
		);
		await quiet();
		await quiet();
		expect(board.told()).toBe("");
	});
});

describe.each(engines)("net on %s", (engine: EngineName) => {
	const value = async (expression: string) => {
		const board = run(engine, `trace(JSON.stringify(${expression}) ?? "undefined", "|");`);
		await board.tells("|");
		return board.told().slice(0, -1);
	};

	test("has the address of this machine, and the MAC of the chip", async () => {
		expect(await value(`[Net.get("IP"), Net.get("IP", "station"), Net.get("MAC")]`)).toBe(
			'["127.0.0.1","127.0.0.1","5C:CF:7F:A1:B2:C3"]',
		);
	});

	test("has an array of name servers, and the signal of no network", async () => {
		expect(await value(`[Net.get("DNS"), Net.get("RSSI")]`)).toBe('[["127.0.0.1"],31]');
	});

	test.each(["SSID", "BSSID", "ip", ""])("has no %j", async (property) => {
		expect(await value(`Net.get(${JSON.stringify(property)})`)).toBe("undefined");
	});

	test("has no access point", async () => {
		expect(await value(`Net.get("IP", "ap") ?? Net.get("MAC", "ap")`)).toBe("undefined");
	});

	test("wants to know what", async () => {
		const board = run(engine, "thrown(() => Net.get());");
		await board.tells("SyntaxError");
	});
});
