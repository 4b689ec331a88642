/** Telnet (RFC 854) as far as its option for serial ports (RFC 2217) needs it: the same at both ends. */
export const IAC = 0xff;
export const DONT = 0xfe;
export const DO = 0xfd;
export const WONT = 0xfc;
export const WILL = 0xfb;
const SB = 0xfa;
const SE = 0xf0;

export const BINARY = 0;
export const SUPPRESS_GO_AHEAD = 3;
export const COM_PORT = 44;

/** Commands of the option COM_PORT; the answer to one has its number and 100. */
export const SET_BAUD_RATE = 1;
export const SET_CONTROL = 5;
export const ANSWER = 100;

/** Values of SET_CONTROL. */
export const DTR_ON = 8;
export const DTR_OFF = 9;
export const RTS_ON = 11;
export const RTS_OFF = 12;

/** The longest that a subnegotiation may be; what is longer is cut. */
const SUBNEGOTIATION_MAX = 64;

export interface TelnetEvents {
	/** DO, DONT, WILL or WONT with an option. */
	onNegotiation(verb: number, option: number): void;
	/** A command of the option COM_PORT with its value. */
	onComPort(command: number, value: readonly number[]): void;
}

/** Bytes for the line: IAC among them is doubled. */
export function escapeTelnet(bytes: Iterable<number>): Uint8Array {
	const escaped: number[] = [];
	for (const byte of bytes) {
		if (byte === IAC) escaped.push(IAC);
		escaped.push(byte);
	}
	return Uint8Array.from(escaped);
}

/** A command of the option COM_PORT. */
export function comPort(command: number, value: Iterable<number>): Uint8Array {
	return Uint8Array.of(IAC, SB, COM_PORT, command, ...escapeTelnet(value), IAC, SE);
}

/** A baud rate as SET_BAUD_RATE has it. */
export function baudRateBytes(baudRate: number): Uint8Array {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, baudRate);
	return bytes;
}

export class TelnetDecoder {
	readonly #events: TelnetEvents;
	#state: "data" | "command" | "option" | "subnegotiation" | "subnegotiation command" = "data";
	#verb = 0;
	#subnegotiation: number[] = [];

	constructor(events: TelnetEvents) {
		this.#events = events;
	}

	/** The line's bytes among what the network brings. */
	push(bytes: Uint8Array): Uint8Array {
		const data: number[] = [];
		for (const byte of bytes) {
			if (this.#state === "data" && byte !== IAC) data.push(byte);
			else if (this.#state === "command" && byte === IAC) {
				data.push(byte);
				this.#state = "data";
			} else this.#step(byte);
		}
		return Uint8Array.from(data);
	}

	#step(byte: number): void {
		switch (this.#state) {
			case "data":
				this.#state = "command";
				return;
			case "command":
				this.#verb = byte;
				this.#subnegotiation = [];
				this.#state = byte === SB ? "subnegotiation" : byte >= WILL ? "option" : "data";
				return;
			case "option":
				this.#state = "data";
				this.#events.onNegotiation(this.#verb, byte);
				return;
			case "subnegotiation":
				if (byte === IAC) this.#state = "subnegotiation command";
				else this.#keep(byte);
				return;
			default:
				this.#state = byte === IAC ? "subnegotiation" : "data";
				if (byte === IAC) this.#keep(byte);
				else if (byte === SE) this.#end();
		}
	}

	#keep(byte: number): void {
		if (this.#subnegotiation.length < SUBNEGOTIATION_MAX) this.#subnegotiation.push(byte);
	}

	#end(): void {
		const [option, command, ...value] = this.#subnegotiation;
		if (option === COM_PORT && command !== undefined) this.#events.onComPort(command, value);
	}
}
