import { constants, crc32, deflateRawSync } from "node:zlib";
import { isGzip, readMember, TRAILER_LENGTH } from "./gzip";
import { concat, gzipHeader } from "./gzip-header";

/** zopfli takes seconds and saves some percent; what it makes is inflated like any other. */
export type Compression = "zlib" | "zopfli";

/** zopfli's own default: more of them save next to nothing. */
const ITERATIONS = 15;

/** One gzip member without name and time. eboot's inflater has a window of 32 KiB, which is deflate's largest. */
export async function compress(image: Uint8Array, how: Compression): Promise<Uint8Array> {
	const deflated = how === "zopfli" ? await zopfli(image) : zlib(image);
	const trailer = new Uint8Array(TRAILER_LENGTH);
	const view = new DataView(trailer.buffer);
	view.setUint32(0, crc32(image), true);
	view.setUint32(4, image.length, true);
	const gzip = concat(gzipHeader(), deflated, trailer);
	// What it is inflated to on the board, nobody checks.
	const { inflated, fault } = readMember(gzip);
	if (fault || !inflated || Buffer.compare(inflated, image) !== 0) throw new Error(`${how} has failed`);
	return gzip;
}

/** The image in a gzip, or the image. */
export function inflated(bytes: Uint8Array): Uint8Array {
	return isGzip(bytes) ? (readMember(bytes).inflated ?? bytes) : bytes;
}

/** Some percent more than GNU gzip -9 makes: the zlib in Node is for speed. */
function zlib(image: Uint8Array): Uint8Array {
	return deflateRawSync(image, { level: constants.Z_BEST_COMPRESSION });
}

async function zopfli(image: Uint8Array): Promise<Uint8Array> {
	// Only now: the WebAssembly is 85 KB, and no other command needs it.
	const { deflateAsync } = await import("@gfx/zopfli");
	return deflateAsync(image, { numiterations: ITERATIONS });
}
