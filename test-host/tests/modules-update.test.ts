/** `embedded:update`: each rule a script, which runs on Node's shims and in the XS engine alike. */
import flash from "embedded:storage/flash";
import { beforeAll, describe, expect, test } from "vitest";
import update, { useUpdater } from "../../modules/update/update";
import { ApplicationScanner, bootImageFault } from "../../ota/image";
import { Updater } from "../../ota/updater";
import board from "../shims/board";
import { firmware } from "./boot-bench";
import { type NativeOptions, type Outcome, runNative, skipsXS, xsNote } from "./native-bench";
import { UpdaterBench } from "./updater-bench";

const SECTOR = 4096;
const LENGTH = 20_000;
/** In the layout for 4 MiB. */
const NEXTOTA = 0x104000;
const NEXTOTA_SIZE = 0xfc000;
const RUNNING = firmware("1.0.0", LENGTH);

const IMPORTS = `
	import flash from "embedded:storage/flash";
	import board from "board";
	import update, { useUpdater } from "embedded:update";
	import { ApplicationScanner, bootImageFault } from "ota/image";
	import { Updater } from "ota/updater";`;

/** What the scripts share. The image that they install is the one that runs. */
const HELPERS = `
	const length = ${LENGTH};
	function nextota(mode) {
		return flash.open({ path: "nextota", mode });
	}
	/* A new Updater, and the boot choice that it makes. */
	function boot() {
		const choice = {
			staged: undefined,
			inflates: true,
			applicationOffset: 4096,
			ownsHeader: true,
			stagesAtEnd: true,
			firstSectorFault: bootImageFault,
			scanner: () => new ApplicationScanner(),
			check() {},
			select({ address, size, destination }) { this.staged = { address, size, destination }; },
			clear() { this.staged = undefined; },
			restart() { throw new Error("restart"); },
		};
		useUpdater(new Updater({ board, boot: choice, running: { size: length, name: "", version: "", md5: "0" } }));
		return choice;
	}
	function open(options) {
		return update.open({ partition: nextota(), ...options });
	}
	function image(offset, count) {
		return flash.open({ path: "running" }).read(count, offset);
	}
	/* The image's pieces of so many bytes, every other one, from the first or the second on. */
	function scatter(ota, step, first, end = length) {
		for (let at = first * step; at < end; at += 2 * step) ota.write(image(at, Math.min(step, end - at)), at);
	}
	function append(ota, step = 1460, end = length) {
		for (let at = 0; at < end; at += step) ota.write(image(at, Math.min(step, end - at)));
	}
	/* The image's bytes to their places, in pieces that the device has memory for. */
	function place(ota, start, end) {
		for (let at = start; at < end; at += 1000) ota.write(image(at, Math.min(1000, end - at)), at);
	}
	function same(address) {
		const partition = nextota();
		const from = address - partition.status().address;
		for (let at = 0; at < length; at += 1000) {
			const expected = new Uint8Array(image(at, Math.min(1000, length - at)));
			const found = new Uint8Array(partition.read(expected.length, from + at));
			if (!expected.every((byte, i) => byte === found[i])) return at;
		}
		return true;
	}
	function thrown(operate) {
		try {
			operate();
		} catch (error) {
			return error.constructor.name;
		}
		return "nothing";
	}
	function setFormat(ota, format) {
		ota.format = format;
	}`;

type Table = Readonly<Record<string, readonly [script: string, expected: unknown]>>;

const STAGED_BELOW = {
	address: NEXTOTA + NEXTOTA_SIZE - Math.ceil(LENGTH / SECTOR) * SECTOR,
	size: LENGTH,
	destination: 0,
};
const STAGED_AT_START = { address: NEXTOTA, size: LENGTH, destination: 0 };

const opening: Table = {
	"an open partition is all it takes": ["boot(); return open().close()", "undefined"],
	"no options is a TypeError": ["boot(); return update.open()", "TypeError"],
	"no partition is an Error": ["boot(); return update.open({})", "Error"],
	"no partition but a mode is an Error": [`boot(); return update.open({ mode: "a" })`, "Error"],
	"the name of a partition is a SyntaxError": [
		"boot(); return open({ partition: 'nextota' })",
		"SyntaxError",
	],
	"any other object is a SyntaxError": ["boot(); return open({ partition: {} })", "SyntaxError"],
	"null is a SyntaxError": ["boot(); return open({ partition: null })", "SyntaxError"],
	"a closed partition is a SyntaxError": [
		"boot(); const partition = nextota(); partition.close(); return open({ partition })",
		"SyntaxError",
	],
	"a read-only partition is an Error": [`boot(); return open({ partition: nextota("r") })`, "Error"],
	"the running firmware's partition is an Error": [
		`boot(); return open({ partition: flash.open({ path: "running" }) })`,
		"Error",
	],
	"another partition is an Error": [
		`boot(); return open({ partition: flash.open({ path: "storage" }) })`,
		"Error",
	],
	"modes a and w are modes": [
		`boot(); open({ mode: "a" }).close(); return open({ mode: "w" }).close()`,
		"undefined",
	],
	"any other mode is a RangeError": [
		`boot();
		return ["xyzzy", "w+", "r", 12, {}, null, ""].map((mode) => thrown(() => open({ mode })))`,
		new Array(7).fill("RangeError"),
	],
	"a symbol as mode is a TypeError": ["boot(); return open({ mode: Symbol() })", "TypeError"],
	"the length 0 is allowed": ["boot(); return open({ byteLength: 0 }).close()", "undefined"],
	"the length of the partition is allowed": [
		"boot(); return open({ byteLength: nextota().status().size }).close()",
		"undefined",
	],
	"any other length is a RangeError": [
		`boot();
		const { size } = nextota().status();
		const lengths = [NaN, "abcd", -1, 2 ** 32, size + 1, 0.5, Infinity];
		return lengths.map((byteLength) => thrown(() => open({ byteLength })))`,
		new Array(7).fill("RangeError"),
	],
	"a symbol or a BigInt as length is a TypeError": [
		"boot(); return [Symbol(), 1n].map((byteLength) => thrown(() => open({ byteLength })))",
		["TypeError", "TypeError"],
	],
	"the format is buffer": [
		`boot(); const ota = open({ format: "buffer" }); ota.format = "buffer"; return ota.format`,
		'"buffer"',
	],
	"any other format is a RangeError, in options too": [
		`boot();
		const ota = open();
		const name = thrown(() => setFormat(ota, "buffer-x"));
		const { format } = ota;
		ota.close();
		return [name, format, thrown(() => open({ format: "buffer-x" }))]`,
		["RangeError", "buffer", "RangeError"],
	],
	"there is one update at a time, whoever makes it": [
		`boot();
		const ota = open();
		const second = thrown(() => open());
		ota.close();
		return [second, thrown(() => open({ mode: "w" }).close())]`,
		["UpdateError", "nothing"],
	],
	"a refused one leaves room for the next": [
		`boot();
		for (const options of [{ mode: "x" }, { byteLength: -1 }, { format: "x" }]) thrown(() => open(options));
		return open().close()`,
		"undefined",
	],
};

const writing: Table = {
	"ArrayBuffers, views of bytes and DataViews are taken": [
		`boot();
		const ota = open({ byteLength: length });
		ota.write(image(0, 1024));
		ota.write(new Uint8Array(image(1024, 1024)));
		ota.write(new Int8Array(image(2048, 1024)));
		ota.write(new DataView(image(3072, 1024)));
		ota.write(new Uint8ClampedArray(image(4000, 1024), 96));
		for (let at = 5024; at < length; at += 1000) ota.write(image(at, Math.min(1000, length - at)));
		ota.complete();
		return ota.close()`,
		"undefined",
	],
	"nothing is a SyntaxError": ["boot(); return open().write()", "SyntaxError"],
	"what is no bytes is a TypeError": [
		`boot();
		const ota = open();
		const values = [1, "not a number", {}, [1], null, new Uint32Array(1), Symbol()];
		return values.map((value) => thrown(() => ota.write(value)))`,
		new Array(7).fill("TypeError"),
	],
	"in mode a an offset is an Error": ["boot(); return open().write(image(0, 16), 0)", "Error"],
	"in mode w no offset is a SyntaxError": [
		`boot(); return open({ mode: "w" }).write(image(0, 16))`,
		"SyntaxError",
	],
	"in mode w a wrong offset is a RangeError": [
		`boot();
		const ota = open({ mode: "w" });
		const { size } = nextota().status();
		const offsets = [-1, 0.5, NaN, "x", 2 ** 31, 2 ** 32, size, size - 15];
		return offsets.map((offset) => thrown(() => ota.write(image(0, 16), offset)))`,
		new Array(8).fill("RangeError"),
	],
	"in mode w an offset behind the length is a RangeError": [
		`boot();
		const ota = open({ mode: "w", byteLength: 100 });
		ota.write(image(0, 16), 84);
		return ota.write(image(0, 16), 85)`,
		"RangeError",
	],
	"in mode w a symbol as offset is a TypeError": [
		`boot(); return open({ mode: "w" }).write(image(0, 16), Symbol())`,
		"TypeError",
	],
	"more than the length is an Error": [
		`boot();
		const ota = open({ byteLength: 5000 });
		append(ota, 1000, 5000);
		return thrown(() => ota.write(image(5000, 1)))`,
		'"UpdateError"',
	],
	"more than the length 0 is a RangeError, no bytes are fine": [
		`boot();
		const ota = open({ byteLength: 0 });
		ota.write(new ArrayBuffer(0));
		return thrown(() => ota.write(image(0, 1)))`,
		'"RangeError"',
	],
	"what is no image is an Error, and ends the update": [
		`boot();
		const ota = open();
		return [thrown(() => ota.write(new ArrayBuffer(16))), thrown(() => ota.write(image(0, 16)))]`,
		["UpdateError", "Error"],
	],
};

const completing: Table = {
	"in mode a the image is the next to boot": [
		`const choice = boot();
		const ota = open({ byteLength: length });
		append(ota);
		const before = choice.staged;
		ota.complete();
		return before === undefined && same(choice.staged.address) === true && choice.staged`,
		STAGED_BELOW,
	],
	"in mode a without a length, too": [
		`const choice = boot();
		const ota = open();
		append(ota, 4096 + 1);
		ota.complete();
		return same(choice.staged.address) === true && choice.staged`,
		STAGED_AT_START,
	],
	"in mode w in any order": [
		`const choice = boot();
		const ota = open({ mode: "w", byteLength: length });
		scatter(ota, 1000, 0);
		scatter(ota, 1000, 1);
		const before = choice.staged;
		ota.complete();
		return before === undefined && same(choice.staged.address) === true && choice.staged`,
		STAGED_AT_START,
	],
	"in mode w without a length, from the end to the start": [
		`const choice = boot();
		const ota = open({ mode: "w" });
		for (let at = length - 500; at >= 0; at -= 500) ota.write(image(at, 500), at);
		ota.complete();
		return same(choice.staged.address) === true && choice.staged`,
		STAGED_AT_START,
	],
	"in mode w with pieces that overlap, where they are the same": [
		`const choice = boot();
		const ota = open({ mode: "w", byteLength: length });
		for (let at = 0; at < length; at += 900) ota.write(image(at, Math.min(1000, length - at)), at);
		place(ota, 0, length);
		ota.complete();
		return same(choice.staged.address) === true && choice.staged`,
		STAGED_AT_START,
	],
	"then write and complete throw, and close does not": [
		`boot();
		return ["a", "w"].map((mode) => {
			const ota = open({ mode, byteLength: length });
			if (mode === "a") append(ota);
			else place(ota, 0, length);
			ota.complete();
			const names = [thrown(() => ota.complete()), thrown(() => ota.write(image(0, 1), mode === "a" ? undefined : 0))];
			ota.close();
			return names.join();
		})`,
		["Error,Error", "Error,Error"],
	],
	"close does not take back what is complete": [
		`const choice = boot();
		const ota = open({ byteLength: length });
		append(ota);
		ota.complete();
		ota.close();
		return choice.staged !== undefined`,
		true,
	],
	"the next update does": [
		`const choice = boot();
		const ota = open({ byteLength: length });
		append(ota);
		ota.complete();
		ota.close();
		open().close();
		return choice.staged === undefined`,
		true,
	],
	"without bytes it is an Error": [
		`const choice = boot();
		const names = [];
		for (const options of [{}, { byteLength: 0 }, { byteLength: length }])
			for (const mode of ["a", "w"]) names.push(thrown(() => open({ ...options, mode }).complete()));
		return [choice.staged === undefined, ...names]`,
		[true, ...["UpdateError", "UpdateError", "UpdateError", "UpdateError", "UpdateError", "Error"]],
	],
	"without the last byte it is an Error, and nothing is chosen": [
		`const choice = boot();
		const ota = open({ byteLength: length });
		append(ota, 1460, length - 1);
		return [thrown(() => ota.complete()), thrown(() => ota.write(image(length - 1, 1))), choice.staged === undefined]`,
		["UpdateError", "Error", true],
	],
	...Object.fromEntries(
		[
			["the first byte", "place(ota, 1, length)"],
			["the last byte", "place(ota, 0, length - 1)"],
			["a byte in the middle", "place(ota, 0, 9000); place(ota, 9001, length)"],
			["half of all pieces", "scatter(ota, 1000, 1)"],
		].map(([what, writes]) => [
			`in mode w without ${what} it is an Error, and nothing is chosen`,
			[
				`const choice = boot();
				const ota = open({ mode: "w", byteLength: length });
				${writes};
				return [thrown(() => ota.complete()), thrown(() => ota.complete()), choice.staged === undefined]`,
				["Error", "Error", true],
			],
		]),
	),
	"in mode w what is no image is an Error, and nothing is chosen": [
		`const choice = boot();
		const ota = open({ mode: "w" });
		ota.write(image(0, 4096), 0);
		ota.write(new ArrayBuffer(4096), 4096);
		return [thrown(() => ota.complete()), choice.staged === undefined]`,
		["UpdateError", true],
	],
	"in mode w ones where zeros are is an Error, and the update is over": [
		`const choice = boot();
		const ota = open({ mode: "w", byteLength: length });
		place(ota, 0, length);
		const names = [
			thrown(() => ota.write(new Uint8Array(100).fill(255), 5000)),
			thrown(() => ota.write(image(0, 100), 0)),
			thrown(() => ota.complete()),
		];
		return [...names, choice.staged === undefined]`,
		["Error", "Error", "Error", true],
	],
	"in mode w more pieces apart than can be kept are a RangeError, and the rest goes on": [
		`const choice = boot();
		const ota = open({ mode: "w", byteLength: length });
		let apart = 0;
		const name = thrown(() => {
			for (; apart < 100; apart++) ota.write(image(2 * apart * 100, 100), 2 * apart * 100);
		});
		for (let at = 100; at < length; at += 200) ota.write(image(at, 100), at);
		for (let at = 2 * apart * 100; at < length; at += 200) ota.write(image(at, 100), at);
		ota.complete();
		return [apart, name, same(choice.staged.address)]`,
		[64, "RangeError", true],
	],
};

const closing: Table = {
	"close abandons what is not complete": [
		`const choice = boot();
		const ota = open({ byteLength: length });
		append(ota);
		ota.close();
		return choice.staged === undefined`,
		true,
	],
	"close may come any number of times": [
		"boot(); const ota = open(); ota.close(); ota.close(); return ota.close()",
		"undefined",
	],
	"every other member throws SyntaxError afterwards": [
		`boot();
		const ota = open();
		ota.close();
		return [
			thrown(() => ota.complete()),
			thrown(() => ota.write(image(1024, 1024))),
			thrown(() => ota.write()),
			thrown(() => ota.format),
			thrown(() => setFormat(ota, "buffer")),
		]`,
		new Array(5).fill("SyntaxError"),
	],
	"every member throws SyntaxError on another receiver": [
		`boot();
		const ota = open();
		const receivers = [{}, [], "text", 5, null, undefined, nextota(), Object.getPrototypeOf(ota)];
		const names = [];
		for (const receiver of receivers) {
			for (const name of ["complete", "write", "close"]) names.push(thrown(() => ota[name].call(receiver)));
			names.push(thrown(() => Reflect.get(Object.getPrototypeOf(ota), "format", receiver)));
		}
		return names.filter((name) => name !== "SyntaxError")`,
		[],
	],
	"the module can't be changed": ["Object.isFrozen(update)", true],
};

const table: Table = { ...opening, ...writing, ...completing, ...closing };
const entries = Object.entries(table);
const told = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

test("no two rules have the same name", () => {
	const counts = [opening, writing, completing, closing].map((part) => Object.keys(part).length);
	expect(entries).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
});

describe("embedded:update on Node", () => {
	const scope = { flash, update, useUpdater, Updater, board, ApplicationScanner, bootImageFault };

	function run(script: string): string {
		const body = /\breturn\b/.test(script) ? script : `return ${script};`;
		try {
			const value: unknown = new Function(...Object.keys(scope), `${HELPERS}\n${body}`)(
				...Object.values(scope),
			);
			return value === undefined ? "undefined" : JSON.stringify(value);
		} catch (error) {
			return error instanceof Error ? error.constructor.name : String(error);
		}
	}

	test.each(entries)("%s", (_name, [script, expected]) => {
		new UpdaterBench({ running: RUNNING });
		expect(run(script)).toBe(told(expected));
	});

	test.each(["a", "w"] as const)("what mode %s completed boots with the Updater's restart", (mode) => {
		const bench = new UpdaterBench();
		useUpdater(bench.updater);
		const image = firmware("2.0.0", 30_000);
		const ota = update.open({
			partition: flash.open({ path: "nextota" }),
			mode,
			byteLength: image.length,
		});
		for (let at = 0; at < image.length; at += 1460) {
			ota.write(image.subarray(at, at + 1460), mode === "w" ? at : undefined);
		}
		ota.complete();
		ota.close();
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("a power cut at any flash operation of mode w leaves what ran before", () => {
		const image = firmware("2.0.0", 3 * SECTOR);
		for (let at = 0; ; at++) {
			const bench = new UpdaterBench();
			useUpdater(bench.updater);
			bench.flash.control.arm({ at, kind: "power during" });
			try {
				const ota = update.open({ partition: flash.open({ path: "nextota" }), mode: "w" });
				ota.write(image.subarray(5000), 5000);
				ota.write(image.subarray(0, 5000), 0);
				ota.complete();
				expect(at).toBeGreaterThan(3 * 3 * 16);
				break;
			} catch {
				expect(bench.runs()).toBe("1.0.0");
			}
		}
	});
});

describe.skipIf(skipsXS)(`embedded:update in XS${xsNote}`, () => {
	let outcome: Outcome | undefined;
	const options: NativeOptions = { contents: [[0, RUNNING]], helpers: IMPORTS + HELPERS };

	beforeAll(async () => {
		const scripts = entries.map(([name, [script]]): [string, string] => [name, script]);
		outcome = await runNative(Object.fromEntries(scripts), options);
	});

	test.each(entries)("%s", (name, [, expected]) => {
		expect(outcome?.answers.get(name) ?? outcome?.uart).toBe(told(expected));
	});

	test("nothing but nextota was written", () => {
		expect(outcome?.flash.subarray(0, LENGTH)).toEqual(RUNNING);
		const others = [
			outcome?.flash.subarray(LENGTH, NEXTOTA),
			outcome?.flash.subarray(NEXTOTA + NEXTOTA_SIZE),
		];
		expect(others.map((part) => part?.every((byte) => byte === 255))).toEqual([true, true]);
	});

	test("there is no update before there is an Updater", async () => {
		const { answers } = await runNative({ open: "open()" }, options);
		expect(answers.get("open")).toBe("Error");
	});

	test("a flash that fails is told, and ends the update, in mode w too", async () => {
		const script = `const choice = boot();
			const ota = open({ mode: "w", byteLength: length });
			return [
				thrown(() => place(ota, 0, length)),
				thrown(() => ota.write(image(0, 16), 0)),
				thrown(() => ota.complete()),
				choice.staged === undefined,
			]`;
		for (const kind of ["fail", "torn", "ignored"] as const) {
			const { answers } = await runNative({ script }, { ...options, faults: [{ at: 40, kind }] });
			expect(answers.get("script"), kind).toBe('["Error","Error","Error",true]');
		}
	});
});
