/** The near end of a serial line by RFC 2217: sets baud rate, DTR and RTS, and waits until that is done. */
import {
	ANSWER,
	BINARY,
	baudRateBytes,
	COM_PORT,
	comPort,
	DO,
	DTR_OFF,
	DTR_ON,
	escapeTelnet,
	IAC,
	RTS_OFF,
	RTS_ON,
	SET_BAUD_RATE,
	SET_CONTROL,
	SUPPRESS_GO_AHEAD,
	TelnetDecoder,
	WILL,
} from "./telnet";

/** ms for an answer. */
const TIMEOUT = 5000;

export class Rfc2217Client {
	readonly #send: (bytes: Uint8Array) => Promise<void>;
	readonly #waiting = new Map<number, () => void>();
	readonly #decoder = new TelnetDecoder({
		onNegotiation: () => {},
		onComPort: (command) => this.#waiting.get(command)?.(),
	});

	/** `send` takes what goes out as it is. */
	constructor(send: (bytes: Uint8Array) => Promise<void>) {
		this.#send = send;
	}

	/** Throws Error where the far end does not answer as RFC 2217 says. */
	async open(baudRate: number): Promise<void> {
		for (const option of [BINARY, SUPPRESS_GO_AHEAD, COM_PORT]) {
			await this.#send(Uint8Array.of(IAC, WILL, option, IAC, DO, option));
		}
		await this.setBaudRate(baudRate);
	}

	/** The line's bytes among what the network brings. */
	receive(bytes: Uint8Array): Uint8Array {
		return this.#decoder.push(bytes);
	}

	write(bytes: Uint8Array): Promise<void> {
		return this.#send(escapeTelnet(bytes));
	}

	setBaudRate(baudRate: number): Promise<void> {
		return this.#command(SET_BAUD_RATE, baudRateBytes(baudRate));
	}

	async setLines(dtr: boolean, rts: boolean): Promise<void> {
		await this.#command(SET_CONTROL, [dtr ? DTR_ON : DTR_OFF]);
		await this.#command(SET_CONTROL, [rts ? RTS_ON : RTS_OFF]);
	}

	/** Waits for the far end's answer, so that what follows comes after it. */
	async #command(number: number, value: Iterable<number>): Promise<void> {
		const answered = new Promise<void>((resolve, reject) => {
			// Alone it keeps no process alive: where the connection is gone nobody answers.
			const timer = setTimeout(() => reject(new Error("no answer")), TIMEOUT).unref();
			this.#waiting.set(number + ANSWER, () => {
				clearTimeout(timer);
				resolve();
			});
		});
		await Promise.all([this.#send(comPort(number, value)), answered]);
	}
}
