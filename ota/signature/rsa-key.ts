/**
 * RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017), and the padding of the ESP8266 Arduino core up to 2.5.2. The whole
 * encoded message is built and compared: whoever takes a signature apart instead has been led to believe forged ones.
 */
import type { Board } from "../board";
import type { UpdateKind } from "../kind";
import type { Signed } from "./payload";
import type { PublicKey } from "./public-key";

const BITS_MIN = 2048;
const BITS_MAX = 4096;
/** With 1 anybody can sign. */
const EXPONENT_MIN = 3;
/** DigestInfo of SHA-256 up to the digest, in DER. */
const SHA256_INFO: readonly number[] = Object.freeze([
	0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
	0x20,
]);
/** The core's up to 2.5.2: the digest alone. */
const LEGACY_INFO: readonly number[] = Object.freeze([]);

export class RSAKey implements PublicKey {
	readonly kind: UpdateKind | undefined;
	private readonly byteLength: number;
	private readonly modulus: bigint;
	private readonly exponent: number;

	/** `modulus`: the highest byte first, none too many. Throws RangeError for a weak or impossible key. */
	constructor(kind: UpdateKind | undefined, modulus: Uint8Array<ArrayBuffer>, exponent: number) {
		const { length } = modulus;
		const highest = modulus[0] ?? 0;
		const lowest = modulus[length - 1] ?? 0;
		const bits = 8 * length - Math.clz32(highest) + 24;
		if (highest === 0 || bits < BITS_MIN || bits > BITS_MAX || lowest % 2 === 0) {
			throw new RangeError(`public key: RSA of ${BITS_MIN} to ${BITS_MAX} bits wanted`);
		}
		if (exponent < EXPONENT_MIN || exponent % 2 === 0) throw new RangeError("public key: RSA exponent");
		this.kind = kind;
		this.byteLength = length;
		this.modulus = BigInt.fromArrayBuffer(modulus.buffer);
		this.exponent = exponent;
	}

	fits(byteLength: number): boolean {
		return byteLength === this.byteLength;
	}

	verify({ signature, sha256 }: Signed, allowLegacy: boolean, board: Board): boolean {
		if (signature.byteLength !== this.byteLength) return false;
		const number = BigInt.fromArrayBuffer(signature);
		if (number >= this.modulus) return false;
		const message = power(number, this.exponent, this.modulus, board);
		if (isEncoded(message, sha256, this.byteLength, SHA256_INFO)) return true;
		return allowLegacy && isEncoded(message, sha256, this.byteLength, LEGACY_INFO);
	}
}

/** base^exponent mod modulus; the exponent has 32 bits at most. */
function power(base: bigint, exponent: number, modulus: bigint, board: Board): bigint {
	let result = base;
	for (let bit = 30 - Math.clz32(exponent); bit >= 0; bit--) {
		result = (result * result) % modulus;
		if ((exponent >>> bit) & 1) result = (result * base) % modulus;
		board.feedWatchdog();
	}
	return result;
}

/** Whether the message is 0, 1, 0xFF as often as it takes, 0, `info`, `digest`: `byteLength` bytes, all of them. */
function isEncoded(
	message: bigint,
	digest: ArrayBuffer,
	byteLength: number,
	info: readonly number[],
): boolean {
	const encoded = new Uint8Array(byteLength).fill(0xff);
	const start = byteLength - digest.byteLength - info.length;
	encoded[0] = 0;
	encoded[1] = 1;
	encoded[start - 1] = 0;
	encoded.set(info, start);
	encoded.set(new Uint8Array(digest), start + info.length);
	// By difference: to XS a number that a preloaded module has is never === one that was computed.
	return message - BigInt.fromArrayBuffer(encoded.buffer) === 0n;
}
