/** The far end of a serial line by RFC 2217: baud rate, DTR and RTS beside the bytes. */
import {
	ANSWER,
	BINARY,
	baudRateBytes,
	COM_PORT,
	comPort,
	DO,
	DONT,
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
	WONT,
} from "../../../tools/serial/telnet";

const options: readonly number[] = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT];

export interface SerialControl {
	baudRate?: number;
	dtr?: boolean;
	rts?: boolean;
}

export class Rfc2217 {
	readonly #send: (bytes: Uint8Array) => void;
	readonly #onControl: (control: SerialControl) => void;
	readonly #agreed = new Set<number>();
	readonly #decoder = new TelnetDecoder({
		onNegotiation: (verb, option) => this.#negotiate(verb, option),
		onComPort: (command, value) => this.#control(command, value),
	});
	#baudRate = 115_200;

	/** `send` gets what goes out as it is. */
	constructor(send: (bytes: Uint8Array) => void, onControl: (control: SerialControl) => void) {
		this.#send = send;
		this.#onControl = onControl;
	}

	/** The line's bytes among what the network brings. */
	receive(bytes: Uint8Array): Uint8Array {
		return this.#decoder.push(bytes);
	}

	/** The line's bytes for the network. */
	encode(bytes: Uint8Array): Uint8Array {
		return escapeTelnet(bytes);
	}

	/** Each wish is answered once, or two ends would agree for ever. */
	#negotiate(verb: number, option: number): void {
		if (verb === DONT || verb === WONT) return;
		const known = options.includes(option);
		const wish = verb * 256 + option;
		if (this.#agreed.has(wish)) return;
		if (known) this.#agreed.add(wish);
		const answer = verb === DO ? (known ? WILL : WONT) : known ? DO : DONT;
		this.#send(Uint8Array.of(IAC, answer, option));
	}

	#control(command: number, value: readonly number[]): void {
		if (command >= ANSWER) return;
		let answer: Iterable<number> = value;
		if (command === SET_BAUD_RATE && value.length === 4) {
			const baudRate = Buffer.from(value).readUInt32BE();
			// 0 only asks.
			if (baudRate !== 0) {
				this.#baudRate = baudRate;
				this.#onControl({ baudRate });
			}
			answer = baudRateBytes(this.#baudRate);
		}
		if (command === SET_CONTROL) {
			const [line] = value;
			if (line === DTR_ON || line === DTR_OFF) this.#onControl({ dtr: line === DTR_ON });
			if (line === RTS_ON || line === RTS_OFF) this.#onControl({ rts: line === RTS_ON });
		}
		this.#send(comPort(command + ANSWER, answer));
	}
}
