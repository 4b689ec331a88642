/**
 * Which images this board takes: those that one of its keys has signed. A signed image is the ESP8266 Arduino
 * core's: payload, signature, the signature's length as a 32-bit number. SPEC.md, section 6.
 */
import type { Board } from "../board";
import { isBoardID } from "../claims";
import { ErrorCode, UpdateError } from "../errors";
import type { UpdateKind } from "../kind";
import type { Staging } from "../staging";
import { checkClaims, type Demands, stagedClaims } from "./claims-check";
import { parseKeys } from "./key-text";
import { digestPayload, type Payload, type Signed } from "./payload";
import type { PublicKey } from "./public-key";

const LENGTH_WORD = 4;
const COUNTER_MAX = 0xffffffff;

export interface SignaturesOptions extends Demands {
	/** Public keys, as SPEC.md, section 6, has them; an image of a kind that none is for is taken as it is. */
	keys: string;
	/** Whether RSA signatures with the padding of the Arduino core up to 2.5.2 count; false where not given. */
	allowLegacy?: boolean | undefined;
}

export class Signatures {
	private readonly keys: readonly PublicKey[];
	private readonly allowLegacy: boolean;
	private readonly demands: Demands;

	/** Throws RangeError where a key, the counter or the board's id is none. */
	constructor({ keys, allowLegacy = false, minVersionCounter, board }: SignaturesOptions) {
		this.keys = parseKeys(keys);
		this.allowLegacy = allowLegacy;
		const isCounter =
			minVersionCounter === undefined ||
			(Number.isInteger(minVersionCounter) && minVersionCounter >= 0 && minVersionCounter <= COUNTER_MAX);
		if (!isCounter) throw new RangeError("minVersionCounter: 0 to 4294967295 wanted");
		if (board !== undefined && !isBoardID(board)) {
			throw new RangeError("board: 1 to 32 characters of printable ASCII wanted");
		}
		this.demands = { minVersionCounter, board };
	}

	/** Whether an image of this kind has to be signed. */
	wants(kind: UpdateKind): boolean {
		for (let i = 0; i < this.keys.length; i++) if (isFor(this.keys[i], kind)) return true;
		return false;
	}

	/**
	 * What of the `byteLength` bytes in flash is signed, if anything is. Throws UpdateError SIGN where their end cannot
	 * be a signature of a key for this kind, READ.
	 */
	read(kind: UpdateKind, staging: Staging, byteLength: number, board: Board): Signed {
		const length = this.lengthOf(kind, staging, byteLength);
		const size = byteLength - LENGTH_WORD - length;
		const digests = digestPayload(staging, size, board);
		const signature = staging.read(length, size).buffer as ArrayBuffer;
		return { kind, size, signature, sha256: digests.sha256, md5: digests.md5 };
	}

	/** Bytes of the signature at the end. Before any digest, which takes a second: throws where it can be none. */
	private lengthOf(kind: UpdateKind, staging: Staging, byteLength: number): number {
		const length = byteLength > LENGTH_WORD ? lengthAtEnd(staging, byteLength) : 0;
		for (let i = 0; i < this.keys.length; i++) {
			if (isFor(this.keys[i], kind, length) && byteLength > LENGTH_WORD + length) return length;
		}
		throw new UpdateError(ErrorCode.SIGN);
	}

	/** Gives what one of the keys for its kind has signed. Throws UpdateError SIGN. Few names: what it calls goes deep. */
	verify(signed: Signed, board: Board): Payload {
		for (let i = 0; i < this.keys.length; i++) {
			if (isFor(this.keys[i], signed.kind, signed.signature.byteLength)) {
				if (this.keys[i]?.verify(signed, this.allowLegacy, board)) return signed;
			}
		}
		throw new UpdateError(ErrorCode.SIGN);
	}

	/**
	 * Gives the version counter that is claimed; `accepted` is the highest one before. Throws UpdateError
	 * VERSION_COUNTER, OTHER_BOARD or OTHER_FLASH where what was verified is not for this board, READ.
	 */
	checkClaims(staging: Staging, size: number, board: Board, accepted?: number): number | undefined {
		const claims = stagedClaims(staging, size);
		checkClaims(claims, this.demands, board.configuredFlashSize, accepted);
		return claims.versionCounter;
	}
}

/** Whether a key is for this kind, and can have made a signature of this length where one is given. */
function isFor(key: PublicKey | undefined, kind: UpdateKind, length?: number): boolean {
	if (!key || (key.kind !== undefined && key.kind !== kind)) return false;
	return length === undefined || key.fits(length);
}

function lengthAtEnd(staging: Staging, byteLength: number): number {
	return staging.read(LENGTH_WORD, byteLength - LENGTH_WORD).getUint32(0, true);
}
