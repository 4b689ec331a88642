/**
 * The far end of a serial line by Telnet (RFC 854) with its option for serial ports (RFC 2217): baud rate, DTR and
 * RTS beside the bytes.
 */

/** The first byte of a Telnet command, with which a client of RFC 2217 begins. */
export const IAC = 0xff;
const DONT = 0xfe;
const DO = 0xfd;
const WONT = 0xfc;
const WILL = 0xfb;
const SB = 0xfa;
const SE = 0xf0;

const BINARY = 0;
const SUPPRESS_GO_AHEAD = 3;
const COM_PORT = 44;
const options: readonly number[] = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT];

const SET_BAUD_RATE = 1;
const SET_CONTROL = 5;
/** An answer has the question's number and this. */
const ANSWER = 100;
const DTR_ON = 8;
const DTR_OFF = 9;
const RTS_ON = 11;
const RTS_OFF = 12;

/** The longest that a subnegotiation may be; what is longer is dropped. */
const SUBNEGOTIATION_MAX = 64;

export interface SerialControl {
	baudRate?: number;
	dtr?: boolean;
	rts?: boolean;
}

export class Rfc2217 {
	readonly #send: (bytes: Uint8Array) => void;
	readonly #onControl: (control: SerialControl) => void;
	#state: "data" | "command" | "option" | "subnegotiation" | "subnegotiation command" = "data";
	#verb = 0;
	#subnegotiation: number[] = [];
	readonly #agreed = new Set<number>();
	#baudRate = 115_200;

	/** `send` gets what goes out as it is. */
	constructor(send: (bytes: Uint8Array) => void, onControl: (control: SerialControl) => void) {
		this.#send = send;
		this.#onControl = onControl;
	}

	/** The line's bytes among what the network brings. */
	receive(bytes: Uint8Array): Uint8Array {
		const data: number[] = [];
		for (const byte of bytes) {
			const datum = this.#step(byte);
			if (datum !== undefined) data.push(datum);
		}
		return Uint8Array.from(data);
	}

	/** The line's bytes for the network. */
	encode(bytes: Uint8Array): Uint8Array {
		const encoded: number[] = [];
		for (const byte of bytes) {
			if (byte === IAC) encoded.push(IAC);
			encoded.push(byte);
		}
		return Uint8Array.from(encoded);
	}

	#step(byte: number): number | undefined {
		switch (this.#state) {
			case "data":
				if (byte !== IAC) return byte;
				this.#state = "command";
				return undefined;
			case "command":
				this.#state = "data";
				if (byte === IAC) return byte;
				if (byte === SB) {
					this.#subnegotiation = [];
					this.#state = "subnegotiation";
				} else if (byte >= WILL) {
					this.#verb = byte;
					this.#state = "option";
				}
				return undefined;
			case "option":
				this.#state = "data";
				this.#negotiate(this.#verb, byte);
				return undefined;
			case "subnegotiation":
				if (byte === IAC) this.#state = "subnegotiation command";
				else this.#keep(byte);
				return undefined;
			default:
				this.#state = byte === IAC ? "subnegotiation" : "data";
				if (byte === IAC) this.#keep(byte);
				if (byte === SE) this.#control(this.#subnegotiation);
				return undefined;
		}
	}

	#keep(byte: number): void {
		if (this.#subnegotiation.length < SUBNEGOTIATION_MAX) this.#subnegotiation.push(byte);
	}

	/** Each wish is answered once, or two ends would agree for ever. */
	#negotiate(verb: number, option: number): void {
		const known = options.includes(option);
		if (verb === DONT || verb === WONT) return;
		const key = verb * 256 + option;
		if (this.#agreed.has(key)) return;
		if (known) this.#agreed.add(key);
		if (verb === DO) this.#send(Uint8Array.of(IAC, known ? WILL : WONT, option));
		else this.#send(Uint8Array.of(IAC, known ? DO : DONT, option));
	}

	#control([option, command = 0, ...value]: readonly number[]): void {
		if (option !== COM_PORT || command >= ANSWER) return;
		let answer: readonly number[] = value;
		if (command === SET_BAUD_RATE && value.length === 4) {
			const baudRate = Buffer.from(value).readUInt32BE();
			// 0 only asks.
			if (baudRate !== 0) {
				this.#baudRate = baudRate;
				this.#onControl({ baudRate });
			}
			const now = Buffer.alloc(4);
			now.writeUInt32BE(this.#baudRate);
			answer = [...now];
		}
		if (command === SET_CONTROL) {
			const [line] = value;
			if (line === DTR_ON || line === DTR_OFF) this.#onControl({ dtr: line === DTR_ON });
			if (line === RTS_ON || line === RTS_OFF) this.#onControl({ rts: line === RTS_ON });
		}
		this.#send(
			Uint8Array.of(IAC, SB, COM_PORT, command + ANSWER, ...this.encode(Uint8Array.from(answer)), IAC, SE),
		);
	}
}
