import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ErrorCode, errorText, UpdateError } from "../../ota/errors";

test("the README lists every error as the table has it", () => {
	const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
	const codes = Object.values(ErrorCode).sort((a, b) => a - b);
	const rows = codes.map((code) => `| ${code} | ${errorText(code, "…", "…")} |`);
	const [, listed] = /<!-- errors -->\n([\s\S]*)<!-- \/errors -->/.exec(readme) ?? [];
	expect(listed?.trim()).toBe(["| number | text |", "| --- | --- |", ...rows].join("\n"));
});

test.each([
	[ErrorCode.OK, [], "ERROR[0]: No Error"],
	[ErrorCode.STREAM, [], "ERROR[6]: Stream Read Timeout"],
	[ErrorCode.MD5, ["a", "b"], "ERROR[7]: MD5 verification failed: expected: a, calculated: b"],
	[ErrorCode.FLASH_CONFIG, [1, 2], "ERROR[8]: Flash config wrong: real: 1, SDK: 2"],
	[ErrorCode.NEW_FLASH_CONFIG, [3], "ERROR[9]: new Flash config wrong, real size: 3"],
	[ErrorCode.SIGN, [], "ERROR[12]: Signature verification failed"],
	[ErrorCode.OOM, [], "ERROR[14]: Out of memory"],
	[ErrorCode.UNKNOWN_COMMAND, [], "ERROR[16]: Unknown update command"],
])("error %i with %j prints as the core prints it", (code, values, text) => {
	expect(String(new UpdateError(code, ...values))).toBe(text);
});

test("a number that is none has the core's text", () => {
	expect(errorText(99)).toBe("UNKNOWN");
});
