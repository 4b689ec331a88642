/** The device's verifier on a bench: signed files in a buffer in the place of the flash. */
import { constants, createHash, createPrivateKey, privateEncrypt } from "node:crypto";
import type { Board } from "../../ota/board";
import type { ErrorCode } from "../../ota/errors";
import type { UpdateKind } from "../../ota/kind";
import { parseKeys } from "../../ota/signature/key-text";
import type { Payload } from "../../ota/signature/payload";
import type { PublicKey } from "../../ota/signature/public-key";
import { Signatures, type SignaturesOptions } from "../../ota/signature/signatures";
import type { Staging } from "../../ota/staging";
import { deviceKey } from "../../tools/image/device-key";
import { privateKey } from "../../tools/image/keys";
import { signed } from "../../tools/image/signing";
import { installGlobals } from "../shims/globals";
import type { Pair } from "./signing-bench";
import { codeOf } from "./updater-bench";

/** Counts how often the watchdog was fed. */
export const patientBoard = {
	fed: 0,
	configuredFlashSize: 0x400000,
	feedWatchdog() {
		this.fed += 1;
	},
} as Pick<Board, "feedWatchdog" | "configuredFlashSize"> & { fed: number } as Board & { fed: number };

/** The device's key of this text. */
export function keyOf(text: string): PublicKey {
	installGlobals();
	const [key] = parseKeys(text);
	if (!key) throw new Error("no key");
	return key;
}

export function textOf({ publicPEM }: Pair, kind?: UpdateKind): string {
	return deviceKey(publicPEM, kind);
}

/** `payload | signature | length`, by the project's own command. */
export function signedBy({ privatePEM }: Pair, payload: Uint8Array, legacy = false): Uint8Array {
	return signed(payload, privateKey(privatePEM, "private.key"), legacy);
}

/** A file with whatever signature, and whatever length it says to have. */
export function file(payload: Uint8Array, signature: Uint8Array, length = signature.length): Uint8Array {
	const word = Buffer.alloc(4);
	word.writeUInt32LE(length);
	return new Uint8Array(Buffer.concat([payload, signature, word]));
}

export function sha256(bytes: Uint8Array): Buffer {
	return createHash("sha256").update(bytes).digest();
}

export function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
	return new Uint8Array(bytes).buffer;
}

/** The signature that opens to exactly these bytes, as many as the modulus has: for what no honest signer makes. */
export function rawRSA({ privatePEM }: Pair, message: Uint8Array): Buffer {
	const key = createPrivateKey(privatePEM);
	return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, message);
}

/** What a board with these settings takes of a file. Throws UpdateError. */
export function take(bytes: Uint8Array, options: SignaturesOptions, kind: UpdateKind = "firmware"): Payload {
	installGlobals();
	const staging = {
		read: (length: number, position: number) => new DataView(bytes.slice(position, position + length).buffer),
		readGiven: (piece: Uint8Array, position: number) =>
			piece.set(bytes.subarray(position, position + piece.length)),
	} as unknown as Staging;
	const signatures = new Signatures(options);
	const signed = signatures.read(kind, staging, bytes.length, patientBoard);
	signatures.verify(signed, patientBoard);
	signatures.checkClaims(staging, signed.size, patientBoard);
	return signed;
}

/** The number of the error with which it is refused, undefined where it is taken. */
export function refusal(
	bytes: Uint8Array,
	options: SignaturesOptions,
	kind?: UpdateKind,
): ErrorCode | undefined {
	return codeOf(() => take(bytes, options, kind));
}
