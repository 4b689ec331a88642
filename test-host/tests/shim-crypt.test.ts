import { describe, expect, test } from "vitest";
import { Digest } from "../shims/crypt";

/** Of "abc": RFC 1321, FIPS 180. */
const known = [
	["MD5", "900150983cd24fb0d6963f7d28e17f72"],
	["SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"],
	["SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
] as const;

const hex = (bytes: ArrayBuffer) => Buffer.from(bytes).toString("hex");

function digestOf(...parts: readonly unknown[]): string {
	const digest = new Digest("SHA256");
	for (const part of parts) digest.write(part);
	return hex(digest.close());
}

describe.each(known)("%s", (type, answer) => {
	test("gives the standard's answer, as an ArrayBuffer of its own", () => {
		const digest = new Digest(type);
		digest.write("abc");
		const bytes = digest.close();
		expect(bytes).toBeInstanceOf(ArrayBuffer);
		expect(bytes.byteLength).toBe(answer.length / 2);
		expect(hex(bytes)).toBe(answer);
	});

	test("gives the same for the same bytes in pieces", () => {
		const digest = new Digest(type);
		for (const part of ["a", "", new Uint8Array(0), "b", Buffer.from("c")]) digest.write(part);
		expect(hex(digest.close())).toBe(answer);
	});

	test("starts anew with reset, in the middle and after close", () => {
		const digest = new Digest(type);
		digest.write("something else");
		digest.reset();
		digest.write("abc");
		expect(hex(digest.close())).toBe(answer);
		digest.reset();
		digest.write("abc");
		expect(hex(digest.close())).toBe(answer);
	});
});

test("a string counts as its UTF-8 bytes", () => {
	expect(digestOf("ä€😀")).toBe(digestOf(Buffer.from("ä€😀", "utf8")));
});

test("an ArrayBuffer counts whole, a view with its own bytes", () => {
	const bytes = new Uint8Array(Buffer.from("xabcx"));
	const abc = digestOf("abc");
	expect(digestOf(bytes.slice(1, 4).buffer)).toBe(abc);
	expect(digestOf(bytes.subarray(1, 4))).toBe(abc);
	expect(digestOf(new Int8Array(bytes.buffer, 1, 3))).toBe(abc);
	expect(digestOf(new DataView(bytes.buffer, 1, 3))).toBe(abc);
});

test("nothing written has a digest too", () => {
	expect(digestOf()).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("what is neither text nor bytes is a TypeError", () => {
	for (const wrong of [5, undefined, null, {}, [1, 2], new Uint16Array(1)]) {
		expect(() => digestOf(wrong)).toThrow(TypeError);
	}
});

test("an unknown digest is an Error", () => {
	expect(() => new Digest("MD4")).toThrow("crypt: unsupported digest");
});

test("between close and reset there is nothing to write to or to close", () => {
	const digest = new Digest("MD5");
	digest.close();
	expect(() => digest.write("abc")).toThrow(Error);
	expect(() => digest.close()).toThrow(Error);
});
