/** What is C on the device, by the KB: the SDK's digests, for which the XS host's stand here, and the CRC of a gzip. */
import Resource from "Resource";
import board from "board";
import { Digest } from "crypt";
import { start, stop } from "measure";
import { toHex } from "../../../ota/hex";

const PIECE = 1024;

function digest(type: "MD5" | "SHA256", image: Resource): string {
	const digest = new Digest(type);
	for (let at = 0; at < image.byteLength; at += PIECE) {
		const bytes = image.slice(at, at + PIECE);
		start(type);
		digest.write(bytes);
		stop();
	}
	return toHex(digest.close());
}

export default function run(): void {
	const image = new Resource("image");
	trace(`MD5 ${digest("MD5", image)}\n`);
	trace(`SHA256 ${digest("SHA256", image)}\n`);
	let crc = 0;
	for (let at = 0; at < image.byteLength; at += PIECE) {
		const bytes = new Uint8Array(image.slice(at, at + PIECE));
		start("CRC");
		crc = board.gzipCRC(bytes, crc);
		stop();
	}
	trace(`CRC ${crc}\n`);
}
