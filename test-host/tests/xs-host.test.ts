/** The XS engine's host by itself: memory, ends, natives, flash, timers, digests. Its sockets: xs-sockets.test.ts. */
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { applicationText, manifestConfig } from "../virtual/bundle";
import { decodeApplication } from "../virtual/modules";
import type { Fault } from "../virtual/nor";
import { skipsXS, xsNote } from "./native-bench";
import { get, temporaryFlash } from "./temporary-flash";
import { container, FLASH_SIZE, IMPORTS, main, output, type Part, start } from "./xs-bench";

/** What a statement throws. */
const thrown = (statement: string) =>
	`try { ${statement}; trace("nothing "); } catch (e) { trace(e.constructor.name, " "); }`;

/** The device's own modules. */
async function deviceModules(): Promise<Part[]> {
	const modules = decodeApplication(await applicationText(manifestConfig()), {})?.modules ?? [];
	return modules.filter(({ name }) => name !== "main");
}

describe.skipIf(skipsXS)(`arrays of bytes are copied as the SDK's engine copies them${xsNote}`, () => {
	test("over each other, from other types, and nowhere beside", async () => {
		const script = `
			const bytes = new Uint8Array(10);
			const tell = () => trace(bytes.join(), ";");
			bytes.set(Uint8Array.of(1, 2, 3), 2); tell();
			bytes.set(bytes.subarray(2, 5), 3); tell();
			bytes.set([9, 8], 8); tell();
			bytes.set(new Uint16Array([257, 2])); tell();
			bytes.set(new Int8Array([-1]), 9); tell();
			const wrong = [
				() => bytes.set(new Uint8Array(3), 8), () => bytes.set(new Uint8Array(1), -1), () => bytes.set(new Uint8Array(11)),
				() => bytes.set(), () => Uint8Array.prototype.set.call({}, bytes),
				() => { const gone = new Uint8Array(3); gone.buffer.transfer(); gone.set(new Uint8Array(1)); },
			];
			for (const set of wrong) { try { set(); trace("nothing "); } catch (error) { trace(error.constructor.name, " "); } }`;
		expect((await output(script)).split(";")).toEqual([
			"0,0,1,2,3,0,0,0,0,0",
			"0,0,1,1,2,3,0,0,0,0",
			"0,0,1,1,2,3,0,0,9,8",
			"1,2,1,1,2,3,0,0,9,8",
			"1,2,1,1,2,3,0,0,9,255",
			"RangeError RangeError RangeError TypeError TypeError TypeError ",
		]);
	});
});

describe.skipIf(skipsXS)(`what is preloaded lies in flash${xsNote}`, () => {
	const library: Part = {
		name: "library",
		preload: true,
		source: `
			export let count = 0;
			export function increment() { count++; }
			export const list = [1, 2];
			export const settings = { port: 1 };
			export const frozen = Object.freeze({ deep: { value: 1 } }, true);
			export const bytes = new Uint8Array(4);
			export class Thing { static made = 0; #size = 1; get size() { return this.#size; } grow() { this.#size++; } }`,
	};
	const using = async (body: string) => {
		const imports = `import * as library from "library"; import { count } from "library";`;
		const host = start([main(`${body}; trace("end");`, imports), library]);
		await host.says("end");
		return host.uart().slice(0, -3).trim();
	};

	test("a variable of its module changes, in RAM", async () => {
		expect(await using("library.increment(); library.increment(); trace(count);")).toBe("2");
	});

	test("an object or array that is not frozen is copied with its first change", async () => {
		expect(
			await using(
				"library.settings.port = 2; library.list.push(3); trace(library.settings.port, library.list);",
			),
		).toBe("21,2,3");
	});

	test("a class, its prototype, frozen objects and buffers refuse every change", async () => {
		const statements = [
			"library.Thing.made = 1",
			"library.Thing.prototype.more = 1",
			"library.frozen.deep.value = 2",
		];
		expect(await using([...statements, "library.bytes[0] = 1"].map(thrown).join(""))).toBe(
			"TypeError TypeError TypeError TypeError",
		);
	});

	test("the built-ins refuse every change", async () => {
		const statements = [
			"Array.prototype.more = 1",
			"Math.abs = 1",
			"Object.prototype.more = 1",
			"Promise.resolve = 1",
		];
		expect(await using(statements.map(thrown).join(""))).toBe("TypeError TypeError TypeError TypeError");
	});

	test("what the engine would write there ends the process, as on the chip", async () => {
		const clock = { name: "clock", preload: true, source: "export const date = new Date(0);" };
		const host = start([main("date.setTime(1);", `import { date } from "clock";`), clock]);
		expect(await host.ended()).toMatchObject({
			exit: 114,
			uart: expect.stringContaining("write to what is in flash"),
		});
	});

	test("instances of a preloaded class are in RAM and change", async () => {
		expect(await using("const t = new library.Thing(); t.grow(); trace(t.size);")).toBe("2");
	});

	test("code that is preloaded takes no RAM, other code does", async () => {
		const functions = Array.from({ length: 20 }, (_, i) => `export function f${i}() { return "text ${i}"; }`);
		const slots = async (preload: boolean) => {
			const source = functions.join("\n");
			const host = start([
				main("throw f0()", `import { f0 } from "much";`),
				{ name: "much", preload, source },
			]);
			return (await host.ended()).peaks?.slots ?? 0;
		};
		expect((await slots(false)) - (await slots(true))).toBeGreaterThan(100);
	});
});

describe.skipIf(skipsXS)(`an application that ends${xsNote}`, () => {
	test("by an exception tells it and the peaks", async () => {
		const { exit, uart, peaks } = await start(`trace("before\\n"); throw new Error("too late");`).ended();
		expect(exit).toBe(113);
		expect(uart).toBe("before\n\r\nFatal exception: too late\r\n");
		expect(peaks?.slots).toBeGreaterThan(20);
		expect(peaks?.slots).toBeLessThan(200);
		expect(peaks?.stack).toBeLessThan(100);
		expect(peaks?.unused).toBeGreaterThan(18_000);
		expect(peaks?.meter).toBeGreaterThan(10);
	});

	test("by an exception in a callback", async () => {
		const host = start([main(`Timer.set(() => { null.x; });`, IMPORTS)]);
		expect(await host.ended()).toMatchObject({
			exit: 113,
			uart: expect.stringContaining("Fatal exception: "),
		});
	});

	test("by what a preloaded module throws", async () => {
		const broken = { name: "broken", preload: true, source: `throw new Error("at preload");` };
		expect(await start([main(""), broken]).ended()).toMatchObject({
			exit: 113,
			uart: expect.stringContaining("at preload"),
		});
	});

	test("by a syntax error", async () => {
		expect((await start("let = ;").ended()).exit).toBe(113);
	});

	test("by a module that is not there", async () => {
		expect((await start([main("", `import "nowhere";`)]).ended()).exit).toBe(113);
	});

	test("for want of memory: chunks", async () => {
		const { exit, uart } = await start("const all = []; for (;;) all.push(new ArrayBuffer(1000));").ended();
		expect(exit).toBe(110);
		expect(uart).toBe("\r\nFatal exception: memory full\r\n");
	});

	test("for want of memory: slots", async () => {
		expect((await start("let all; for (;;) all = { all };").ended()).exit).toBe(110);
	});

	test("not for garbage, however much", async () => {
		expect(await output("for (let i = 0; i < 2000; i++) ({ bytes: new ArrayBuffer(1000) });")).toBe("");
	});

	test("by a stack overflow", async () => {
		expect((await start("function again() { again(); } again();").ended()).exit).toBe(111);
	});

	test("not by a stack overflow where the stack is larger", async () => {
		const body = `function deep(n) { if (n) deep(n - 1); } deep(30); trace("deep"); throw 1;`;
		expect((await start(body).ended()).exit).toBe(111);
		expect((await start(body, { options: ["--stack", "512"] }).ended()).exit).toBe(113);
	});

	test("by too many cycles without a turn of the event loop", async () => {
		const limit = { options: ["--meter-limit", "100000"] };
		expect((await start("for (;;);", limit).ended()).exit).toBe(112);
	});

	test("not by as many cycles in turns", async () => {
		const body = `let turns = 0;
			Timer.repeat(() => { for (let i = 0; i < 5000; i++); if (++turns === 20) throw "enough"; }, 1);`;
		const host = start([main(body, IMPORTS)], { options: ["--meter-limit", "100000"] });
		const { exit, peaks } = await host.ended();
		expect(exit).toBe(113);
		expect(peaks?.meter).toBeGreaterThan(300_000);
	});

	test("by a signal tells its peaks, too", async () => {
		const host = start(`trace("up");`);
		await host.says("up");
		host.child.kill("SIGTERM");
		expect((await host.ended()).peaks?.slots).toBeGreaterThan(0);
	});
});

describe.skipIf(skipsXS)(`the command line${xsNote}`, () => {
	test.each([
		["a file that is not there", { options: ["--flash", "/nowhere"] }, "nowhere"],
		["an unknown option", { options: ["--verbose"] }, "verbose"],
		["a MAC address that is none", { options: ["--mac", "tomato"] }, "tomato"],
	])("refuses %s", async (_, options, complaint) => {
		const { exit, stderr } = await start("", options).ended();
		expect(exit).toBe(2);
		expect(stderr).toContain(complaint);
	});

	test.each([
		["without main", [{ name: "other", source: "" }], "no module main"],
		["with a native function that nobody has", [main(`native("xs_nobody").call(this);`)], "xs_nobody"],
		["cut short", container([main("trace(1);")]).subarray(0, 20), "cut short"],
	])("refuses an application %s", async (_, application, complaint) => {
		const { exit, stderr } = await start(application).ended();
		expect(exit).toBe(2);
		expect(stderr).toContain(complaint);
	});
});

describe.skipIf(skipsXS)(`modules and globals${xsNote}`, () => {
	test("a specifier with dots means a place beside the importing module", async () => {
		const host = start([
			main(`trace(one, two, "end");`, `import { one } from "./sub/one"; import { two } from "./two.js";`),
			{ name: "sub/one", source: `import { two } from "../two"; export const one = "one " + two;` },
			{ name: "two", source: `export const two = "two ";` },
		]);
		await host.says("end");
		expect(host.uart()).toBe("one two two end");
	});

	test("text becomes bytes and bytes text", async () => {
		const body = `const bytes = ArrayBuffer.fromString("h\\u00e9"); trace(new Uint8Array(bytes), String.fromArrayBuffer(bytes));`;
		expect(await output(body)).toBe("104,195,169h\u00e9");
	});

	test("promises are settled between callbacks", async () => {
		const host = start(`Promise.resolve().then(() => trace("then end")); trace("first ");`);
		await host.says("end");
		expect(host.uart()).toBe("first then end");
	});

	test("natives are found in methods, accessors, functions, constructors and anywhere else", async () => {
		const part = {
			name: "natives",
			source: `
				export class Direct extends Native("xs_digest_destructor") {
					constructor(type) { super(); native("xs_digest_constructor").call(this, type); }
					write(data) { native("xs_digest_write").call(this, data); }
					get result() { return native("xs_digest_close").call(this); }
				}
				export class Indirect extends Native("xs_digest_destructor") {
					constructor(type, data) {
						super();
						native("xs_digest_constructor").call(this, type);
						native("xs_digest_write").call(this, data);
					}
				}
				export function close() { return native("xs_digest_close").call(this); }
				export const closing = (it) => native("xs_digest_close").call(it);`,
		};
		const body = `
			const direct = new Direct("MD5");
			direct.write("abc");
			const hex = (buffer) => new Uint8Array(buffer)[0];
			trace(hex(direct.result), " ", hex(close.call(new Indirect("MD5", "abc"))), " ");
			trace(hex(closing(new Indirect("SHA1", "abc"))), " end");`;
		for (const preload of [false, true]) {
			const host = start([
				main(body, `import { Direct, Indirect, close, closing } from "natives";`),
				{ ...part, preload },
			]);
			await host.says("end");
			expect(host.uart()).toBe("144 144 169 end");
		}
	});
});

describe.skipIf(skipsXS)(`the chip under the device's modules${xsNote}`, () => {
	test("a restart ends the process", async () => {
		const host = start([main("board.restart();", `import board from "board";`), ...(await deviceModules())]);
		expect((await host.ended()).exit).toBe(100);
	});

	test("what the chip is told on the command line", async () => {
		const body = `trace(board.chipId.toString(16), " ", board.bootMode, " ", board.resetReason, " ", board.flashSize, " end");`;
		const options = ["--mac", "18:fe:34:ab:cd:ef", "--boot-mode", "1", "--reset-reason", "External System"];
		const host = start([main(body, `import board from "board";`), ...(await deviceModules())], { options });
		await host.says("end");
		expect(host.uart()).toBe("abcdef 1 External System 1048576 end");
	});

	test("without power nothing runs", async () => {
		const host = start([main("board.flashMode;", `import board from "board";`), ...(await deviceModules())], {
			unpowered: true,
		});
		expect((await host.ended()).exit).toBe(101);
	});

	test("the loop feeds the watchdog, a loop in script does not", async () => {
		const host = start([main(`Timer.set(() => { trace("stuck"); for (;;); }, 200);`, IMPORTS)]);
		await host.says("stuck");
		const beats = host.control.beats;
		expect(beats).toBeGreaterThan(3);
		await pause(150);
		expect(host.control.beats).toBe(beats);
	});

	test("digests", async () => {
		const lengths = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000];
		const body = `
			for (const type of ["MD5", "SHA1", "SHA256"]) for (const length of [${lengths}]) {
				const digest = new Digest(type);
				digest.write(new Uint8Array(length).fill(97));
				trace(new Uint8Array(digest.close()), "\\n");
			}`;
		const expected = ["md5", "sha1", "sha256"].flatMap((type) =>
			lengths.map((length) => createHash(type).update("a".repeat(length)).digest().join()),
		);
		expect((await output(body)).split("\n").slice(0, -1)).toEqual(expected);
	});

	test("a digest goes on, begins anew, and refuses what it does not know", async () => {
		const body = `
			const first = (digest) => trace(new Uint8Array(digest.close())[0], " ");
			const digest = new Digest("MD5");
			digest.write("a"); digest.write(ArrayBuffer.fromString("b")); digest.write(new DataView(ArrayBuffer.fromString("c")));
			first(digest);
			${thrown("digest.write('d')")}${thrown("digest.close()")}
			digest.reset(); digest.write("abc"); first(digest);
			${thrown("new Digest('MD4')")}${thrown("digest.reset.call({})")}${thrown("new Digest('MD5').write(5)")}`;
		expect(await output(body)).toBe("144 Error Error 144 Error SyntaxError TypeError ");
	});
});

describe.skipIf(skipsXS)(`flash operations${xsNote}`, () => {
	/** In the flash's first byte 3: 1 MiB. */
	const header = Uint8Array.of(0xe9, 1, 2, 0x20);
	const STORAGE = 0xeb000;
	const BYTES = 300;
	/** An erase and a write of two pages. */
	const OPERATIONS = 3;
	const operate = async (fault?: Omit<Fault, "at"> & { at?: number }) => {
		const body = `
			const storage = flash.open({ path: "storage" });
			storage.eraseBlock(0);
			storage.write(new Uint8Array(${BYTES}).fill(0x5a), 0);
			trace("end");`;
		const faults = fault ? [{ at: 0, ...fault }] : [];
		const modules = [main(body, `import flash from "embedded:storage/flash";`), ...(await deviceModules())];
		const host = start(modules, { faults, header });
		const ended = await Promise.race([host.says("end"), host.ended()]);
		return { host, exit: ended?.exit, stored: host.flash(STORAGE, 512) };
	};
	/** The same on Node's chip. */
	const operateOnNode = (fault: Fault) => {
		const chip = temporaryFlash({ size: FLASH_SIZE });
		chip.control.arm(fault);
		try {
			chip.eraseSector(STORAGE);
			chip.program(STORAGE, new Uint8Array(BYTES).fill(0x5a));
		} catch {}
		chip.control.powerOn();
		return get(chip, STORAGE, 512);
	};

	test("are those of Node's chip", async () => {
		const { host, stored } = await operate();
		expect(host.control.operations).toBe(OPERATIONS);
		expect([...stored.subarray(0, BYTES)]).toEqual(Array(BYTES).fill(0x5a));
		expect([...stored.subarray(BYTES)]).toEqual(Array(512 - BYTES).fill(0xff));
	});

	test.each(["fail", "torn"] as const)("that %s throw", async (kind) => {
		const { exit, stored, host } = await operate({ at: 1, kind });
		expect(exit).toBe(113);
		expect(host.control.operations).toBe(2);
		expect(stored).toEqual(operateOnNode({ at: 1, kind }));
	});

	test("that are ignored do not", async () => {
		const fault = { at: 1, kind: "ignored" as const, only: "program" as const };
		const { exit, stored } = await operate(fault);
		expect(exit).toBeUndefined();
		expect(stored).toEqual(operateOnNode(fault));
	});

	test("that fail for ever fail for ever", async () => {
		expect((await operate({ kind: "fail", only: "program", repeat: true })).exit).toBe(113);
	});

	test.each(["power before", "power during", "power after"] as const)("%s end all", async (kind) => {
		const { exit, stored, host } = await operate({ at: 1, kind });
		expect(exit).toBe(101);
		expect(host.control.powered).toBe(false);
		expect(stored).toEqual(operateOnNode({ at: 1, kind }));
	});
});

describe.skipIf(skipsXS)(`timers${xsNote}`, () => {
	test("fire in the order of their time, with their id, never from inside a call", async () => {
		const body = `
			Timer.set(() => trace("late "), 300);
			const id = Timer.set((got) => trace(got === id, " "), 10);
			Timer.set(() => trace("soon "));
			trace("first ");
			Timer.set(() => trace("stop"), 600);`;
		const host = start([main(body, IMPORTS)]);
		await host.says("stop");
		expect(host.uart()).toBe("first soon true late stop");
	});

	test("repeat until they are cleared, also in their own callback", async () => {
		const body = `
			let count = 0;
			Timer.repeat((id) => { trace(++count, " "); if (count === 3) Timer.clear(id); }, 5);
			Timer.set(() => trace("stop"), 600);`;
		const host = start([main(body, IMPORTS)]);
		await host.says("stop");
		expect(host.uart()).toBe("1 2 3 stop");
	});

	test("first after a delay, then at intervals", async () => {
		const body = `const begin = Date.now(); let times = [];
			Timer.set((id) => { times.push(Date.now() - begin); if (times.length === 3) { Timer.clear(id); trace(times, "\\nstop"); } }, 40, 150);`;
		const host = start([main(body, IMPORTS)]);
		await host.says("stop");
		const [first = 0, , third = 0] = host.uart().split("\n")[0]?.split(",").map(Number) ?? [];
		expect(first).toBeGreaterThanOrEqual(39);
		expect(third).toBeGreaterThan(first);
		expect(third).toBeLessThan(2000);
	});

	test("one that clears another, due in the same turn, is heard", async () => {
		const body = `
			let other;
			Timer.set(() => Timer.clear(other), 5);
			other = Timer.set(() => trace("cleared "), 5);
			const until = Date.now() + 20;
			while (Date.now() < until);
			Timer.set(() => trace("stop"), 30);`;
		const host = start([main(body, IMPORTS)]);
		await host.says("stop");
		expect(host.uart()).toBe("stop");
	});

	test("rest, and are scheduled again", async () => {
		const body = `
			const id = Timer.repeat(() => { trace("again "); Timer.schedule(id); }, 5);
			Timer.set(() => Timer.schedule(id, 5, 5), 300);
			Timer.set(() => trace("stop"), 600);`;
		const host = start([main(body, IMPORTS)]);
		await host.says("stop");
		expect(host.uart()).toBe("again again stop");
	});

	test("refuse what is no callback and what is no timer", async () => {
		const body = `const id = Timer.set(() => {}); Timer.clear(id); Timer.clear(undefined); Timer.clear({});
			${thrown("Timer.set()")}${thrown("Timer.set(5)")}${thrown("Timer.schedule(id, 5)")}${thrown("Timer.schedule({}, 5)")}`;
		expect(await output(body)).toBe("TypeError TypeError SyntaxError SyntaxError ");
	});

	test("cost a few slots each, and nothing once they are gone", async () => {
		const body = `let i = 0; Timer.repeat(() => { for (let n = 0; n < 20; n++) Timer.set(() => {}, 0); if (++i === 100) throw 1; }, 1);`;
		expect((await start([main(body, IMPORTS)]).ended()).exit).toBe(113);
	});
});
