/** Parameters of headers, as clients write them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parameter } from "../../ota/http/parameter";

test("a value may stand in quotes or not", () => {
	expect(parameter("multipart/form-data; boundary=abc", "boundary")).toBe("abc");
	expect(parameter('multipart/form-data; boundary="a b;c,d"', "boundary")).toBe("a b;c,d");
});

test("the name counts in any case", () => {
	expect(parameter("multipart/form-data; BounDary=abc", "boundary")).toBe("abc");
});

test("space around the separators does not matter, nor do empty parameters", () => {
	expect(parameter("form-data ;\tname=a ; ; filename=b", "filename")).toBe("b");
	expect(parameter(";;,name=a", "name")).toBe("a");
});

test("commas separate the parameters of Digest", () => {
	const header = 'Digest username="admin",realm="a, b", nc=00000001,qop=auth';
	expect(["username", "realm", "nc", "qop"].map((name) => parameter(header, name))).toEqual([
		"admin",
		"a, b",
		"00000001",
		"auth",
	]);
});

test("a backslash in quotes stands for the character behind it", () => {
	expect(parameter('form-data; name="a\\"b\\\\c\\d"', "name")).toBe('a"b\\cd');
	expect(parameter('form-data; filename="\\"; name=evil"; name=good', "name")).toBe("good");
});

test("a value may be empty", () => {
	expect(parameter("a=; b=c", "a")).toBe("");
	expect(parameter('a=""; b=c', "a")).toBe("");
	expect(parameter("b=c; a=", "a")).toBe("");
});

test("the first of two counts", () => {
	expect(parameter('form-data; name="firmware"; name="filesystem"', "name")).toBe("firmware");
});

test.each([
	["absent", "form-data; filename=name"],
	["of a longer name", "form-data; filename=a; name*=UTF-8''b; xname=c"],
	["a word without a value", "form-data; name"],
	["in another one's quotes", 'form-data; filename="; name=a"'],
	["in quotes that do not end", 'form-data; name="a'],
	["behind quotes that do not end", 'form-data; filename="a\\"; name=b'],
	["behind a space and the sign", "form-data; name =a"],
])("a parameter that is %s is none", (_why, header) => {
	expect(parameter(header, "name")).toBeUndefined();
});

test("what was quoted comes back, whatever it is", () => {
	const text = fc.array(fc.nat(255), { maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes));
	fc.assert(
		fc.property(text, text, (first, second) => {
			const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
			const header = `form-data; filename=${quote(first)}; name=${quote(second)}`;
			expect([parameter(header, "filename"), parameter(header, "name")]).toEqual([first, second]);
		}),
		{ numRuns: 500 },
	);
});

test("no header makes it throw or run for ever", () => {
	const text = fc.array(fc.constantFrom(...'name=;, \t"\\ab'), { maxLength: 60 });
	fc.assert(
		fc.property(text, (characters) => {
			const header = characters.join("");
			const value = parameter(header, "name");
			expect(value === undefined || value.length < header.length).toBe(true);
		}),
		{ numRuns: 2000 },
	);
});
