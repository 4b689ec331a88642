/** The stand-ins for the SDK's module embedded:storage/key-value: the same on both engines, down to the flash. */
import { compileFunction } from "node:vm";
import { describe, expect, test } from "vitest";
import keyValue from "../shims/key-value";
import { engines } from "./engines";
import { chipForTest } from "./shim-bench";
import { get } from "./temporary-flash";
import { container, FLASH_SIZE, main, start } from "./xs-bench";

const PREFERENCES = 0xe9000;
const SECTOR = 4096;
const HELPERS = `
	const store = (path = "bench", mode = "r+") => storage.open({ path, mode, format: "buffer" });
	const bytes = (...values) => Uint8Array.from(values);
	const told = (value) => value === undefined ? "none" : new Uint8Array(value).join();
	const errorOf = (operate) => { try { operate(); return "nothing"; } catch (e) { return e.constructor.name; } };`;

interface Outcome {
	uart: string;
	/** The two sectors. */
	flash: Uint8Array;
}

async function run(engine: string, body: string): Promise<Outcome> {
	if (engine === "xs") {
		const application = main(
			`${HELPERS}${body}\ntrace(";");`,
			'import storage from "embedded:storage/key-value";',
		);
		const host = start(container([application]));
		await host.says(";");
		return { uart: host.uart().slice(0, -1), flash: host.flash(PREFERENCES, 2 * SECTOR) };
	}
	let uart = "";
	const { flash } = chipForTest({}, FLASH_SIZE);
	const trace = (text: unknown) => {
		uart += text;
	};
	compileFunction(HELPERS + body, ["storage", "trace"])(keyValue, trace);
	return { uart, flash: get(flash, PREFERENCES, 2 * SECTOR) };
}

describe.each(engines)("key-value storage on %s", (engine) => {
	const value = async (body: string) => (await run(engine, body)).uart;

	test("gives what was written last, of each path and key by itself", async () => {
		const body = `
			store().write("a", bytes(1, 2)); store().write("b", bytes()); store("other").write("a", bytes(9));
			store().write("a", bytes(3, 0, 255));
			trace([told(store().read("a")), told(store().read("b")), told(store("other").read("a")), told(store().read("c"))].join("|"));`;
		expect(await value(body)).toBe("3,0,255||9|none");
	});

	test("forgets what is deleted", async () => {
		const body = `store().write("a", bytes(1)); store().delete("a"); store().delete("b"); trace(told(store().read("a")));`;
		expect(await value(body)).toBe("none");
	});

	test("writes nothing that was opened to read, nor what is too long, nor where it is closed", async () => {
		const body = `
			const closed = store(); closed.close(); closed.close();
			trace([() => store("bench", "r").write("a", bytes(1)), () => store("bench", "r").delete("a"),
				() => store().write("a", new Uint8Array(64)), () => store().write("a", new Uint8Array(63)),
				() => closed.read("a"), () => closed.write("a", bytes(1)), () => store(""), () => store("p".repeat(32)),
				() => store("p".repeat(31)), () => store("p", "w"), () => storage.open({}),
				() => storage.open({ path: "p", format: "utf8" })].map(errorOf));`;
		expect(await value(body)).toBe(
			"Error,Error,Error,nothing,SyntaxError,SyntaxError,Error,Error,nothing,Error,Error,RangeError",
		);
	});

	test("goes on in the other sector when one is full, with what counts", async () => {
		const body = `
			store().write("kept", bytes(7));
			for (let i = 0; i < 1000; i++) store().write("k" + i % 5, bytes(i & 255, i >> 8));
			trace([told(store().read("kept")), told(store().read("k4")), told(store().read("k0"))].join("|"));`;
		expect(await value(body)).toBe("7|231,3|227,3");
	});

	test("is full some time, and says so", async () => {
		const body = `
			let count = 0;
			while (errorOf(() => store().write("k" + count, new Uint8Array(60))) === "nothing") count++;
			trace(count + "|" + told(store().read("k0")).length);`;
		// 72 bytes up to k9, 76 then.
		expect(await value(body)).toBe("54|119");
	});
});

test("both engines leave the same bytes in the flash", async () => {
	const body = `
		for (let i = 0; i < 300; i++) {
			store(i % 3 ? "a" : "bench").write("key" + i % 7, new Uint8Array(i % 40).fill(i));
			if (i % 11 === 0) store().delete("key" + i % 5);
		}`;
	const [node, xs] = [await run("node", body), await run("xs", body)];
	expect(xs.flash).toEqual(node.flash);
	expect(node.flash.filter((byte) => byte !== 0xff).length).toBeGreaterThan(3000);
});
