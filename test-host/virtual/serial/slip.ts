/**
 * SLIP (RFC 1055) as the serial loaders have it: C0 before and behind each packet, in it DB DC stands for C0 and
 * DB DD for DB.
 */
const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** A packet as it goes over the line. */
export function slipFrame(packet: Uint8Array): Uint8Array {
	const framed = [END];
	for (const byte of packet) {
		if (byte === END) framed.push(ESC, ESC_END);
		else if (byte === ESC) framed.push(ESC, ESC_ESC);
		else framed.push(byte);
	}
	framed.push(END);
	return Uint8Array.from(framed);
}

/**
 * Packets out of what a line brings, in pieces of any size. What comes before the first C0 is noise. A packet with
 * a wrong escape, or longer than `lengthMax`, is dropped as a whole; so is an empty one.
 */
export class SlipDecoder {
	readonly #packet: Uint8Array;
	#length = 0;
	#escaped = false;
	/** Until the next C0 nothing counts. */
	#dropping = true;

	constructor(lengthMax: number) {
		this.#packet = new Uint8Array(lengthMax);
	}

	/** The packets that end within `bytes`. */
	push(bytes: Uint8Array): Uint8Array[] {
		const packets: Uint8Array[] = [];
		for (const byte of bytes) {
			if (byte === END) {
				if (!this.#dropping && !this.#escaped && this.#length > 0) {
					packets.push(this.#packet.slice(0, this.#length));
				}
				this.#length = 0;
				this.#escaped = this.#dropping = false;
			} else if (!this.#dropping) this.#take(byte);
		}
		return packets;
	}

	#take(byte: number): void {
		if (byte === ESC && !this.#escaped) {
			this.#escaped = true;
			return;
		}
		const meant = byte === ESC_END ? END : byte === ESC_ESC ? ESC : undefined;
		const value = this.#escaped ? meant : byte;
		this.#escaped = false;
		if (value === undefined || this.#length === this.#packet.length) {
			this.#dropping = true;
			return;
		}
		this.#packet[this.#length++] = value;
	}
}
