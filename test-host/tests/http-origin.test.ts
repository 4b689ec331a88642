/** Who sent a browser to the board. */
import { describe, expect, test } from "vitest";
import { isOwnHost, isOwnOrigin } from "../../ota/http/origin";

const NAME = "esp8266-abcdef";

describe("the Host header", () => {
	test.each([
		undefined,
		"192.168.4.1",
		"192.168.4.1:8080",
		"[fe80::1]",
		"[fe80::1]:80",
		"localhost",
		"LOCALHOST:8080",
		"esp8266-abcdef",
		"ESP8266-ABCDEF",
		"esp8266-abcdef.local",
		"esp8266-abcdef.local.",
		"esp8266-abcdef.local:80",
		"esp8266-abcdef-2.local",
		"esp8266-abcdef-9",
	])("%s is the board's", (host) => {
		expect(isOwnHost(host, NAME)).toBe(true);
	});

	test.each([
		"",
		"evil.example",
		"evil.example:80",
		"192.168.4.1.evil.example",
		"1.2.3.4a",
		"esp8266-abcdef.evil.example",
		"esp8266-abcdef.local.evil.example",
		"evil-esp8266-abcdef.local",
		"esp8266-abcdef-x.local",
		"esp8266-abcdef-.local",
		"esp8266-abcdef-23.local",
		"xesp8266-abcdef",
		"esp8266-abcdef..",
		".local",
		"evil.example:192.168.4.1",
	])("%s is not", (host) => {
		expect(isOwnHost(host, NAME)).toBe(false);
	});

	test("a name of the application's counts in any case", () => {
		expect(isOwnHost("kitchen.local", "Kitchen")).toBe(true);
		expect(isOwnHost("kitchen-2.local", "Kitchen")).toBe(true);
		expect(isOwnHost(`${NAME}.local`, "Kitchen")).toBe(false);
	});
});

describe("the sender of what changes something", () => {
	const own = (headers: Record<string, string>) =>
		isOwnOrigin(new Map(Object.entries({ host: "board.local:8080", ...headers })));

	test("a tool sends neither header, and may", () => {
		expect(own({})).toBe(true);
	});

	test.each([
		{ origin: "http://board.local:8080" },
		{ origin: "HTTP://BOARD.local:8080" },
		{ origin: "https://board.local:8080" },
		{ origin: "http://board.local:8080", "sec-fetch-site": "same-origin" },
		{ "sec-fetch-site": "none" },
	])("%o is the board's own page, or the user", (headers) => {
		expect(own(headers as Record<string, string>)).toBe(true);
	});

	test.each([
		{ origin: "http://evil.example" },
		{ origin: "null" },
		{ origin: "" },
		{ origin: "http://board.local" },
		{ origin: "http://board.local:80800" },
		{ origin: "http://board.local:8080.evil.example" },
		{ origin: "ftp://board.local:8080" },
		{ "sec-fetch-site": "cross-site" },
		{ "sec-fetch-site": "same-site" },
		{ "sec-fetch-site": "" },
		{ origin: "http://board.local:8080", "sec-fetch-site": "cross-site" },
		{ origin: "http://evil.example", "sec-fetch-site": "same-origin" },
	])("%o is a stranger's page", (headers) => {
		expect(own(headers as Record<string, string>)).toBe(false);
	});

	test("without a Host no origin is the board's", () => {
		expect(isOwnOrigin(new Map([["origin", "http://undefined"]]))).toBe(false);
	});
});
