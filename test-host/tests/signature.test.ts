/** What the device takes for a signature: node:crypto and openssl sign, forgers forge. */
import {
	constants,
	createECDH,
	createHash,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	sign,
	verify,
} from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../ota/errors";
import { GX, GY, inverse, ORDER, P, SUM_BITS, Sum } from "../../ota/signature/p256";
import type { Signed } from "../../ota/signature/payload";
import type { PublicKey } from "../../ota/signature/public-key";
import { deviceKey } from "../../tools/image/device-key";
import { openssl, withOpenSSL } from "./openssl";
import {
	arrayBuffer,
	file,
	keyOf,
	patientBoard,
	rawRSA,
	refusal,
	sha256,
	signedBy,
	take,
	textOf,
} from "./signature-bench";
import { ecPair, type Pair, rsaPair, temporaryFolder, withFlip } from "./signing-bench";

const folder = temporaryFolder();
const rsa = rsaPair(folder, "rsa");
const p256 = ecPair(folder, "p256");
const payload = Uint8Array.from({ length: 64 }, (_, i) => i * 7);
const { SIGN } = ErrorCode;

/** DigestInfo of SHA-256. */
const INFO = Buffer.from("3031300d060960864801650304020105000420", "hex");

/** EMSA-PKCS1-v1_5 with what a forger would change. */
function encoded(
	info: Uint8Array,
	digest: Uint8Array,
	{ first = 0, type = 1, pad = 0xff, padLength = -1, behind = 0, separator = 0, length = 256 } = {},
): Buffer {
	const count = padLength < 0 ? length - 3 - info.length - digest.length - behind : padLength;
	const rest = length - 3 - count - info.length - digest.length;
	return Buffer.concat([
		Uint8Array.of(first, type),
		Buffer.alloc(count, pad),
		Uint8Array.of(separator),
		info,
		digest,
		Buffer.alloc(rest, 0x55),
	]);
}

/** A payload whose signature, as a number, suits. */
function payloadWhere(pair: Pair, suits: (signature: Buffer) => boolean): [Buffer, Buffer] {
	for (let i = 0; i < 20_000; i++) {
		const candidate = Buffer.from(`payload ${i}`);
		const signature = sign("sha256", candidate, pair.privatePEM);
		if (suits(signature)) return [candidate, signature];
	}
	throw new Error("no such signature");
}

function numberOf(bytes: Uint8Array): bigint {
	return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function bytesOf(number: bigint, length: number): Buffer {
	return Buffer.from(number.toString(16).padStart(2 * length, "0"), "hex");
}

function verifies(key: PublicKey, signature: Buffer, digest: Buffer): boolean {
	const signed: Signed = {
		kind: "firmware",
		size: 1,
		md5: "",
		signature: arrayBuffer(signature),
		sha256: arrayBuffer(digest),
	};
	return key.verify(signed, false, patientBoard);
}

/** a G + b (x, y), its z 1. */
function combine(a: bigint, b: bigint, x: bigint, y: bigint): { x: bigint; y: bigint } {
	const sum = new Sum(a, b, x, y);
	sum.prepare();
	for (let i = SUM_BITS - 1; i >= 0; i--) sum.step(i);
	sum.point.normalize();
	return sum.point;
}

describe("a signature of RSA", () => {
	test.each([2048, 2049, 2056, 3072, 4096])("by a key of %i bits is taken", (bits) => {
		const pair = bits === 2048 ? rsa : rsaPair(folder, `rsa${bits}`, bits);
		const options = { keys: textOf(pair) };
		const bytes = signedBy(pair, payload);
		expect(take(bytes, options).size).toBe(payload.length);
		expect(refusal(withFlip(bytes, 0), options)).toBe(SIGN);
	});

	test.each([3, 17, 0x80000001, 0xffffffff])("with the exponent %i is taken", (publicExponent) => {
		const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent });
		const keys = deviceKey(String(publicKey.export({ type: "spki", format: "pem" })));
		expect(take(file(payload, sign("sha256", payload, privateKey)), { keys }).size).toBe(payload.length);
	});

	test("is refused with any bit flipped, of payload, signature or length", () => {
		const bytes = signedBy(rsa, payload);
		const options = { keys: textOf(rsa) };
		const taken: number[] = [];
		for (let bit = 0; bit < 8 * bytes.length; bit++) {
			if (refusal(withFlip(bytes, bit >> 3, 1 << (bit & 7)), options) !== SIGN) taken.push(bit);
		}
		expect(taken).toEqual([]);
		expect(refusal(bytes, options)).toBeUndefined();
	}, 60_000);

	test("is refused where its padding is another one, down to each byte", () => {
		const digest = sha256(payload);
		const open = { keys: textOf(rsa), allowLegacy: true };
		const honest = encoded(INFO, digest);
		expect(refusal(file(payload, rawRSA(rsa, honest)), open)).toBeUndefined();
		const taken: number[] = [];
		for (let at = 1; at < honest.length; at++) {
			if (refusal(file(payload, rawRSA(rsa, withFlip(honest, at))), open) !== SIGN) taken.push(at);
		}
		expect(taken).toEqual([]);
	}, 60_000);

	test.each([
		["short padding, and bytes behind the digest", encoded(INFO, sha256(payload), { padLength: 8 })],
		["no padding at all", encoded(INFO, sha256(payload), { padLength: 0 })],
		["one byte behind the digest", encoded(INFO, sha256(payload), { behind: 1 })],
		["padding of type 2", encoded(INFO, sha256(payload), { type: 2 })],
		["padding of type 0", encoded(INFO, sha256(payload), { type: 0, pad: 0 })],
		["padding that is not 0xFF", encoded(INFO, sha256(payload), { pad: 0xfe })],
		["no zero behind the padding", encoded(INFO, sha256(payload), { separator: 0xff })],
		["the OID of SHA-512", encoded(withFlip(INFO, 14, 2), sha256(payload))],
		[
			"the OID of SHA-1's length",
			encoded(Buffer.from("3021300906052b0e03021a05000414", "hex"), sha256(payload).subarray(0, 20)),
		],
		[
			"no NULL among the parameters",
			encoded(Buffer.from("302f300b0609608648016503040201" + "0420", "hex"), sha256(payload)),
		],
		[
			"DigestInfo's length in two bytes",
			encoded(Buffer.from("308131300d060960864801650304020105000420", "hex"), sha256(payload)),
		],
		["the digest twice", encoded(INFO, Buffer.concat([sha256(payload), sha256(payload)]))],
		["the legacy form, where it is not allowed", encoded(Buffer.alloc(0), sha256(payload))],
	])("is refused with %s", (_, message) => {
		expect(refusal(file(payload, rawRSA(rsa, message)), { keys: textOf(rsa) })).toBe(SIGN);
	});

	test.each(["sha1", "sha384", "sha512", "md5"])("over another digest, %s, is refused", (algorithm) => {
		const signature = sign(algorithm, payload, rsa.privatePEM);
		expect(refusal(file(payload, signature), { keys: textOf(rsa), allowLegacy: true })).toBe(SIGN);
	});

	test("in the padding PSS is refused", () => {
		const key = { key: rsa.privatePEM, padding: constants.RSA_PKCS1_PSS_PADDING };
		expect(refusal(file(payload, sign("sha256", payload, key)), { keys: textOf(rsa) })).toBe(SIGN);
	});

	test("that is a cube root of the start of what is wanted, with e = 3, is refused", () => {
		const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
		const keys = deviceKey(String(publicKey.export({ type: "spki", format: "pem" })));
		const wanted = Buffer.concat([
			Uint8Array.of(0, 1),
			Buffer.alloc(8, 0xff),
			Uint8Array.of(0),
			INFO,
			sha256(payload),
		]);
		const least = numberOf(Buffer.concat([wanted, Buffer.alloc(256 - wanted.length)]));
		let [low, high] = [0n, 1n << 700n];
		while (low < high) {
			const middle = (low + high) >> 1n;
			if (middle ** 3n < least) low = middle + 1n;
			else high = middle;
		}
		// A verifier that stops behind the digest would take it.
		expect(bytesOf(low ** 3n, 256).subarray(0, wanted.length)).toEqual(wanted);
		expect(refusal(file(payload, bytesOf(low, 256)), { keys, allowLegacy: true })).toBe(SIGN);
	});

	test("is refused without its leading zeros, and with more of them", () => {
		const [text, signature] = payloadWhere(rsa, (bytes) => bytes[0] === 0);
		const options = { keys: textOf(rsa) };
		expect(refusal(file(text, signature), options)).toBeUndefined();
		expect(refusal(file(text, signature.subarray(1)), options)).toBe(SIGN);
		expect(refusal(file(text, Buffer.concat([Buffer.alloc(1), signature])), options)).toBe(SIGN);
	}, 60_000);

	test("plus the modulus is refused, though it opens to the same", () => {
		const modulus = numberOf(Buffer.from(textOf(rsa).split(":")[1] ?? "", "hex"));
		const [text, signature] = payloadWhere(rsa, (bytes) => numberOf(bytes) + modulus < 1n << 2048n);
		const options = { keys: textOf(rsa) };
		expect(refusal(file(text, signature), options)).toBeUndefined();
		expect(refusal(file(text, bytesOf(numberOf(signature) + modulus, 256)), options)).toBe(SIGN);
		for (const number of [0n, 1n, modulus - 1n, modulus]) {
			expect(refusal(file(text, bytesOf(number, 256)), options)).toBe(SIGN);
		}
	}, 60_000);

	test("in the legacy form is taken where that is allowed, and nowhere else", () => {
		const bytes = signedBy(rsa, payload, true);
		expect(refusal(bytes, { keys: textOf(rsa) })).toBe(SIGN);
		expect(take(bytes, { keys: textOf(rsa), allowLegacy: true }).size).toBe(payload.length);
		expect(refusal(withFlip(bytes, 3), { keys: textOf(rsa), allowLegacy: true })).toBe(SIGN);
	});

	test("by another key is refused", () => {
		expect(refusal(signedBy(rsaPair(folder, "other"), payload), { keys: textOf(rsa) })).toBe(SIGN);
	});
});

describe("a signature of P-256", () => {
	const key = createPrivateKey(p256.privatePEM);
	const raw = () => sign("sha256", payload, { key, dsaEncoding: "ieee-p1363" });
	const options = { keys: textOf(p256) };

	/** r and s in DER, each as it stands. */
	function der(r: Uint8Array, s: Uint8Array): Buffer {
		const body = [0x02, r.length, ...r, 0x02, s.length, ...s];
		return Buffer.from([0x30, body.length, ...body]);
	}

	/** One whose DER has this many bytes. */
	function derOf(length: number): [Buffer, Buffer] {
		for (let i = 0; i < 20_000; i++) {
			const text = Buffer.from(`payload ${i}`);
			const signature = sign("sha256", text, { key, dsaEncoding: "der" });
			if (signature.length === length) return [text, signature];
		}
		throw new Error("no such signature");
	}

	test("raw is taken", () => {
		for (let i = 0; i < 20; i++) expect(refusal(file(payload, raw()), options)).toBeUndefined();
	});

	test.each([72, 71, 70, 69])("in DER of %i bytes is taken", (length) => {
		const [text, signature] = derOf(length);
		expect(refusal(file(text, signature), options)).toBeUndefined();
	});

	test("is refused with any bit flipped, of payload, signature or length", () => {
		const [text, signature] = derOf(70);
		for (const bytes of [file(payload, raw()), file(text, signature)]) {
			const taken: number[] = [];
			for (let bit = 0; bit < 8 * bytes.length; bit++) {
				if (refusal(withFlip(bytes, bit >> 3, 1 << (bit & 7)), options) !== SIGN) taken.push(bit);
			}
			expect(taken).toEqual([]);
		}
	}, 120_000);

	test("with r or s of 0, of the order or above is refused", () => {
		const signature = raw();
		const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
		for (const number of [0n, ORDER, ORDER + 1n, (1n << 256n) - 1n]) {
			const bad = bytesOf(number, 32);
			expect(refusal(file(payload, Buffer.concat([bad, s])), options)).toBe(SIGN);
			expect(refusal(file(payload, Buffer.concat([r, bad])), options)).toBe(SIGN);
		}
		expect(refusal(file(payload, Buffer.alloc(64)), options)).toBe(SIGN);
	});

	test("in DER that is not the shortest is refused", () => {
		const [text, signature] = derOf(71);
		const rLength = signature[3] ?? 0;
		const r = signature.subarray(4, 4 + rLength);
		const s = signature.subarray(6 + rLength);
		const zero = (bytes: Uint8Array) => Buffer.concat([Buffer.alloc(1), bytes]);
		expect(refusal(file(text, der(r, s)), options)).toBeUndefined();
		const forged = [
			der(zero(r), s),
			der(r, zero(s)),
			// Behind the sequence, and within it behind s.
			Buffer.concat([signature, Buffer.alloc(1)]),
			Buffer.concat([Uint8Array.of(0x30, 70), signature.subarray(2), Buffer.alloc(1)]),
			// A length in two bytes.
			Buffer.concat([Uint8Array.of(0x30, 0x81, 69), signature.subarray(2)]),
			// A negative number: the zero before its highest bit is missing.
			...[r, s]
				.filter((number) => number[0] === 0)
				.map((number) => (number === r ? der(r.subarray(1), s) : der(r, s.subarray(1)))),
			der(Buffer.alloc(0), s),
			der(r, Buffer.alloc(0)),
			Buffer.alloc(70),
			Buffer.alloc(66, 0x30),
		];
		for (const bytes of forged) expect(refusal(file(text, bytes), options)).toBe(SIGN);
	});

	test("by another key, and over another digest, is refused", () => {
		expect(refusal(signedBy(ecPair(folder, "other-p256"), payload), options)).toBe(SIGN);
		const signature = sign("sha384", payload, { key, dsaEncoding: "ieee-p1363" });
		expect(refusal(file(payload, signature), options)).toBe(SIGN);
	});

	test.each([1n, 2n, 3n, ORDER - 1n, ORDER - 2n, ORDER / 2n])(
		"by the private key %i is verified as by any",
		(d) => {
			const y = d === ORDER - 1n ? P - GY : GY;
			const times = combine(d, 0n, GX, GY);
			const x = ((times.x % P) + P) % P;
			if (d === 1n || d === ORDER - 1n) expect([x, ((times.y % P) + P) % P]).toEqual([GX, y]);
			const numbers = [x, ((times.y % P) + P) % P].map((number) => bytesOf(number, 32));
			const device = keyOf(`p256:${Buffer.concat(numbers).toString("hex")}`);
			const [jx, jy] = numbers.map((bytes) => bytes.toString("base64url"));
			const jwk = {
				kty: "EC",
				crv: "P-256",
				x: jx ?? "",
				y: jy ?? "",
				d: bytesOf(d, 32).toString("base64url"),
			};
			const own = createPrivateKey({ key: jwk, format: "jwk" });
			for (let i = 0; i < 8; i++) {
				const text = Buffer.from(`payload ${i}`);
				const signature = sign("sha256", text, { key: own, dsaEncoding: "ieee-p1363" });
				expect(verifies(device, signature, sha256(text))).toBe(true);
				expect(verifies(device, signature, sha256(Buffer.from("else")))).toBe(false);
			}
		},
	);

	test("property: a G + b Q is what openssl makes of it", () => {
		const word = fc.constantFrom(
			0n,
			1n,
			7n,
			8n,
			9n,
			15n,
			16n,
			(1n << 64n) - 1n,
			1n << 63n,
			0x8888888888888888n,
		);
		const words = fc.array(fc.oneof(word, fc.bigInt(0n, (1n << 64n) - 1n)), { minLength: 4, maxLength: 4 });
		const scalar = words.map((parts) => parts.reduce((sum, part) => (sum << 64n) | part, 0n) % ORDER);
		const publicPoint = (d: bigint): string => {
			const own = createECDH("prime256v1");
			own.setPrivateKey(bytesOf(d, 32));
			return own.getPublicKey("hex").slice(2);
		};
		fc.assert(
			fc.property(scalar, scalar, scalar, (a, b, d) => {
				const sum = (a + b * d) % ORDER;
				fc.pre(d > 0n && sum > 0n);
				const q = publicPoint(d);
				const { x, y } = combine(a, b, BigInt(`0x${q.slice(0, 64)}`), BigInt(`0x${q.slice(64)}`));
				const bytes = [x, y].map((number) => bytesOf(((number % P) + P) % P, 32));
				expect(Buffer.concat(bytes).toString("hex")).toBe(publicPoint(sum));
			}),
			{ numRuns: 200 },
		);
	});

	test("whose point has a coordinate above the order is taken, as openssl takes it", () => {
		// A point R whose x is not below the order; then the key for which r = x - order is a signature of the payload.
		let x = ORDER;
		let y = 0n;
		for (; ; x++) {
			const square = ((((x * x - 3n) * x + (GY * GY - (GX * GX - 3n) * GX)) % P) + P) % P;
			y = power(square, (P + 1n) / 4n, P);
			if ((y * y) % P === square) break;
		}
		expect(x < P).toBe(true);
		const [r, s, e] = [x - ORDER, 12345n, numberOf(sha256(payload))];
		const back = inverse(r, ORDER);
		const point = combine((((-e * back) % ORDER) + ORDER) % ORDER, (s * back) % ORDER, x, y);
		const [qx, qy] = [point.x, point.y].map((number) => bytesOf(((number % P) + P) % P, 32));
		const signature = Buffer.concat([bytesOf(r, 32), bytesOf(s, 32)]);
		const coordinate = (bytes?: Buffer) => bytes?.toString("base64url") ?? "";
		const jwk = { kty: "EC", crv: "P-256", x: coordinate(qx), y: coordinate(qy) };
		const publicKey = createPublicKey({ key: jwk, format: "jwk" });
		expect(verify("sha256", payload, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
		const keys = `p256:${qx?.toString("hex")}${qy?.toString("hex")}`;
		expect(refusal(file(payload, signature), { keys })).toBeUndefined();
	});
});

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
	let result = 1n;
	for (let bit = 255n; bit >= 0n; bit--) {
		result = (result * result) % modulus;
		if ((exponent >> bit) & 1n) result = (result * base) % modulus;
	}
	return result;
}

describe("what is at the end of a file:", () => {
	const options = { keys: `${textOf(rsa)} ${textOf(p256)}` };
	const signature = sign("sha256", payload, rsa.privatePEM);

	test.each([0, 1, 63, 64, 72, 73, 128, 255, 257, 384, 512, 0x7fffffff, 0x80000000, 0xffffff00, 0xffffffff])(
		"a length of %i where it is 256 is refused",
		(length) => {
			expect(refusal(file(payload, signature, length), options)).toBe(SIGN);
		},
	);

	test("a file that is shorter than its trailer is refused, and one of a trailer alone", () => {
		const bytes = signedBy(rsa, payload);
		for (let length = 1; length < 261; length++) {
			expect(refusal(bytes.slice(bytes.length - length), options)).toBe(SIGN);
		}
		const nothing = file(new Uint8Array(0), sign("sha256", new Uint8Array(0), rsa.privatePEM));
		expect(refusal(nothing, options)).toBe(SIGN);
	});

	test("a second trailer is refused, unless it signs the first", () => {
		const bytes = signedBy(rsa, payload);
		expect(refusal(file(bytes, signature), options)).toBe(SIGN);
		const twice = signedBy(rsa, bytes);
		expect(take(twice, options).size).toBe(bytes.length);
	});

	test("the MD5 of what is signed alone is what the board keeps", () => {
		const { md5, size } = take(signedBy(rsa, payload), options);
		expect([md5, size]).toEqual([openMD5(payload), payload.length]);
	});
});

function openMD5(bytes: Uint8Array): string {
	return createHash("md5").update(bytes).digest("hex");
}

test("a verification feeds the watchdog", () => {
	for (const pair of [rsa, p256]) {
		const before = patientBoard.fed;
		take(signedBy(pair, payload), { keys: textOf(pair) });
		expect(patientBoard.fed - before).toBeGreaterThanOrEqual(16);
	}
});

withOpenSSL("openssl", () => {
	const input = join(folder, "payload.bin");
	writeFileSync(input, payload);

	test.each([
		["RSA", rsa],
		["P-256", p256],
	])("signs for the board: %s", (_, pair) => {
		const signature = openssl(["dgst", "-sha256", "-sign", pair.privateFile, input]);
		expect(refusal(file(payload, signature), { keys: textOf(pair) })).toBeUndefined();
	});

	test("signs in the legacy form", () => {
		const signature = openssl(["rsautl", "-sign", "-inkey", rsa.privateFile], sha256(payload));
		expect(refusal(file(payload, signature), { keys: textOf(rsa), allowLegacy: true })).toBeUndefined();
		expect(refusal(file(payload, signature), { keys: textOf(rsa) })).toBe(SIGN);
	});
});
