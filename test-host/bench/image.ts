/**
 * A firmware as large and as compressible as one of Moddable: half of it noise, as machine code is nearly to a
 * compressor, half text of a small vocabulary, as names and bytecode are; a gzip of it has about 0.62 of its size.
 */
import { buildFirmware, buildSlotImage } from "../virtual/image-builder";
import { Noise } from "../virtual/noise";

/** What `mcconfig -m -p esp` makes of a usual application. */
export const IMAGE_LENGTH = 560 * 1024;
/** What of the image is text. */
const TEXT_PART = 0.54;
const VOCABULARY = 600;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** For eboot, or for the slot at a flash offset. */
export function benchFirmware(version: string, length = IMAGE_LENGTH, slot?: number): Uint8Array {
	const noise = new Noise(length);
	const words = Array.from({ length: VOCABULARY }, () => {
		const letters = 2 + (noise.next() % 9);
		return Array.from({ length: letters }, () => LETTERS[noise.next() % LETTERS.length]).join("");
	});
	let script = `"${version}";`;
	while (script.length < length * TEXT_PART) script += ` ${words[noise.next() % VOCABULARY]}`;
	const options = { script, name: "bench", version, padTo: length };
	return slot === undefined ? buildFirmware(options) : buildSlotImage({ ...options, slot });
}
