/** ECDSA over P-256 with SHA-256 (FIPS 186-4): raw, `r` and `s` of 32 bytes each, or in DER. */
import type { Board } from "../board";
import type { UpdateKind } from "../kind";
import { readDER } from "./der";
import { inverse, isOnCurve, ORDER, SUM_BITS, Sum } from "./p256";
import type { Signed } from "./payload";
import type { PublicKey } from "./public-key";

const RAW_LENGTH = 64;
/** In DER. A shorter one comes up once in 2^40 times, and would look like a raw one. */
const DER_LENGTH_MAX = 72;

export class P256Key implements PublicKey {
	readonly kind: UpdateKind | undefined;
	private readonly x: bigint;
	private readonly y: bigint;
	/** Of the signature that is verified. */
	private r = 0n;

	/** Coordinates of 32 bytes, the highest first. Throws RangeError where they are no point of the curve. */
	constructor(kind: UpdateKind | undefined, x: ArrayBuffer, y: ArrayBuffer) {
		this.kind = kind;
		this.x = BigInt.fromArrayBuffer(x);
		this.y = BigInt.fromArrayBuffer(y);
		if (!isOnCurve(this.x, this.y)) throw new RangeError("public key: not on the curve P-256");
	}

	fits(byteLength: number): boolean {
		return byteLength >= RAW_LENGTH && byteLength <= DER_LENGTH_MAX;
	}

	verify({ signature, sha256 }: Signed, _allowLegacy: boolean, board: Board): boolean {
		if (!this.fits(signature.byteLength)) return false;
		const sum = this.sumFor(signature, sha256);
		if (!sum) return false;
		// From here, and not from where the numbers are: the stack is short.
		sum.prepare();
		for (let i = SUM_BITS - 1; i >= 0; i--) {
			sum.step(i);
			board.feedWatchdog();
		}
		return sum.hasX(this.r);
	}

	/** The point whose x has to be r, to be computed; keeps r. Undefined where r or s is no number of the group. */
	private sumFor(signature: ArrayBuffer, digest: ArrayBuffer): Sum | undefined {
		const parts =
			signature.byteLength === RAW_LENGTH
				? { r: signature.slice(0, RAW_LENGTH / 2), s: signature.slice(RAW_LENGTH / 2) }
				: readDER(new Uint8Array(signature));
		if (!parts) return undefined;
		const r = BigInt.fromArrayBuffer(parts.r);
		const s = BigInt.fromArrayBuffer(parts.s);
		if (r < 1n || r >= ORDER || s < 1n || s >= ORDER) return undefined;
		const w = inverse(s, ORDER);
		this.r = r;
		return new Sum((BigInt.fromArrayBuffer(digest) * w) % ORDER, (r * w) % ORDER, this.x, this.y);
	}
}
