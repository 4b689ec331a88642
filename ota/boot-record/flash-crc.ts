import flash from "embedded:storage/flash";
import type { Board } from "../board";
import { ErrorCode, UpdateError } from "../errors";

/** Bytes read at once. */
const PIECE = 1024;

/**
 * zlib's CRC-32 of `length` bytes of a partition from `offset` on, in one turn, which feeds the watchdog: about a third
 * of a millisecond a KB. Throws UpdateError READ.
 */
export function flashCRC(board: Board, path: string, offset: number, length: number): number {
	let crc = 0;
	try {
		const partition = flash.open({ path, mode: "r" });
		const piece = new Uint8Array(PIECE);
		const end = offset + length;
		for (let at = offset; at < end; at += PIECE) {
			const bytes = end - at < PIECE ? piece.subarray(0, end - at) : piece;
			partition.read(bytes, at);
			crc = board.gzipCRC(bytes, crc);
			board.feedWatchdog();
		}
		partition.close();
	} catch {
		throw new UpdateError(ErrorCode.READ);
	}
	return crc;
}
