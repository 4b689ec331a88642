import type { ServerResponse } from "node:http";
import type { OpenImage } from "./open-images";

/** Bytes that a download has in memory; a device takes a few kilobytes at a time. */
const PIECE = 16_384;

/**
 * Sends the bytes from `start` to before `end` as the rest of an answer whose header is set, one piece after
 * the other as the network takes them, and resolves when the connection needs no more. A file that changes
 * meanwhile, or cannot be read, cuts the connection before the last piece: the device must not have all bytes.
 */
export async function sendImage(
	response: ServerResponse,
	image: OpenImage,
	{ start, end, onSent }: { start: number; end: number; onSent: (bytes: number) => void },
): Promise<void> {
	const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, end - start));
	const closed = new Closed(response);
	let position = start;
	try {
		while (position < end && !closed.isClosed) {
			const length = Math.min(PIECE, end - position);
			const { bytesRead } = await image.handle.read(buffer, 0, length, position);
			position += bytesRead;
			if (bytesRead === 0 || (position === end && !(await image.isUnchanged()))) {
				response.destroy();
				return;
			}
			await closed.orWritten(buffer.subarray(0, bytesRead));
			onSent(bytesRead);
		}
	} catch {
		response.destroy();
		return;
	}
	if (closed.isClosed) return;
	response.end();
	await closed.closing();
}

/** Waits for the network or for the end of the connection, whichever comes: after the end, no write is answered. */
class Closed {
	isClosed: boolean;
	readonly #response: ServerResponse;
	#wake: (() => void) | undefined;

	constructor(response: ServerResponse) {
		this.#response = response;
		this.isClosed = response.destroyed;
		response.once("close", () => {
			this.isClosed = true;
			this.#wake?.();
		});
	}

	/** When the network has taken the bytes, so that their buffer is free again. */
	orWritten(bytes: Uint8Array): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = resolve;
			if (this.isClosed) resolve();
			else this.#response.write(bytes, () => resolve());
		});
	}

	closing(): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = resolve;
			if (this.isClosed) resolve();
		});
	}
}
