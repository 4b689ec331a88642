/** Signed updates through the Updater: what it chooses, what it refuses, and that nothing is chosen then. */
import { sign } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { COMMAND_LENGTH, decodeCommand } from "../../ota/eboot";
import { ErrorCode } from "../../ota/errors";
import { Signatures, type SignaturesOptions } from "../../ota/signature/signatures";
import { readExpectation } from "../../ota/verdict";
import { withClaims } from "../../tools/image/claims";
import { file, signedBy, textOf } from "./signature-bench";
import { ecPair, rsaPair, temporaryFolder, withFlip } from "./signing-bench";
import { board, codeOf, firmware, md5, OLD, UpdaterBench } from "./updater-bench";

const folder = temporaryFolder();
const rsa = rsaPair(folder, "rsa");
const p256 = ecPair(folder, "p256");
const other = rsaPair(folder, "other");
const NEW = firmware("2.0.0", 30_000);
const GZIP = gzipSync(NEW);
const { SIGN, IMAGE, INCOMPLETE, MD5, VERSION_COUNTER, OTHER_BOARD, OTHER_FLASH } = ErrorCode;

function benchOf(options: Partial<SignaturesOptions> = {}): UpdaterBench {
	return new UpdaterBench({ signatures: () => new Signatures({ keys: textOf(rsa), ...options }) });
}

/** With what error it is refused: nothing is chosen then, and the old firmware runs on. */
function refused(bytes: Uint8Array, options: Partial<SignaturesOptions> = {}): ErrorCode | undefined {
	const bench = benchOf(options);
	const code = codeOf(() => bench.update(bytes));
	expect(bench.updater.busy).toBe(false);
	expect(bench.updater.last).toMatchObject({ result: "failed", error: { code } });
	expect(readExpectation(board)).toBeUndefined();
	bench.restart();
	expect(bench.hasCommand).toBe(false);
	expect(bench.runs()).toBe("1.0.0");
	return code;
}

function textOfError(bytes: Uint8Array, options: Partial<SignaturesOptions>): string {
	const told: string[] = [];
	expect(
		codeOf(() => benchOf(options).update(bytes, { onError: (error) => told.push(String(error)) })),
	).toBeDefined();
	return told.join();
}

describe("a signed firmware", () => {
	test.each([
		["RSA", rsa, NEW],
		["P-256", p256, NEW],
		["RSA, compressed", rsa, GZIP],
		["P-256, compressed", p256, GZIP],
	])("is installed without its signature: %s", (_, pair, payload) => {
		const bench = benchOf({ keys: textOf(pair) });
		bench.update(signedBy(pair, payload));
		bench.restart();
		const block = new Uint8Array(COMMAND_LENGTH);
		bench.rtc.read(0, block);
		expect(decodeCommand(block)?.size).toBe(payload.length);
		expect(bench.runs()).toBe("2.0.0");
	});

	test("is what the verdict expects: its size and MD5 without the signature, the flash mode as sent", () => {
		const bench = benchOf();
		const quad = NEW.slice();
		quad[2] = 0;
		bench.update(signedBy(rsa, quad));
		expect(readExpectation(board)).toMatchObject({ size: quad.length, digest: md5(quad), flashMode: 0 });
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
		expect(bench.get(0, 4)[2]).toBe(OLD[2]);
	});

	test.each([4096 * 7 - 260, 4096 * 7 - 256, 4096 * 7 - 4, 4096 * 7, 4096 * 7 + 4])(
		"of %i bytes, where the signature crosses sectors, is installed",
		(length) => {
			const bench = benchOf();
			bench.update(signedBy(rsa, firmware("2.0.0", length)));
			bench.restart();
			expect(bench.runs()).toBe("2.0.0");
		},
	);

	test("of unknown length is installed", () => {
		const bench = benchOf();
		bench.update(signedBy(rsa, NEW), { byteLength: undefined });
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});

	test("still has to have the MD5 that was announced", () => {
		const bench = benchOf();
		expect(codeOf(() => bench.update(signedBy(rsa, NEW), { md5: md5(NEW) }))).toBe(MD5);
	});

	test("in the legacy form is installed where that is allowed", () => {
		const bytes = signedBy(rsa, NEW, true);
		expect(refused(bytes)).toBe(SIGN);
		const bench = benchOf({ allowLegacy: true });
		bench.update(bytes);
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
	});
});

describe("a board with a key refuses, and chooses nothing:", () => {
	const bytes = signedBy(rsa, NEW);

	test.each([
		["an unsigned firmware", NEW],
		["an unsigned gzip", GZIP],
		["another key's signature", signedBy(other, NEW)],
		["another type of key's signature", signedBy(p256, NEW)],
		["a second trailer behind the first", file(bytes, sign("sha256", NEW, rsa.privatePEM))],
		["a length of 0", file(NEW, sign("sha256", NEW, rsa.privatePEM), 0)],
		["a length of 512, of another size of key", file(NEW, sign("sha256", NEW, rsa.privatePEM), 512)],
		["a huge length", file(NEW, sign("sha256", NEW, rsa.privatePEM), 0xffffffff)],
		["a signature of something else", file(NEW, sign("sha256", GZIP, rsa.privatePEM))],
	])("%s", (_, image) => {
		expect(refused(image)).toBe(SIGN);
	});

	test("a flip, wherever it is", () => {
		const { length } = bytes;
		const places = [2, 4000, 8100, 20_000, 29_999, 30_000, 30_100, length - 5, length - 4, length - 1];
		for (const at of places) expect([at, refused(withFlip(bytes, at))]).toEqual([at, SIGN]);
	});

	test("a flash mode that is not the signed one", () => {
		const quad = bytes.slice();
		quad[2] = 0;
		expect(refused(quad)).toBe(SIGN);
	});

	test("a signed gzip that is cut short, and one that is none to the end", () => {
		expect(refused(signedBy(rsa, GZIP.subarray(0, 5000)))).toBe(IMAGE);
		expect(refused(signedBy(rsa, GZIP.subarray(0, 10)))).toBe(IMAGE);
	});

	test("a signed firmware whose application goes on into the signature", () => {
		expect(refused(signedBy(rsa, NEW.subarray(0, NEW.length - 100)))).toBe(IMAGE);
	});

	test("one that has not come to its end", () => {
		const bench = benchOf();
		const update = bench.open(bytes);
		update.write(bytes.subarray(0, 30_000));
		expect(codeOf(() => update.complete())).toBe(INCOMPLETE);
	});

	test("what the flash does not give back", () => {
		const bench = benchOf();
		const update = bench.open(bytes);
		update.write(bytes);
		// One bit, behind the Updater's back.
		const start = 0x200000 - Math.ceil(bytes.length / 4096) * 4096;
		bench.put(start + 8192, withFlip(bench.get(start + 8192, 4096), 100));
		expect(codeOf(() => update.complete())).toBe(SIGN);
		expect(bench.hasCommand).toBe(false);
	});
});

describe("keys", () => {
	test("of which one fits are enough: a rotation", () => {
		for (const pair of [rsa, other, p256]) {
			const bench = benchOf({ keys: `${textOf(other)} ${textOf(p256)} ${textOf(rsa)}` });
			bench.update(signedBy(pair, NEW));
			bench.restart();
			expect(bench.runs()).toBe("2.0.0");
		}
	});

	test("for one kind only leave the other as it is", () => {
		const bench = benchOf({ keys: textOf(rsa, "filesystem") });
		expect(bench.updater.verifies).toBe(false);
		bench.update(NEW);
		const filesystem = { kind: "filesystem" } as const;
		expect(codeOf(() => bench.update(new Uint8Array(5000), filesystem))).toBe(SIGN);
		bench.update(signedBy(rsa, new Uint8Array(5000)), filesystem);
		expect(readExpectation(board)).toMatchObject({ size: 5000, digest: md5(new Uint8Array(5000)) });
	});

	test("for the other kind do not count", () => {
		const bench = benchOf({ keys: `${textOf(rsa, "filesystem")} ${textOf(p256, "firmware")}` });
		expect(bench.updater.verifies).toBe(true);
		expect(codeOf(() => bench.update(signedBy(rsa, NEW)))).toBe(SIGN);
		bench.update(signedBy(p256, NEW));
	});

	test("that are none: a signed file is taken as it is, a signed gzip is not", () => {
		const bench = new UpdaterBench();
		expect(bench.updater.verifies).toBe(false);
		bench.update(signedBy(rsa, NEW));
		bench.restart();
		expect(bench.runs()).toBe("2.0.0");
		expect(codeOf(() => bench.update(signedBy(rsa, GZIP)))).toBe(IMAGE);
	});

	const good = textOf(rsa);
	const [, modulus = "", exponent = ""] = good.split(":");
	const point = textOf(p256).slice(5);
	test.each([
		["nothing", ""],
		["blanks", "  "],
		["another type", `dsa:${modulus}:${exponent}`],
		["another kind", `bootloader@${good}`],
		["an empty kind", `@${good}`],
		["no exponent", `rsa:${modulus}`],
		["more than an exponent", `${good}:01`],
		["half a byte", `rsa:${modulus}:10001`],
		["a digit that is none", `rsa:${modulus.slice(1)}g:${exponent}`],
		["an exponent of 1", `rsa:${modulus}:01`],
		["an even exponent", `rsa:${modulus}:0100`],
		["an exponent of five bytes", `rsa:${modulus}:0100000001`],
		["a leading zero", `rsa:00${modulus}:${exponent}`],
		["1024 bits", `rsa:${modulus.slice(256)}:${exponent}`],
		["2047 bits", `rsa:7f${modulus.slice(2)}:${exponent}`],
		["4097 bits", `rsa:01${modulus}${modulus}:${exponent}`],
		["an even modulus", `rsa:${modulus.slice(0, -1)}0:${exponent}`],
		["a point beside the curve", `p256:${point.slice(0, -1)}${point.endsWith("0") ? "1" : "0"}`],
		["no point", `p256:${"00".repeat(64)}`],
		["a coordinate too large", `p256:${"ff".repeat(32)}${point.slice(64)}`],
		["half a point", `p256:${point.slice(0, 64)}`],
		["one good key and one bad", `${good} rsa:`],
		["five keys", Array(5).fill(good).join(" ")],
	])("malformed throw at the start: %s", (_, keys) => {
		new UpdaterBench();
		expect(() => new Signatures({ keys })).toThrow(RangeError);
	});

	test.each([
		{ minVersionCounter: -1 },
		{ minVersionCounter: 1.5 },
		{ minVersionCounter: 2 ** 32 },
		{ board: "" },
		{ board: "a".repeat(33) },
	])("with impossible demands throw: %j", (demands) => {
		new UpdaterBench();
		expect(() => new Signatures({ keys: good, ...demands })).toThrow(RangeError);
	});

	test("may be in capitals", () => {
		const bench = benchOf({ keys: `rsa:${modulus.toUpperCase()}:${exponent.toUpperCase()}` });
		bench.update(signedBy(rsa, NEW));
	});
});

describe.each([
	["raw", NEW],
	["compressed", GZIP],
])("claims of what is verified, %s:", (_, image) => {
	const claiming = (claims: Parameters<typeof withClaims>[1]) => signedBy(rsa, withClaims(image, claims));

	test("an older version counter is refused, an equal or newer one is not", () => {
		const demands = { minVersionCounter: 7 };
		expect(refused(claiming({ versionCounter: 6 }), demands)).toBe(VERSION_COUNTER);
		expect(refused(claiming({ board: "lamp" }), demands)).toBe(VERSION_COUNTER);
		expect(refused(signedBy(rsa, image), demands)).toBe(VERSION_COUNTER);
		expect(textOfError(claiming({ versionCounter: 6 }), demands)).toMatch(/^ERROR\[147\].* 6, .* 7 /);
		for (const versionCounter of [7, 0xffffffff]) {
			const bench = benchOf(demands);
			bench.update(claiming({ versionCounter }));
			bench.restart();
			expect(bench.runs()).toBe("2.0.0");
		}
	});

	test("another board's image is refused, one for this or for none is not", () => {
		const demands = { board: "lamp" };
		expect(refused(claiming({ board: "Lamp" }), demands)).toBe(OTHER_BOARD);
		expect(textOfError(claiming({ board: "fan$&" }), demands)).toMatch(/^ERROR\[148\].* fan\$&, .* lamp:/);
		benchOf(demands).update(claiming({ board: "lamp" }));
		benchOf(demands).update(signedBy(rsa, image));
		benchOf().update(claiming({ board: "fan" }));
	});

	test("another flash's image is refused", () => {
		expect(refused(claiming({ flashSize: 0x100000 }))).toBe(OTHER_FLASH);
		expect(textOfError(claiming({ flashSize: 0x100000 }), {})).toMatch(/^ERROR\[149\].* 1048576 .* 4194304:/);
		benchOf().update(claiming({ flashSize: 0x400000 }));
	});

	test("do not count where they are not signed", () => {
		expect(refused(withClaims(image, { versionCounter: 9 }), { minVersionCounter: 7 })).toBe(SIGN);
		const behind = Buffer.concat([
			signedBy(rsa, image),
			withClaims(image, { versionCounter: 9 }).subarray(-64),
		]);
		expect(refused(behind, { minVersionCounter: 7 })).toBe(SIGN);
	});
});
