import { describe, expect, test } from "vitest";
import { parseDevices } from "../../tools/serve/devices";

const MAC = "18:FE:34:AA:BB:CC";

describe("devices.json", () => {
	test("may be empty", () => {
		expect(parseDevices("{}").size).toBe(0);
	});

	test("says of a device its channel, its app, what its boot loader can, and what people call it", () => {
		const entry = { channel: "beta", app: "lamp", gzip: true, label: "kitchen" };
		expect(parseDevices(JSON.stringify({ [MAC]: entry })).find(MAC, undefined)).toEqual(entry);
	});

	test("may leave everything out", () => {
		expect(parseDevices(`{"${MAC}":{}}`).find(MAC, 1)).toMatchObject({ channel: "stable", gzip: false });
	});

	test.each(["18:fe:34:aa:bb:cc", "18-FE-34-AA-BB-CC", "18fe34aabbcc"])("knows the MAC as %s too", (name) => {
		expect(parseDevices(`{"${name}":{}}`).find(MAC, undefined)).toBeDefined();
	});

	test.each(["11189196", "0xAABBCC", "0xaabbcc"])("knows the chip id as %s", (name) => {
		expect(parseDevices(`{"${name}":{}}`).find(MAC, 0xaabbcc)).toBeDefined();
	});

	test("goes by the MAC where it has both", () => {
		const devices = parseDevices(`{"11189196":{"channel":"a"},"${MAC}":{"channel":"b"}}`);
		expect(devices.find(MAC, 11189196)?.channel).toBe("b");
	});

	test("knows no device that it does not name", () => {
		expect(parseDevices(`{"${MAC}":{}}`).find("18:FE:34:AA:BB:CD", 5)).toBeUndefined();
		expect(parseDevices("{}").find("__proto__", undefined)).toBeUndefined();
	});

	test.each([
		["", "JSON"],
		["[]", "the file is to be an object"],
		["null", "the file is to be an object"],
		['{"kitchen":{}}', '"kitchen" is no device'],
		['{"4294967296":{}}', "is no device"],
		['{"__proto__":{}}', "is no device"],
		[`{"${MAC}":{},"${MAC.toLowerCase()}":{}}`, "is there twice"],
		[`{"${MAC}":"beta"}`, "is to be an object"],
		[`{"${MAC}":{"chanel":"beta"}}`, 'unknown "chanel"'],
		[`{"${MAC}":{"channel":"../x"}}`, '"channel" is to be the name of a folder'],
		[`{"${MAC}":{"channel":7}}`, '"channel" is to be'],
		[`{"${MAC}":{"gzip":"yes"}}`, '"gzip" is to be true or false'],
		[`{"${MAC}":{"app":""}}`, '"app" is to be a text of 1 to 64'],
		[`{"${MAC}":{"label":"${"x".repeat(65)}"}}`, '"label" is to be a text'],
	])("%s is faulty", (text, message) => {
		expect(() => parseDevices(text)).toThrow(message);
	});
});
