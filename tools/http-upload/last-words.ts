import type { Socket } from "node:net";

/** Milliseconds to read what has come already; usually its end comes sooner. */
const READING_TIME = 100;

/**
 * Lets a socket be read after a write to it has failed. A board that refuses an image answers and closes the
 * connection, on which the next piece runs into a reset. The operating system still hands the answer out; but
 * Node reads no more of a stream that has failed. So it learns of the failure a little later.
 */
export function hearLastWords(socket: Socket): void {
	const write = socket._write.bind(socket);
	socket._write = (piece, encoding, done) => {
		write(piece, encoding, (error) => {
			if (error) setTimeout(() => done(error), READING_TIME);
			else done();
		});
	};
}
