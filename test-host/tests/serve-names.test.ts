import { describe, expect, test } from "vitest";
import { isChannelName, parseImageName } from "../../tools/serve/image-name";

describe("the name of an image", () => {
	test.each([
		["lamp-1.2.0.bin", "lamp", "1.2.0", "firmware", false, false],
		["lamp-1.2.0.bin.gz", "lamp", "1.2.0", "firmware", true, false],
		["lamp-1.2.0.bin.signed", "lamp", "1.2.0", "firmware", false, true],
		["lamp-1.2.0.bin.gz.signed", "lamp", "1.2.0", "firmware", true, true],
		["lamp-1.2.0.fs.bin", "lamp", "1.2.0", "filesystem", false, false],
		["lamp-1.2.0.fs.bin.gz.signed", "lamp", "1.2.0", "filesystem", true, true],
		["lamp-1.2.0-rc.1.bin", "lamp", "1.2.0-rc.1", "firmware", false, false],
		["lamp-1.2.0-rc.1+b7.fs.bin.gz", "lamp", "1.2.0-rc.1+b7", "filesystem", true, false],
		["my-lamp_2.0-v3-1.2.0.bin", "my-lamp_2.0-v3", "1.2.0", "firmware", false, false],
		["esp-12-1.0.0.bin", "esp-12", "1.0.0", "firmware", false, false],
	])("%s says what it is", (file, app, text, kind, gzip, signed) => {
		expect(parseImageName(file)).toMatchObject({ app, version: { text }, kind, gzip, signed });
	});

	test.each([
		"lamp.bin",
		"lamp-1.2.bin",
		"lamp-v1.2.0.bin",
		"lamp-1.2.0",
		"lamp-1.2.0.BIN",
		"lamp-1.2.0.bin.signed.gz",
		"lamp-1.2.0.bin.gz.gz",
		"lamp-01.2.0.bin",
		"-1.2.0.bin",
		".lamp-1.2.0.bin",
		"../lamp-1.2.0.bin",
		"a/lamp-1.2.0.bin",
		"lamp-1.2.0.bin\n",
		"lamp\0-1.2.0.bin",
		`${"x".repeat(65)}-1.2.0.bin`,
		`lamp-1.2.0-${"x".repeat(250)}.bin`,
	])("%j is none", (file) => {
		expect(parseImageName(file)).toBeUndefined();
	});

	test("that is made to be slow is read at once", () => {
		const start = performance.now();
		parseImageName(`a${"-1.1.1".repeat(40)}`);
		expect(performance.now() - start).toBeLessThan(50);
	});
});

describe("the name of a channel", () => {
	test.each(["stable", "beta-2", "v1.0", "A_b"])("may be %s", (name) => {
		expect(isChannelName(name)).toBe(true);
	});

	test.each(["", ".", "..", ".git", "a/b", "a\\b", "-x", "ä", "a b", "a\0", "x".repeat(33)])(
		"may not be %j",
		(name) => {
			expect(isChannelName(name)).toBe(false);
		},
	);
});
