/** Why a file has no signature of some keys where one would be: what it has in that place. */
import { APPLICATION_OFFSET } from "../../ota/image";
import { claimsBehind } from "./claims";
import { isGzip, readMember } from "./gzip";
import { type Key, keyTypeText } from "./keys";
import { ownBootLoaderIn } from "./own-boot-info";
import { PACKER_WORDS_OFFSET, readPackerWords } from "./packer";
import { readPart } from "./part";
import { LENGTH_WORD, signatureAtEnd } from "./signature";
import { canBeBy, matchingScheme } from "./signing";

/** How far from the end a signature is looked for: a sector, as of padding. */
const TRAILING_MAX = 4096;

/** The reason, for a file that does not end with the length of a signature of any of the keys. */
export function whyNoSignature(bytes: Uint8Array, keys: readonly Key[]): string {
	const trailing = trailingBytes(bytes, keys);
	if (trailing > 0) return `${trailing} trailing bytes behind the signature`;
	const end = payloadEnd(bytes);
	const rest = bytes.length - (end ?? 0);
	if (end === undefined && beginsImage(bytes)) return "truncated, the image itself is cut short or damaged";
	if (end !== undefined && rest === 0) return "not signed, it ends with the image";
	const word = lengthWord(bytes);
	const room = rest - LENGTH_WORD;
	if (end !== undefined && word !== room) {
		if (keys.some((key) => canBeBy(room, key))) {
			return `wrong length field: it says ${word}, the signature has ${room} bytes`;
		}
		// A signature that is longer than what there is, of all keys: its end is missing.
		if (rest < shortest(keys)) return `truncated, ${rest} bytes of a signature are left`;
	}
	if (signatureAtEnd(bytes)) {
		const types = keys.map((key) => `${key.name} is ${keyTypeText(key)}`);
		return `key mismatch: the signature has ${word} bytes, ${types.join(", ")}`;
	}
	return `not signed, or truncated: the last four bytes (${word}) are no length of a signature`;
}

/** Bytes behind a signature that is right, or 0. */
function trailingBytes(bytes: Uint8Array, keys: readonly Key[]): number {
	for (let count = 1; count <= TRAILING_MAX && count + LENGTH_WORD < bytes.length; count++) {
		const file = bytes.subarray(0, bytes.length - count);
		const length = lengthWord(file);
		const payload = file.length - LENGTH_WORD - length;
		if (payload < 0) continue;
		const signature = file.subarray(payload, payload + length);
		const makes = (key: Key) =>
			canBeBy(length, key) && matchingScheme(file.subarray(0, payload), signature, key);
		if (keys.some(makes)) return count;
	}
	return 0;
}

/** Where the image and its claims end; undefined where that does not show. */
function payloadEnd(bytes: Uint8Array): number | undefined {
	if (isGzip(bytes)) {
		const { length, inflated } = readMember(bytes);
		return inflated && length;
	}
	const [first, application] = [readPart(bytes, 0), readPart(bytes, APPLICATION_OFFSET)];
	const last = application ?? first;
	if (!last || last.checksum === "missing") return undefined;
	const packed = readPackerWords(bytes) === "right";
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	let end = packed ? view.getUint32(PACKER_WORDS_OFFSET, true) : last.offset + last.size;
	const own = ownBootLoaderIn(bytes, first, application);
	if (own?.config && own.secondStage?.state === "whole") {
		end = own.secondStage.offset + own.config.stageLength;
	}
	return end + claimsBehind(bytes, end);
}

function beginsImage(bytes: Uint8Array): boolean {
	return isGzip(bytes) || readPart(bytes, 0) !== undefined;
}

function shortest(keys: readonly Key[]): number {
	const bytes = keys.map(({ type, bits }) => (type === "rsa" ? Math.ceil(bits / 8) : 64));
	return LENGTH_WORD + Math.min(...bytes);
}

/** The last four bytes as a number; of fewer bytes 0. */
function lengthWord(bytes: Uint8Array): number {
	if (bytes.length < LENGTH_WORD) return 0;
	return new DataView(bytes.buffer, bytes.byteOffset + bytes.length - LENGTH_WORD).getUint32(0, true);
}
