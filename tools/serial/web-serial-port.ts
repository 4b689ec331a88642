/** A wire in the shape of the browsers' Web Serial, which esptool-js speaks to. */
import { ErrorCode, UpdateError } from "../../ota/errors";
import { hasLines, openWire, type Wire } from "./wire";

/** An empty packet of the loaders. */
const EMPTY_PACKET = Uint8Array.of(0xc0, 0xc0);

export class WebSerialPort {
	readable: ReadableStream<Uint8Array> | null = null;
	writable: WritableStream<Uint8Array> | null = null;
	/** The other end is gone: why. */
	lost: UpdateError | undefined;
	/** DTR, RTS and the baud rate reach the board. */
	readonly hasLines: boolean;
	readonly #name: string;
	#wire: Wire | undefined;
	#dtr = false;
	#rts = false;

	constructor(name: string) {
		this.#name = name;
		this.hasLines = hasLines(name);
	}

	getInfo(): { usbVendorId?: number; usbProductId?: number } {
		return {};
	}

	/** Throws UpdateError PORT. */
	async open({ baudRate }: { baudRate: number }): Promise<void> {
		let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
		this.readable = new ReadableStream({
			start(given) {
				controller = given;
			},
		});
		this.lost = undefined;
		const wire = await openWire(this.#name, baudRate, {
			onData: (bytes) => controller?.enqueue(bytes),
			onLost: (reason) => {
				this.lost = reason ?? new UpdateError(ErrorCode.CABLE_LOST, this.#name);
				// Wakes who waits for an answer, so that it looks and finds the port lost.
				controller?.enqueue(EMPTY_PACKET);
			},
		});
		this.#wire = wire;
		this.writable = new WritableStream({
			write: (bytes) => {
				if (this.lost) throw this.lost;
				return wire.write(bytes);
			},
		});
	}

	/** A line that is not named stays as it is. */
	async setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }): Promise<void> {
		this.#dtr = signals.dataTerminalReady ?? this.#dtr;
		this.#rts = signals.requestToSend ?? this.#rts;
		await this.#wire?.setLines(this.#dtr, this.#rts);
	}

	/** Without closing: many boards would restart. */
	async setBaudRate(baudRate: number): Promise<void> {
		await this.#wire?.setBaudRate(baudRate);
	}

	async close(): Promise<void> {
		const wire = this.#wire;
		this.#wire = undefined;
		this.readable = this.writable = null;
		await wire?.close();
	}
}
