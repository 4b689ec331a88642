/**
 * The TCP half of ArduinoOTA, the uploader's side. Bytes are sent as fast as the connection takes them: a
 * device reads while it flashes, so that waiting for each acknowledgement would only leave its flash idle.
 * States, in order:
 *   sending  until the socket has taken all bytes
 *   waiting  for the result
 *   ended
 */
import type { Socket } from "node:net";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { type Reply, ReplyReader } from "./reply";

/** Bytes given to the socket at once: a sector of the device's flash. */
const PIECE = 4096;

export interface TransferOptions {
	image: Uint8Array;
	/** Milliseconds in which neither a byte can be sent nor an acknowledgement comes. */
	timeout: number;
	/** Milliseconds without a sign of life, from the last byte to the result. */
	resultTimeout: number;
	/** `sent` bytes were given to the network, which holds some of them; the device has taken about `accepted`. */
	onProgress?: ((sent: number, accepted: number, total: number) => void) | undefined;
	signal: AbortSignal;
}

type State = "sending" | "waiting" | "ended";

/**
 * Sends the image and waits for the device's verdict. Closes the socket in any case. Throws UpdateError
 * DEVICE, CONNECTION_LOST, NO_RESULT, BAD_ANSWER or STOPPED.
 */
export function transfer(socket: Socket, options: TransferOptions): Promise<void> {
	return new Promise((resolve, reject) => {
		new Transfer(socket, options, resolve, reject).start();
	});
}

class Transfer {
	readonly #socket: Socket;
	readonly #options: TransferOptions;
	readonly #resolve: () => void;
	readonly #reject: (error: unknown) => void;
	readonly #reply = new ReplyReader();
	#state: State = "sending";
	#sent = 0;
	/** Bytes that the network stack has. */
	#accepted = 0;
	/** About what the device has taken. */
	#taken = 0;
	#limit: NodeJS.Timeout | undefined;

	constructor(
		socket: Socket,
		options: TransferOptions,
		resolve: () => void,
		reject: (error: unknown) => void,
	) {
		this.#socket = socket;
		this.#options = options;
		this.#resolve = resolve;
		this.#reject = reject;
	}

	start(): void {
		const { signal, onProgress, image } = this.#options;
		const socket = this.#socket;
		signal.addEventListener("abort", this.#aborted);
		this.#wait();
		socket.setNoDelay(true);
		socket.setEncoding("latin1");
		socket.on("data", (text: string) => this.#receive(text));
		socket.on("error", () => this.#closed());
		socket.on("end", () => this.#closed());
		socket.on("close", () => this.#closed());
		onProgress?.(0, 0, image.length);
		if (signal.aborted) this.#aborted();
		else if (socket.destroyed) this.#closed();
		else this.#send();
	}

	/** One piece is under way at a time: its callback comes when the network stack has all of it. */
	#send(): void {
		if (this.#state !== "sending") return;
		const { image } = this.#options;
		const total = image.length;
		const piece = image.subarray(this.#sent, this.#sent + PIECE);
		this.#sent += piece.length;
		this.#socket.write(piece, (error) => {
			if (error || this.#state !== "sending") return;
			this.#accepted += piece.length;
			if (this.#accepted === total) this.#state = "waiting";
			this.#wait();
			this.#tellProgress();
			// A turn of the event loop between, so that an error of the device is read before the next piece
			// runs into the connection that it has closed.
			setImmediate(() => this.#send());
		});
	}

	#receive(text: string): void {
		if (this.#state === "ended") return;
		this.#wait();
		const reply = this.#reply.write(text);
		this.#tellProgress(reply.kind === "success");
		this.#judge(reply);
		if (this.#reply.digits > this.#options.image.length) {
			this.#end(new UpdateError(ErrorCode.BAD_ANSWER, "more acknowledged than sent"));
		}
	}

	#tellProgress(done = false): void {
		const { image, onProgress } = this.#options;
		const taken = done ? this.#sent : Math.min(this.#reply.acknowledged, this.#accepted);
		this.#taken = Math.max(this.#taken, taken);
		onProgress?.(this.#sent, this.#taken, image.length);
	}

	#judge(reply: Reply): void {
		const { length } = this.#options.image;
		if (reply.kind === "error") this.#end(new UpdateError(ErrorCode.DEVICE, reply.text));
		else if (reply.kind === "unknown") this.#end(new UpdateError(ErrorCode.BAD_ANSWER, reply.text));
		else if (reply.kind === "success") {
			// The socket may have passed on the last piece without having called back yet.
			const early = `OK after ${this.#sent} of ${length} bytes`;
			this.#end(this.#sent === length ? undefined : new UpdateError(ErrorCode.BAD_ANSWER, early));
		}
	}

	#closed(): void {
		this.#judge(this.#reply.close());
		this.#end(this.#lost());
	}

	#lost(): UpdateError {
		return new UpdateError(ErrorCode.CONNECTION_LOST, this.#accepted, this.#options.image.length);
	}

	readonly #aborted = (): void => {
		this.#end(new UpdateError(ErrorCode.STOPPED, this.#taken));
	};

	/** Starts the state's clock anew. */
	#wait(): void {
		const { timeout, resultTimeout } = this.#options;
		const waiting = this.#state === "waiting";
		clearTimeout(this.#limit);
		this.#limit = setTimeout(
			() => {
				this.#judge(this.#reply.close());
				this.#end(waiting ? new UpdateError(ErrorCode.NO_RESULT, resultTimeout / 1000) : this.#lost());
			},
			waiting ? resultTimeout : timeout,
		);
	}

	/** The first end counts. */
	#end(error?: UpdateError): void {
		if (this.#state === "ended") return;
		this.#state = "ended";
		clearTimeout(this.#limit);
		this.#options.signal.removeEventListener("abort", this.#aborted);
		this.#socket.destroy();
		if (error) this.#reject(error);
		else this.#resolve();
	}
}
