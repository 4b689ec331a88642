import flash from "embedded:storage/flash";
import type { Board } from "../board";
import { ErrorCode, UpdateError } from "../errors";

/** Bytes read at once: few, since an update holds its sector still. */
const PIECE = 256;

/**
 * zlib's CRC-32 of `length` bytes of a partition from a flash offset on, in one turn, which feeds the watchdog: about a third
 * of a millisecond a KB. Throws UpdateError READ.
 */
export function flashCRC(board: Board, path: string, address: number, length: number): number {
	let crc = 0;
	// Few names, since what chooses an update has little of the stack left.
	let piece = new Uint8Array(PIECE);
	try {
		const partition = flash.open({ path, mode: "r" });
		const offset = address - partition.status().address;
		for (let done = 0; done < length; done += PIECE) {
			if (length - done < PIECE) piece = piece.subarray(0, length - done);
			partition.read(piece, offset + done);
			crc = board.gzipCRC(piece, crc);
			board.feedWatchdog();
		}
		partition.close();
	} catch {
		throw new UpdateError(ErrorCode.READ);
	}
	return crc;
}
