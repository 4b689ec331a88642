import { Digest } from "crypt";
import type { Board } from "../board";
import { toHex } from "../hex";
import type { UpdateKind } from "../kind";
import type { Staging } from "../staging";

/** What is signed: what was staged, without signature and length word. */
export interface Payload {
	/** Bytes. */
	size: number;
	/** MD5 of them as given, 32 lower-case digits. */
	md5: string;
	/** Of a gzip: bytes that the boot loader makes of it. */
	inflatedSize?: number | undefined;
	/** What it claims, where it is signed. */
	versionCounter?: number | undefined;
}

/** The same while it is verified. */
export interface Signed extends Payload {
	kind: UpdateKind;
	sha256: ArrayBuffer;
	signature: ArrayBuffer;
}

/** Bytes read at once: all the memory that it takes, and a few milliseconds. */
const PIECE = 1024;

/** SHA-256 and MD5 of the first `byteLength` bytes as the flash gives them back. Throws UpdateError READ. */
export function digestPayload(
	staging: Staging,
	byteLength: number,
	board: Board,
): Pick<Signed, "sha256" | "md5"> {
	const sha256 = new Digest("SHA256");
	const md5 = new Digest("MD5");
	const buffer = new Uint8Array(PIECE);
	for (let position = 0; position < byteLength; position += PIECE) {
		const left = byteLength - position;
		const piece = left < PIECE ? buffer.subarray(0, left) : buffer;
		staging.readGiven(piece, position);
		sha256.write(piece);
		md5.write(piece);
		board.feedWatchdog();
	}
	return { sha256: sha256.close(), md5: toHex(md5.close()) };
}
