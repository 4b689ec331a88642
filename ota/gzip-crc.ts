import type { Board } from "./board";
import { toHex } from "./hex";

/** A CRC-32 as the digits of its bytes, the lowest first. */
export function crcText(crc: number): string {
	return toHex(bytesOf(crc));
}

function bytesOf(crc: number): ArrayBuffer {
	const view = new DataView(new ArrayBuffer(4));
	view.setUint32(0, crc, true);
	return view.buffer;
}

/** CRC-32 of a gzip (RFC 1952), with the shape of the SDK's Digest. */
export class GzipCRC {
	private readonly board: Board;
	private crc = 0;

	constructor(board: Board) {
		this.board = board;
	}

	write(bytes: Uint8Array): void {
		this.crc = this.board.gzipCRC(bytes, this.crc);
	}

	/** Four bytes, the lowest first, as a gzip's trailer has them. */
	close(): ArrayBuffer {
		return bytesOf(this.crc);
	}
}
