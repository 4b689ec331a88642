import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { type Challenge, parseChallenges } from "../../tools/http-upload/challenge";
import { type DigestChallenge, digestAuthorization, digestChallenge } from "../../tools/http-upload/digest";
import { Login, type LoginOptions } from "../../tools/http-upload/login";
import { FakeWebUpdate } from "./fake-web-update";

const hasCurl = Boolean(process.env.CI) || spawnSync("curl", ["--version"]).status === 0;
const signal = new AbortController().signal;

function plain(header: string): [string, Record<string, string>][] {
	return parseChallenges(header).map(({ scheme, params }) => [scheme, Object.fromEntries(params)]);
}

describe("a header with challenges", () => {
	test("is read: schemes and names in any case, quotes, escapes, commas", () => {
		expect(plain('DIGEST Realm="a \\"b\\", c\\\\", qop = auth ,NONCE="x=,y"')).toEqual([
			["digest", { realm: 'a "b", c\\', qop: "auth", nonce: "x=,y" }],
		]);
	});

	test("may have several, of which some have no parameters or a word in their place", () => {
		expect(plain('Negotiate, NTLM dGVzdA==, Basic realm="a", ,Digest realm=b,nonce="c"')).toEqual([
			["negotiate", {}],
			["ntlm", {}],
			["basic", { realm: "a" }],
			["digest", { realm: "b", nonce: "c" }],
		]);
	});

	test.each([
		["", []],
		[" , ,", []],
		["Basic", [["basic", {}]]],
		['Basic realm=""', [["basic", { realm: "" }]]],
		['Basic realm="open', [["basic", {}]]],
		[
			'Basic realm="a", Digest realm="open',
			[
				["basic", { realm: "a" }],
				["digest", {}],
			],
		],
		["=", []],
	])("%j gives what is whole in it", (header, challenges) => {
		expect(plain(header)).toEqual(challenges);
	});

	const word = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
	const text = fc.string({ unit: "grapheme-ascii", maxLength: 20 });
	const params = fc.uniqueArray(fc.tuple(word, text), {
		selector: ([name]) => name.toLowerCase(),
		maxLength: 5,
	});
	const gap = fc.constantFrom(",", ", ", " ,", " , ,\t");
	const equals = fc.constantFrom("=", " =", "= ");

	test("property: what was written is read", () => {
		const headers = fc.array(fc.tuple(word, params, gap, equals), { maxLength: 4 });
		fc.assert(
			fc.property(headers, gap, (challenges, between) => {
				const header = challenges
					.map(([scheme, all, comma, is]) => {
						const list = all.map(([name, value]) => `${name}${is}"${value.replace(/["\\]/g, "\\$&")}"`);
						return `${scheme} ${list.join(comma)}`.trimEnd();
					})
					.join(between);
				expect(plain(header)).toEqual(
					challenges.map(([scheme, all]) => [
						scheme.toLowerCase(),
						Object.fromEntries(all.map(([name, value]) => [name.toLowerCase(), value])),
					]),
				);
			}),
		);
	});

	test("property: anything else is read without an error", () => {
		const scraps = fc.array(fc.oneof(fc.constantFrom("Basic ", "Digest ", '"', "\\", "=", ","), text));
		fc.assert(
			fc.property(scraps, (parts) => {
				parseChallenges(parts.join(""));
			}),
		);
	});
});

describe("Digest", () => {
	const shared =
		'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

	function digest(header: string): DigestChallenge {
		const challenge = parseChallenges(header).flatMap((one) => digestChallenge(one) ?? [])[0];
		if (!challenge) throw new Error("no challenge that can be met");
		return challenge;
	}

	test.each([
		["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
		["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
	])("answers as in RFC 7616, section 3.9.1: %s", (algorithm, response) => {
		const header = digestAuthorization({
			challenge: digest(`Digest ${shared}, algorithm=${algorithm}`),
			user: "Mufasa",
			password: "Circle of Life",
			method: "GET",
			target: "/dir/index.html",
			count: 1,
			cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		});
		const [answer] = parseChallenges(header);
		expect(Object.fromEntries(answer?.params ?? [])).toEqual({
			username: "Mufasa",
			realm: "http-auth@example.org",
			uri: "/dir/index.html",
			algorithm,
			nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
			nc: "00000001",
			cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
			qop: "auth",
			response,
			opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
		});
	});

	test("of a server without qop is RFC 2069's, with neither count nor cnonce", () => {
		const header = digestAuthorization({
			challenge: digest('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'),
			user: "Mufasa",
			password: "Circle Of Life",
			method: "GET",
			target: "/dir/index.html",
			count: 1,
			cnonce: "x",
		});
		expect(header).not.toMatch(/qop|nc=|cnonce|opaque|algorithm/);
		// Erratum 749 of RFC 2069 has the right digest of its example.
		expect(header).toContain('response="670fd8c2df070c60b045671b8b24ff02"');
	});

	test.each([
		["another algorithm", 'Digest realm="a", nonce="b", algorithm=SHA-512-256'],
		["a session's", 'Digest realm="a", nonce="b", algorithm=MD5-sess'],
		["integrity alone", 'Digest realm="a", nonce="b", qop="auth-int"'],
		["no nonce", 'Digest realm="a"'],
		["another scheme", 'Bearer realm="a", nonce="b"'],
	])("is not possible with %s", (_, header) => {
		expect(parseChallenges(header).map(digestChallenge)).toEqual([undefined]);
	});

	test("quotes a user's name, whose other letters go as UTF-8", () => {
		const [answer] = parseChallenges(authorizationFor('J"ö\\rg'));
		expect(Buffer.from(answer?.params.get("username") ?? "", "latin1").toString()).toBe('J"ö\\rg');
	});

	test("has the nonce before the cnonce, as the Arduino core's search for it wants", () => {
		expect(authorizationFor("admin").indexOf('nonce="')).toBeLessThan(
			authorizationFor("admin").indexOf("cnonce"),
		);
	});

	function authorizationFor(user: string): string {
		const challenge = digest(`Digest ${shared}`);
		return digestAuthorization({
			challenge,
			user,
			password: "secret",
			method: "GET",
			target: "/",
			count: 1,
			cnonce: "0123",
		});
	}

	test.runIf(hasCurl).each(["md5", "sha-256"] as const)(
		"with %s: what the tests' board takes, curl sends",
		async (kind) => {
			const board = await FakeWebUpdate.start({ login: [kind] });
			const args = [
				"--silent",
				"--digest",
				"--user",
				"admin:secret",
				"--write-out",
				"%{http_code}",
				board.url.href,
			];
			const { stdout } = await promisify(execFile)("curl", args);
			board.close();
			expect(stdout).toMatch(/200$/);
		},
	);
});

describe("a login", () => {
	function login(options: Partial<LoginOptions> = {}): Login {
		return new Login({ user: "admin", password: "secret", secure: false, signal, ...options });
	}

	const basic = 'Basic realm="a"';
	const md5 = 'Digest realm="a", nonce="m", qop="auth"';
	const sha256 = 'Digest realm="a", nonce="s", qop="auth", algorithm=SHA-256';

	test("sends nothing before the board asks", () => {
		expect(login().authorization("GET", "/")).toBeUndefined();
	});

	test.each([
		["SHA-256", [basic, md5, sha256], /^Digest .*algorithm=SHA-256/],
		["SHA-256 in one header with the others", [`${md5}, ${basic}, ${sha256}`], /^Digest .*algorithm=SHA-256/],
		["MD5", [basic, md5], /^Digest .*nonce="m"/],
		["Basic", [basic], /^Basic YWRtaW46c2VjcmV0$/],
		[
			"what can be met",
			["Negotiate", 'Digest realm="a", nonce="b", algorithm=SHA-512-256', basic],
			/^Basic /,
		],
	])("takes the strongest: %s", async (_, headers, expected) => {
		const one = login();
		await one.challenged(headers);
		expect(one.authorization("GET", "/")).toMatch(expected);
	});

	test("counts the requests of a nonce, each with another cnonce", async () => {
		const one = login();
		await one.challenged([md5]);
		const both = [one.authorization("GET", "/"), one.authorization("PUT", "/")].map(
			(header) => parseChallenges(header ?? "")[0] ?? ({ scheme: "", params: new Map() } satisfies Challenge),
		);
		expect(both.map(({ params }) => params.get("nc"))).toEqual(["00000001", "00000002"]);
		expect(both[0]?.params.get("cnonce")).not.toBe(both[1]?.params.get("cnonce"));
	});

	test("begins to count anew with another nonce", async () => {
		const one = login();
		await one.challenged([md5]);
		one.authorization("GET", "/");
		await one.challenged([`${sha256}, stale=TRUE`]);
		expect(one.authorization("GET", "/")).toMatch(/nonce="s".*nc=00000001/);
	});

	test("that the board has refused is not tried again", async () => {
		const one = login();
		await one.challenged([md5]);
		await expect(one.challenged([md5])).rejects.toMatchObject({ code: ErrorCode.WEB_AUTHENTICATION });
	});

	test("says once that a password goes in clear, and not where the connection is encrypted", async () => {
		let said = 0;
		const onCleartext = (): void => {
			said += 1;
		};
		await login({ onCleartext }).challenged([basic]);
		expect(said).toBe(1);
		await login({ onCleartext, secure: true }).challenged([basic]);
		await login({ onCleartext }).challenged([md5, basic]);
		expect(said).toBe(1);
	});

	test.each([[[]], [["Negotiate"]]])("of another kind is named: %j", async (headers) => {
		await expect(login().challenged(headers)).rejects.toMatchObject({ code: ErrorCode.BAD_ANSWER });
	});

	test.each([undefined, "", async () => undefined])("needs a password", async (password) => {
		const asked = login({ password }).challenged([md5]);
		await expect(asked).rejects.toMatchObject({ code: ErrorCode.PASSWORD_NEEDED });
	});

	test("is abandoned with Ctrl-C at the question for the password", async () => {
		const stop = new AbortController();
		const password = async (): Promise<undefined> => {
			stop.abort();
			return undefined;
		};
		const asked = login({ password, signal: stop.signal }).challenged([md5]);
		await expect(asked).rejects.toMatchObject({ code: ErrorCode.STOPPED });
	});
});
