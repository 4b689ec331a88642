import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareVersions, parseVersion, type Version } from "../../tools/serve/version";

function version(text: string): Version {
	const parsed = parseVersion(text);
	if (!parsed) throw new Error(`${text} is no version`);
	return parsed;
}

const number = fc.nat(30).map(String);
const identifier = fc.oneof(number, fc.stringMatching(/^[a-z-][a-z0-9-]{0,3}$/));
const tail = (sign: string) =>
	fc.array(identifier, { maxLength: 3 }).map((parts) => (parts.length > 0 ? sign + parts.join(".") : ""));
const anyVersion = fc
	.tuple(number, number, number, tail("-"), tail("+"))
	.map(([major, minor, patch, prerelease, build]) =>
		version(`${major}.${minor}.${patch}${prerelease}${build}`),
	);

describe("versions", () => {
	test("come in the order of semver.org, section 11", () => {
		const ordered = [
			..."0.0.0 0.9.0 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2".split(" "),
			..."1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 2.0.0 10.0.0 99999999999999999999.0.0".split(" "),
		].map(version);
		const shuffled = [...ordered].reverse().sort(compareVersions);
		expect(shuffled.map(({ text }) => text)).toEqual(ordered.map(({ text }) => text));
	});

	test.each(["1.0.0", "0.0.0", "1.2.3-rc.1", "1.2.3-0a", "1.2.3+001", "1.2.3-x-y.z+b.7"])(
		"%s is one",
		(text) => {
			expect(parseVersion(text)?.text).toBe(text);
		},
	);

	test.each([
		..."1 1.0 1.0.0.0 01.0.0 1.0.00 v1.0.0 1.0.0- 1.0.0-01 1.0.0-a..b 1.0.0+ 1.0.0+a..b 1.0.0_1 -1.0.0".split(
			" ",
		),
		"",
		"1.0.0 ",
		"1.0.0\n",
	])("%j is none", (text) => {
		expect(parseVersion(text)).toBeUndefined();
	});

	test("are ordered totally: equal for the same text only, and never in a circle", () => {
		fc.assert(
			fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
				expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
				expect(compareVersions(a, b) === 0).toBe(a.text === b.text);
				if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
					expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
				}
			}),
		);
	});
});
