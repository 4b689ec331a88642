/**
 * The TCP half of ArduinoOTA: the device connects to the uploader, takes the bytes, acknowledges each piece
 * with its count in decimal, and tells the result. States, in order:
 *   connecting  until the connection stands
 *   receiving   until all bytes came, or something failed
 *   pausing     all bytes came; the result may not run into the last acknowledgement
 *   telling     the result is sent; until the uploader has closed
 *   closed
 */
import TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import { ErrorCode, UpdateError } from "./errors";
import type { Update } from "./update";

/** Largest piece read at once: espota's chunk, and a TCP segment. */
const PIECE = 1460;
/** espota reads up to 32 bytes for an acknowledgement: a result within them would be lost. The core waits as long. */
const PAUSE = 1000;
/** An uploader that does not close after the result is left alone. */
const TELLING_TIMEOUT = 1000;
/** A count has at most this many digits. */
const DIGITS_MAX = 10;
/** lwIP on the ESP8266 queues eight small writes; one more ends the connection. */
const ACKNOWLEDGEMENTS_MAX = 4;

type State = "connecting" | "receiving" | "pausing" | "telling" | "closed";

interface TransferOptions {
	/** The uploader. */
	address: string;
	port: number;
	/** Bytes announced. */
	byteLength: number;
	update: Update;
	/** Milliseconds for a sector's bytes, or for the connection, after which the uploader counts as gone. */
	timeout: number;
	/** The uploader tells a result from an acknowledgement by itself: no pause between them. */
	prompt: boolean;
	/** Called once, when the connection is closed. */
	onDone(error: UpdateError | undefined): void;
}

export class Transfer {
	private readonly options: TransferOptions;
	private readonly tcp: TCP;
	private state: State = "connecting";
	private error: UpdateError | undefined;
	/** Reused for every piece; a view of another size is made for the odd ones only. */
	private readonly piece = new Uint8Array(PIECE);
	/** Bytes that wait in the socket. */
	private available = 0;
	private writable = 0;
	/** Bytes accepted and not yet acknowledged. */
	private unacknowledged = 0;
	/** Acknowledgements sent since the network has last taken some. */
	private sent = 0;
	private readonly digits = new Uint8Array(DIGITS_MAX);
	/** The count's digits, at the end of `digits`; made anew when their number changes. */
	private count = this.digits;
	private readonly nothing = this.digits.subarray(0, 0);
	/** The state's limit, and the next turn of a reading that let the event loop turn. */
	private limit: Timer | undefined;
	private turn: Timer | undefined;

	/** Throws where the SDK cannot make a socket. */
	constructor(options: TransferOptions) {
		this.options = options;
		const { address, port } = options;
		this.tcp = new TCP({
			address,
			port,
			nodelay: true,
			onReadable: (count) => {
				this.available = count;
				if (this.turn === undefined) this.read();
			},
			onWritable: (count) => this.sendable(count),
			onError: () => this.lost(),
		});
		this.wait(options.timeout);
	}

	/** Whether the uploader has been reached. */
	get connected(): boolean {
		return this.state !== "connecting";
	}

	/** Abandons the transfer and its update, without calling onDone. */
	close(): void {
		this.state = "closed";
		Timer.clear(this.limit);
		Timer.clear(this.turn);
		this.limit = this.turn = undefined;
		this.tcp.close();
		this.options.update.close(this.error);
	}

	/** `count` bytes may be sent. */
	private sendable(count: number): void {
		this.writable = count;
		this.sent = 0;
		if (this.state === "connecting") {
			this.state = "receiving";
			this.wait(this.options.timeout);
		}
		this.acknowledge();
	}

	/** The connection failed or ended. */
	private lost(): void {
		const { address, port, byteLength, update } = this.options;
		if (this.state === "connecting") this.error = new UpdateError(ErrorCode.CONNECT, address, port);
		else if (this.state === "receiving") {
			this.error = new UpdateError(ErrorCode.CONNECTION_LOST, update.received, byteLength);
		} else if (this.state === "pausing") this.complete();
		this.finish();
	}

	/**
	 * Whether the connection stands. On the ESP8266 the SDK's read crashes the chip when the peer has reset the
	 * connection, which only a write tells before it: one of nothing is harmless.
	 */
	private get stands(): boolean {
		try {
			return this.tcp.write(this.nothing) !== undefined;
		} catch {
			return false;
		}
	}

	/** The connection ended with bytes that can no longer be read. */
	private lostUnread(): void {
		if (this.state === "pausing") this.error ??= new UpdateError(ErrorCode.SPACE);
		this.lost();
	}

	/** In one piece: the engine's stack has 256 slots, and a call takes a dozen. */
	private read(): void {
		const { update, byteLength, timeout } = this.options;
		let programmed = false;
		while (this.available > 0 && this.state !== "closed") {
			const count = Math.min(this.available, PIECE);
			const piece = count === PIECE ? this.piece : this.piece.subarray(0, count);
			if (!this.stands) {
				this.lostUnread();
				return;
			}
			this.tcp.read(piece);
			this.available -= count;
			// After a failure what still comes is read and dropped: closing on it would reset the connection.
			if (this.error || this.state === "telling") continue;
			try {
				programmed = update.write(piece);
				// The application may have closed this from its callback.
				if (!update.isOpen) return;
				this.unacknowledged += count;
				if (update.received === byteLength) this.pause();
				else if (programmed && this.limit !== undefined) Timer.schedule(this.limit, timeout);
				if (programmed) {
					this.turn ??= Timer.set(this.turned);
					if (this.available > 0) break;
				}
			} catch (error) {
				this.fail(error as UpdateError, count);
			}
		}
		this.acknowledge();
		if (!programmed && this.state === "receiving") update.eraseAhead();
	}

	/** Kept, since a turn comes with every sector. */
	private readonly turned = (): void => {
		this.turn = undefined;
		this.read();
	};

	private pause(): void {
		this.state = "pausing";
		this.wait(this.options.prompt ? 0 : PAUSE);
	}

	/** The state's time is over. */
	private limited(): void {
		this.limit = undefined;
		const { address, port, update } = this.options;
		switch (this.state) {
			case "connecting":
				this.error = new UpdateError(ErrorCode.CONNECT, address, port);
				this.finish();
				break;
			case "receiving": {
				const error = new UpdateError(ErrorCode.STREAM);
				update.close(error);
				this.fail(error, 0);
				break;
			}
			case "pausing":
				// The update is completed only now: a byte too many, come meanwhile, has made it fail.
				this.complete();
				this.tell();
				break;
			default:
				this.finish();
		}
	}

	private complete(): void {
		if (this.error) return;
		try {
			this.options.update.complete();
		} catch (error) {
			this.error = error as UpdateError;
		}
	}

	/** The update failed at a piece of `count` bytes. */
	private fail(error: UpdateError, count: number): void {
		const { update, byteLength } = this.options;
		this.error = error;
		if (this.state === "pausing") return;
		if (update.received < byteLength) this.tell();
		else {
			// The last piece: an espota that took the error for its acknowledgement would wait for ever.
			this.unacknowledged += count;
			this.pause();
		}
	}

	private tell(): void {
		this.acknowledge();
		this.unacknowledged = 0;
		this.state = "telling";
		this.send(new Uint8Array(ArrayBuffer.fromString(this.error ? `${this.error}\n` : "OK")));
		this.wait(TELLING_TIMEOUT);
	}

	private finish(): void {
		this.close();
		this.options.onDone(this.error);
	}

	/** Sends the count of all bytes accepted since the last one; where there is no room now, with the next onWritable. */
	private acknowledge(): void {
		if (this.unacknowledged === 0 || this.sent === ACKNOWLEDGEMENTS_MAX || this.writable < DIGITS_MAX) return;
		let first = DIGITS_MAX;
		for (let rest = this.unacknowledged; rest > 0; rest = Math.floor(rest / 10)) {
			first -= 1;
			this.digits[first] = 48 + (rest % 10);
		}
		if (this.count.length !== DIGITS_MAX - first) this.count = this.digits.subarray(first);
		this.send(this.count);
		this.sent += 1;
		this.unacknowledged = 0;
	}

	private send(bytes: Uint8Array): void {
		if (bytes.length > this.writable) return;
		this.writable -= bytes.length;
		try {
			this.tcp.write(bytes);
		} catch {
			// The connection has ended; onError comes when all that was received has been read.
		}
	}

	private wait(milliseconds: number): void {
		Timer.clear(this.limit);
		this.limit = Timer.set(() => this.limited(), milliseconds);
	}
}
