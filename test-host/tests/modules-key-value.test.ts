/** The chip's own embedded:storage/key-value, over the SDK's preferences. */
import { expect, test } from "vitest";
import storage from "../../modules/key-value/key-value";
import { chipForTest } from "./shim-bench";
import { FLASH_SIZE } from "./xs-bench";

const store = (path = "bench", mode: "r" | "r+" = "r+") => {
	return storage.open({ path, mode, format: "buffer" });
};
const told = (value: ArrayBuffer | undefined) => value && [...new Uint8Array(value)];

test("gives what was written last, of each path and key by itself", () => {
	chipForTest({}, FLASH_SIZE);
	store().write("a", Uint8Array.of(1, 2));
	store("other").write("a", Uint8Array.of(9).buffer);
	store().write("a", Uint8Array.of(7, 3, 0, 255).subarray(1));
	store().write("empty", new Uint8Array());
	const values = [store().read("a"), store().read("empty"), store("other").read("a"), store().read("c")];
	expect(values.map(told)).toEqual([[3, 0, 255], [], [9], undefined]);
	store().delete("a");
	expect([store().read("a"), store("other").read("a")].map(told)).toEqual([undefined, [9]]);
});

test("refuses to write where it was opened to read, and everything once it is closed", () => {
	chipForTest({}, FLASH_SIZE);
	const reader = store("bench", "r");
	expect(() => reader.write("a", Uint8Array.of(1))).toThrow("read-only");
	expect(() => reader.delete("a")).toThrow("read-only");
	expect(reader.read("a")).toBeUndefined();
	const closed = store();
	closed.close();
	closed.close();
	expect(() => closed.read("a")).toThrow(SyntaxError);
	expect(() => closed.write("a", Uint8Array.of(1))).toThrow(SyntaxError);
});

test("takes values of up to 63 bytes, and leaves longer ones to the caller", () => {
	chipForTest({}, FLASH_SIZE);
	store().write("a", new Uint8Array(63).fill(1));
	expect(store().read("a")?.byteLength).toBe(63);
	expect(() => store().write("a", new Uint8Array(64))).toThrow("can't save prefs");
});

test.each([
	["no path", { path: "" }, "invalid path"],
	["a path of 32 characters", { path: "p".repeat(32) }, "invalid path"],
])("does not open with %s", (_, options, reason) => {
	expect(() => storage.open(options)).toThrow(reason);
});
