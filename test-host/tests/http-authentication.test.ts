/** Who may update through HTTP. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { HTTPAuthentication, type HTTPAuthenticationOptions } from "../../ota/http/authentication";
import { parameter } from "../../ota/http/parameter";
import board from "../shims/board";
import { installGlobals } from "../shims/globals";
import { type AnswerOptions, digestAnswer } from "./digest-answer";

beforeAll(installGlobals);

const USER = "admin";
const PASSWORD = "open sesame";
const REALM = "ota8266";

/** The board's guard, and a clock of its own. */
class Bench {
	/** Milliseconds. */
	now = 0;
	private peers = 0;
	readonly guard: HTTPAuthentication;

	constructor(options: Partial<HTTPAuthenticationOptions> = {}) {
		const uptime = { get: () => this.now };
		this.guard = new HTTPAuthentication({
			board: Object.create(board, { uptime }),
			user: USER,
			password: PASSWORD,
			realm: REALM,
			basic: true,
			...options,
		});
	}

	nonce(): string {
		return parameter(this.guard.challenge(false), "nonce") ?? "";
	}

	/** Each request is of another client, unless one is given: a wrong one makes those of the same wait. */
	check(header: string | undefined, method: string, target: string, peer?: string): string {
		this.peers += 1;
		return this.guard.check(header, method, target, peer ?? `${this.peers}`);
	}

	digest(options: AnswerOptions = {}, peer?: string): string {
		return this.check(digestAnswer({ nonce: this.nonce(), ...options }), "GET", "/update", peer);
	}

	basic(user: string, password: string, peer?: string): string {
		const credentials = Buffer.from(`${user}:${password}`).toString("base64");
		return this.check(`Basic ${credentials}`, "GET", "/update", peer);
	}
}

describe.each(["MD5", "SHA-256"] as const)("Digest with %s", (algorithm) => {
	test("lets in who knows the password", () => {
		expect(new Bench().digest({ algorithm })).toBe("granted");
	});

	test.each([
		{ password: "open" },
		{ user: "Admin" },
		{ realm: "other" },
		{ method: "PUT" },
		{ target: "/" },
		{ target: "/update?" },
	])("keeps out %o", (options) => {
		expect(new Bench().digest({ algorithm, ...options })).toBe("wrong");
	});

	test.each(["nonce", "nc", "cnonce", "qop", "response", "uri", "realm", "username"])(
		"keeps out an answer without its %s",
		(name) => {
			const bench = new Bench();
			const header = digestAnswer({ algorithm, nonce: bench.nonce() });
			const without = header.replace(new RegExp(`\\b${name}=("[^"]*"|[^,]*)`), "x=y");
			expect(without).not.toBe(header);
			expect(bench.check(without, "GET", "/update")).toBe("wrong");
		},
	);

	test("takes the response in either case, and no other one", () => {
		const bench = new Bench();
		const [before = "", response = ""] = digestAnswer({ algorithm, nonce: bench.nonce() }).split("response=");
		for (const changed of [response.replace(/[0-9]/, "x"), response.replace(/^"./, '"'), `"${response}`]) {
			expect(bench.check(`${before}response=${changed}`, "GET", "/update")).toBe("wrong");
		}
		expect(
			bench.check(
				`${before}response=${response.toUpperCase()}`.replace("ALGORITHM", "algorithm"),
				"GET",
				"/update",
			),
		).toBe("granted");
	});
});

describe("the examples of RFC 7616, section 3.9.1,", () => {
	const bench = () =>
		new Bench({ user: "Mufasa", password: "Circle of Life", realm: "http-auth@example.org" });
	const example = (algorithm: "MD5" | "SHA-256", response: string) =>
		`Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="${response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;

	test.each([
		["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
		["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
	] as const)("prove the password with %s, for a nonce that is not ours", (algorithm, response) => {
		expect(bench().check(example(algorithm, response), "GET", "/dir/index.html")).toBe("stale");
		const other = response.replace("8", "9");
		expect(bench().check(example(algorithm, other), "GET", "/dir/index.html")).toBe("wrong");
	});
});

describe("a nonce", () => {
	test("is another one with each challenge, and asked for with both algorithms", () => {
		const { guard } = new Bench();
		const lines = guard.challenge(false).split("\r\n");
		expect(lines.map((line) => /^www-authenticate: (Digest|Basic) realm="ota8266"/.test(line))).toEqual([
			true,
			true,
			true,
		]);
		expect(lines.slice(0, 2).map((line) => parameter(line, "algorithm"))).toEqual(["SHA-256", "MD5"]);
		expect(parameter(lines[0] ?? "", "nonce")).toBe(parameter(lines[1] ?? "", "nonce"));
		expect(parameter(guard.challenge(false), "nonce")).not.toBe(parameter(lines[0] ?? "", "nonce"));
	});

	test("is good for each count once", () => {
		const bench = new Bench();
		const nonce = bench.nonce();
		expect(bench.digest({ nonce, count: 1 })).toBe("granted");
		expect(bench.digest({ nonce, count: 1 })).toBe("stale");
		expect(bench.digest({ nonce, count: "1" })).toBe("stale");
		expect(bench.digest({ nonce, count: 2 })).toBe("granted");
		expect(bench.digest({ nonce, count: 1 })).toBe("stale");
	});

	test("is good for no count that is none", () => {
		for (const count of ["", "0", "00000000", "-1", "x", "g1"])
			expect(new Bench().digest({ count })).not.toBe("granted");
	});

	test("takes counts that come out of order, each once, and none that is 32 behind", () => {
		const bench = new Bench();
		const nonce = bench.nonce();
		const give = (count: number) => bench.digest({ nonce, count });
		expect([40, 9, 10, 38, 39, 38, 41, 10, 9].map(give)).toEqual([
			"granted",
			"granted",
			"granted",
			"granted",
			"granted",
			"stale",
			"granted",
			"stale",
			"stale",
		]);
		expect(give(8)).toBe("stale");
	});

	test("takes no count twice, in whatever order they come", () => {
		const counts = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 60 });
		fc.assert(
			fc.property(counts, (all) => {
				const bench = new Bench();
				const nonce = bench.nonce();
				const granted = new Set<number>();
				let highest = 0;
				for (const count of all) {
					const isNew = !granted.has(count) && count > highest - 32;
					expect(bench.digest({ nonce, count })).toBe(isNew ? "granted" : "stale");
					if (!isNew) continue;
					granted.add(count);
					highest = Math.max(highest, count);
				}
			}),
			{ numRuns: 100 },
		);
	});

	test("is good for five minutes", () => {
		const bench = new Bench();
		bench.now = 7000;
		const nonce = bench.nonce();
		bench.now = 307_999;
		expect(bench.digest({ nonce })).toBe("granted");
		bench.now = 308_000;
		expect(bench.digest({ nonce, count: 2 })).toBe("stale");
	});

	test("of before the clock began anew is stale", () => {
		const bench = new Bench();
		bench.now = 20_000;
		const nonce = bench.nonce();
		bench.now = 0;
		expect(bench.digest({ nonce })).toBe("stale");
	});

	test("of before a restart is stale, which a browser answers without asking anybody", () => {
		const nonce = new Bench().nonce();
		expect(new Bench().digest({ nonce })).toBe("stale");
		expect(
			new Bench().guard
				.challenge(true)
				.split("\r\n")
				.slice(0, 2)
				.every((line) => line.endsWith(", stale=true")),
		).toBe(true);
		expect(new Bench().guard.challenge(false)).not.toContain("stale");
	});

	test("that is forged is stale to who knows the password, and wrong to all others", () => {
		const bench = new Bench();
		const nonce = bench.nonce();
		const forged = [
			"",
			"0",
			nonce.slice(1),
			`${nonce}0`,
			`0000ffff${nonce.slice(8)}`,
			`${nonce.slice(0, 8)}0000ffff${nonce.slice(16)}`,
			nonce.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
		];
		for (const one of forged) {
			expect(bench.digest({ nonce: one })).toBe("stale");
			expect(bench.digest({ nonce: one, password: "guess" })).toBe("wrong");
		}
	});

	test("that is stale is never so to who does not know the password", () => {
		const bench = new Bench();
		const nonce = bench.nonce();
		expect(bench.digest({ nonce })).toBe("granted");
		expect(bench.digest({ nonce, password: "guess" })).toBe("wrong");
		bench.now = 1_000_000;
		expect(bench.digest({ nonce, password: "guess", count: 2 })).toBe("wrong");
	});
});

describe("of many nonces", () => {
	test("four in use stay good, whatever number of them strangers ask for", () => {
		const bench = new Bench();
		const nonces = [1, 2, 3, 4].map(() => bench.nonce());
		for (const nonce of nonces) expect(bench.digest({ nonce })).toBe("granted");
		for (let i = 0; i < 1000; i++) bench.nonce();
		for (const nonce of nonces) expect(bench.digest({ nonce, count: 2 })).toBe("granted");
	});

	test("the fifth makes the oldest in use stale, and all before it", () => {
		const bench = new Bench();
		const unused = bench.nonce();
		const nonces = [1, 2, 3, 4, 5].map(() => bench.nonce());
		for (const nonce of nonces) expect(bench.digest({ nonce })).toBe("granted");
		expect(bench.digest({ nonce: unused })).toBe("stale");
		expect(nonces.map((nonce) => bench.digest({ nonce, count: 2 }))).toEqual([
			"stale",
			"granted",
			"granted",
			"granted",
			"granted",
		]);
	});

	test("none lets a count in twice, in whatever order they are used", () => {
		const uses = fc.array(fc.tuple(fc.nat(11), fc.integer({ min: 1, max: 3 })), { maxLength: 60 });
		fc.assert(
			fc.property(uses, (all) => {
				const bench = new Bench();
				const nonces = Array.from({ length: 12 }, () => bench.nonce());
				const granted = new Set<string>();
				for (const [which, count] of all) {
					const key = `${which} ${count}`;
					const verdict = bench.digest({ nonce: nonces[which] ?? "", count });
					if (granted.has(key)) expect(verdict).toBe("stale");
					if (verdict === "granted") granted.add(key);
				}
			}),
			{ numRuns: 100 },
		);
	});
});

describe("Basic", () => {
	test("lets in who knows user and password", () => {
		expect(new Bench().basic(USER, PASSWORD)).toBe("granted");
	});

	test.each([
		[USER, "open"],
		["root", PASSWORD],
		["", ""],
		[USER, `${PASSWORD} `],
	])("keeps out %s with %s", (user, password) => {
		expect(new Bench().basic(user, password)).toBe("wrong");
	});

	test("is understood in any case, with any space behind it", () => {
		const credentials = Buffer.from(`${USER}:${PASSWORD}`).toString("base64");
		expect(new Bench().check(`bAsIc   ${credentials} `, "PUT", "/")).toBe("granted");
	});

	test("counts for nothing where the owner does not allow it", () => {
		const bench = new Bench({ basic: false });
		expect(bench.basic(USER, PASSWORD)).toBe("none");
		expect(bench.guard.challenge(false)).not.toContain("Basic");
		expect(bench.digest()).toBe("granted");
	});
});

describe("whatever characters user and password have,", () => {
	const words = fc
		.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
		.filter((text) => !/\p{Cc}/u.test(text));

	test("Digest lets them in", () => {
		fc.assert(
			fc.property(words, words, fc.constantFrom("MD5", "SHA-256"), (user, password, algorithm) => {
				const bench = new Bench({ user, password });
				expect(bench.digest({ user, password, algorithm })).toBe("granted");
			}),
		);
	});

	test("Basic lets them in", () => {
		fc.assert(
			fc.property(words, words, (user, password) => {
				expect(new Bench({ user, password }).basic(user, password)).toBe("granted");
			}),
		);
	});

	test.each(['a"b', "a\\b", "a\r\nb", "a\x7f", "ä"])("a realm of %o is refused at the start", (realm) => {
		expect(() => new Bench({ realm })).toThrow("realm");
	});
});

describe("no credentials are", () => {
	test.each([
		["no header", undefined],
		["an empty header", ""],
		["another scheme", "Bearer x"],
		["a scheme alone", "Digest"],
		["another algorithm", 'Digest username="admin", algorithm=SHA-512-256'],
		["a session's algorithm", 'Digest username="admin", algorithm=MD5-sess'],
	])("%s", (_what, header) => {
		const bench = new Bench();
		expect(bench.check(header, "GET", "/")).toBe("none");
		expect(bench.guard.delay).toBe(0);
	});
});

test("the wait for an answer grows with each wrong password, and is over with a right one", () => {
	const bench = new Bench();
	const delays = [1, 2, 3, 4, 5, 6].map((i) => {
		if (i % 2) bench.basic(USER, "guess");
		else bench.digest({ password: "guess" });
		return bench.guard.delay;
	});
	expect(delays).toEqual([1000, 2000, 4000, 8000, 8000, 8000]);
	bench.check(undefined, "GET", "/");
	bench.digest({ nonce: "old" });
	expect(bench.guard.delay).toBe(8000);
	expect(bench.digest()).toBe("granted");
	expect(bench.guard.delay).toBe(0);
});

describe("while an address waits for the answer to a wrong password,", () => {
	test("no other one of its is judged, not even the right one, and none counts", () => {
		const bench = new Bench();
		expect(bench.basic(USER, "guess", "a")).toBe("wrong");
		bench.now = 999;
		expect(bench.basic(USER, PASSWORD, "a")).toBe("wrong");
		expect(bench.digest({}, "a")).toBe("wrong");
		expect(bench.check(undefined, "GET", "/", "a")).toBe("none");
		expect(bench.guard.delay).toBe(1000);
		bench.now = 1000;
		expect(bench.basic(USER, PASSWORD, "a")).toBe("granted");
	});

	test("all others are let in", () => {
		const bench = new Bench();
		bench.basic(USER, "guess", "a");
		expect(bench.digest({}, "b")).toBe("granted");
		expect(bench.basic(USER, PASSWORD, "a")).toBe("wrong");
	});

	test("it waits no longer where the clock begins anew", () => {
		const bench = new Bench();
		bench.now = 0xfffffff0;
		bench.basic(USER, "guess", "a");
		bench.now = 5;
		expect(bench.basic(USER, PASSWORD, "a")).toBe("granted");
	});

	test("four can be kept waiting at a time", () => {
		const bench = new Bench();
		for (const peer of "abcde") bench.basic(USER, "guess", peer);
		expect([..."abcde"].map((peer) => bench.digest({}, peer))).toEqual([
			"granted",
			...Array(4).fill("wrong"),
		]);
	});
});

test("no header makes it throw", () => {
	const piece = fc.constantFrom(
		"Digest ",
		"Basic ",
		"nonce=",
		'qop="auth"',
		"nc=",
		"username=admin,",
		'"',
		"\\",
		",",
		"=",
		"x",
	);
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
			expect(["none", "wrong"]).toContain(new Bench().check(pieces.join(""), "GET", "/"));
		}),
	);
});
