/** The uploader's side of ArduinoOTA on the bench: an unmodified espota.py, and `ota8266 upload`. */
import { createHash } from "node:crypto";
import { answerText, invitationText, type Offer } from "../../../tools/espota/authentication";
import type { Machine } from "../machine";
import type { TcpEnd } from "../tcp";

const OTA_PORT = 8266;
/** espota.py sends so much, then waits for whatever the device says to it. */
const CHUNK = 1460;

const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
const bytesOf = (message: string) => new TextEncoder().encode(message);

interface UploaderOptions {
	image: Uint8Array;
	/** `ota8266 upload`, or a stock espota where not given. */
	eager?: boolean;
	password?: string | undefined;
}

/** Invites the board and sends it the image. Throws Error where the board refuses. */
export function startUploader(machine: Machine, options: UploaderOptions): void {
	const { pc } = machine.network;
	const { image, password } = options;
	const port = pc.freePort();
	const from = pc.freePort();
	const md5 = createHash("md5").update(image).digest("hex");
	const offer: Offer = { command: 0, port, size: image.length, md5 };
	pc.tcp.set(port, (end) => new Sending(end, options));
	pc.udp.set(from, (bytes) => {
		const message = text(bytes);
		const [, nonce] = /^AUTH ([0-9a-f]+)/.exec(message) ?? [];
		if (nonce && password) pc.datagram(bytesOf(answerText(nonce, password, offer)), from, OTA_PORT);
		else if (message !== "OK") throw new Error(`the board says: ${message}`);
	});
	pc.datagram(bytesOf(invitationText(offer)), from, OTA_PORT);
}

class Sending {
	readonly #end: TcpEnd;
	readonly #image: Uint8Array;
	#sent = 0;
	#said = "";

	constructor(end: TcpEnd, { image, eager = false }: UploaderOptions) {
		this.#end = end;
		this.#image = image;
		// Node's socket takes the next piece when the kernel has the one before, whose buffer is large.
		const piece = eager ? image.length : CHUNK;
		end.sender.nodelay = eager;
		end.onConnected = () => this.#send(piece);
		end.receiver.onReadable = () => this.#readable(piece);
	}

	#readable(piece: number): void {
		const { receiver, sender } = this.#end;
		const bytes = new Uint8Array(receiver.available);
		receiver.read(bytes);
		this.#said += text(bytes);
		if (this.#said.includes("ERR")) throw new Error(`the board says: ${this.#said}`);
		if (this.#said.endsWith("OK")) sender.end();
		else if (bytes.length > 0) this.#send(piece);
	}

	#send(length: number): void {
		this.#end.sender.write(this.#image.subarray(this.#sent, this.#sent + length));
		this.#sent += length;
	}
}
