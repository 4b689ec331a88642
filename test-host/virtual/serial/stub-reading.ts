/** READ_FLASH of the stub: packets of data, so many at once without an acknowledgement, then their MD5. */
import { createHash } from "node:crypto";
import type { NorFlash } from "../nor";

export interface StubReadingOptions {
	flash: NorFlash;
	offset: number;
	length: number;
	/** Bytes in a packet. */
	packetLength: number;
	/** Packets that may be on their way. */
	window: number;
	send(packet: Uint8Array): void;
}

export class StubReading {
	/** All was acknowledged, and the MD5 sent. */
	over = false;
	readonly #options: StubReadingOptions;
	readonly #hash = createHash("md5");
	#sent = 0;
	#acknowledged = 0;

	constructor(options: StubReadingOptions) {
		this.#options = options;
		this.#advance();
	}

	/** Takes an acknowledgement: the bytes that have arrived, four of them. */
	acknowledge(packet: Uint8Array): void {
		if (packet.length !== 4) return;
		const count = new DataView(packet.buffer, packet.byteOffset, 4).getUint32(0, true);
		if (count <= this.#acknowledged || count > this.#sent) return;
		this.#acknowledged = count;
		this.#advance();
	}

	#advance(): void {
		const { flash, offset, length, packetLength, window, send } = this.#options;
		while (this.#sent < length && this.#sent - this.#acknowledged < window * packetLength) {
			const packet = new Uint8Array(Math.min(packetLength, length - this.#sent));
			flash.read(offset + this.#sent, packet);
			this.#hash.update(packet);
			this.#sent += packet.length;
			send(packet);
		}
		if (this.#acknowledged < length) return;
		this.over = true;
		send(this.#hash.digest());
	}
}
