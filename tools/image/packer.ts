import { crc32 } from "../../ota/eboot";
import { APPLICATION_OFFSET } from "../../ota/image";

/** The Arduino packer's two words, first in the irom segment: length of the file, and its CRC with both words 0. */
export const PACKER_WORDS_OFFSET = APPLICATION_OFFSET + 16;
export const PACKER_WORDS_LENGTH = 8;

/** `absent`: the place is used for something else, as in images that another packer made. */
export type PackerWords = "right" | "wrong" | "absent";

export function readPackerWords(bytes: Uint8Array): PackerWords {
	const words = PACKER_WORDS_OFFSET;
	if (words + PACKER_WORDS_LENGTH > bytes.length) return "absent";
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const length = view.getUint32(words, true);
	// Only the length tells whether the words are there at all.
	if (length <= words || length > bytes.length) return "absent";
	// A copy: slice of a Buffer would be a view.
	const covered = new Uint8Array(bytes.subarray(0, length));
	covered.fill(0, words, words + PACKER_WORDS_LENGTH);
	if (crc32(covered) === view.getUint32(words + 4, true)) return "right";
	return length === bytes.length ? "wrong" : "absent";
}
