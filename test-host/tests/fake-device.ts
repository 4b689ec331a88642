/**
 * A device with ArduinoOTA on real sockets of this machine, for the uploader's tests. It behaves as the
 * Arduino core does, with faults to order; with a nonce of 64 digits, as ours.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket as UDPSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";

export interface FakeDeviceOptions {
	password?: string;
	/** Digits of the nonce: 32 as the Arduino core, 64 as ours. */
	nonceDigits?: 32 | 64;
	/** Drops the first so many datagrams. */
	deaf?: number;
	/** Drops the first so many authentications. */
	deafToAnswers?: number;
	/** Answers an invitation with this text and does no more. */
	answer?: string;
	/** Takes the update without saying so. */
	withoutOK?: boolean;
	/** Address that it connects from; `none` if not at all. */
	connectFrom?: string | "none";
	/** Called when the connection stands, in place of the usual reception. */
	receive?: (socket: Socket) => void;
	/** No pause between the last count and the result, as ours. */
	prompt?: boolean;
	/** The result in place of OK. */
	result?: string;
}

/** The core waits 1 s, so that a result is not read together with a count. */
const PAUSE = 30;
const PIECE = 1460;

export class FakeDevice {
	/** Datagrams as they came, with the port that they came from. */
	readonly datagrams: { text: string; port: number }[] = [];
	/** What came over TCP. */
	received = Buffer.alloc(0);
	readonly #options: FakeDeviceOptions;
	readonly #udp: UDPSocket;
	readonly #sockets: Socket[] = [];
	#dropped = 0;
	#closed = false;
	#nonce = "";
	#invitation: string[] = [];

	private constructor(udp: UDPSocket, options: FakeDeviceOptions) {
		this.#udp = udp;
		this.#options = options;
		udp.on("message", (message, sender) => this.#receive(message.toString(), sender));
	}

	static async start(options: FakeDeviceOptions = {}): Promise<FakeDevice> {
		const udp = createSocket("udp4");
		udp.bind(0, "127.0.0.1");
		await once(udp, "listening");
		return new FakeDevice(udp, options);
	}

	/** UDP port. */
	get port(): number {
		return this.#udp.address().port;
	}

	/** Fields of the invitation that was taken. */
	get invitation(): { command: string; port: number; size: number; md5: string } {
		const [command = "", port = "", size = "", md5 = ""] = this.#invitation;
		return { command, port: Number(port), size: Number(size), md5 };
	}

	/** May be called again. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#udp.close();
		for (const socket of this.#sockets) socket.destroy();
	}

	#receive(text: string, sender: RemoteInfo): void {
		this.datagrams.push({ text, port: sender.port });
		if (this.datagrams.length <= (this.#options.deaf ?? 0)) return;
		if (this.#nonce) this.#authenticate(text, sender);
		else this.#invited(text, sender);
	}

	#invited(text: string, sender: RemoteInfo): void {
		const fields = /^(0|100) (\d+) (\d+) ([0-9a-f]{32})\n$/.exec(text)?.slice(1);
		if (!fields) return;
		this.#invitation = fields;
		const { answer, password, nonceDigits = 32 } = this.#options;
		if (answer !== undefined) this.#reply(answer, sender);
		else if (password !== undefined) {
			this.#nonce = randomBytes(nonceDigits / 2).toString("hex");
			this.#reply(`AUTH ${this.#nonce}`, sender);
		} else this.#begin(sender);
	}

	/** As in the core, whatever is no authentication ends the wait for one without a word. */
	#authenticate(text: string, sender: RemoteInfo): void {
		const [, cnonce, response] = /^200 ([0-9a-f]+) ([0-9a-f]+)\n$/.exec(text) ?? [];
		if (cnonce !== undefined && this.#dropped < (this.#options.deafToAnswers ?? 0)) {
			this.#dropped += 1;
			return;
		}
		const nonce = this.#nonce;
		this.#nonce = "";
		if (cnonce === undefined || response === undefined || cnonce.length !== nonce.length) return;
		if (response === this.#expected(nonce, cnonce)) this.#begin(sender);
		else this.#reply("Authentication Failed", sender);
	}

	#expected(nonce: string, cnonce: string): string {
		const key = md5(this.#options.password ?? "");
		if (nonce.length === 32) return md5(`${key}:${nonce}:${cnonce}`);
		const { command, size, md5: digest } = this.invitation;
		const message = `${nonce}:${cnonce}:${command}:${size}:${digest}`;
		return createHmac("sha256", key).update(message).digest("hex");
	}

	#begin(sender: RemoteInfo): void {
		const { withoutOK, connectFrom = "127.0.0.1", receive } = this.#options;
		if (!withoutOK) this.#reply("OK", sender);
		if (connectFrom === "none") return;
		// An address of this machine that is not the device's reaches the uploader all the same.
		const socket = connect({ host: connectFrom, port: this.invitation.port, localAddress: connectFrom });
		this.#sockets.push(socket);
		socket.setNoDelay(true);
		socket.on("error", () => undefined);
		socket.on("connect", () => (receive ? receive(socket) : this.#take(socket)));
	}

	#take(socket: Socket): void {
		const { size } = this.invitation;
		socket.on("data", (bytes) => {
			this.received = Buffer.concat([this.received, bytes]);
			for (let rest = bytes.length; rest > 0; rest -= PIECE) socket.write(String(Math.min(rest, PIECE)));
			if (this.received.length < size) return;
			if (this.#options.prompt) this.#conclude(socket);
			else setTimeout(() => this.#conclude(socket), PAUSE);
		});
	}

	#conclude(socket: Socket): void {
		const calculated = md5(this.received);
		const expected = this.invitation.md5;
		const good = `ERROR[7]: MD5 verification failed: expected: ${expected}, calculated: ${calculated}\n`;
		socket.write(this.#options.result ?? (calculated === expected ? "OK" : good));
	}

	#reply(text: string, sender: RemoteInfo): void {
		this.#udp.send(text, sender.port, sender.address);
	}
}

export function md5(content: string | Uint8Array): string {
	return createHash("md5").update(content).digest("hex");
}

/** An address of this machine other than 127.0.0.1. */
export function otherAddress(): string {
	const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
	return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.2";
}
