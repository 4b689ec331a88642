/** An uploader that knows nothing of ours: it does on the wire what the Arduino core's espota does. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createSocket, type Socket as UDPSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

function md5(bytes: Uint8Array): string {
	return createHash("md5").update(bytes).digest("hex");
}

/** What espota sends before it waits for an acknowledgement. */
const CHUNK = 1460;

export class Uploader {
	readonly image: Uint8Array;
	readonly #device: number;
	readonly #udp: UDPSocket = createSocket("udp4");
	readonly #server: Server = createServer({ pauseOnConnect: true });
	readonly #answers: string[] = [];
	#waiting: ((answer: string | undefined) => void) | undefined;
	#connections: Socket[] = [];

	private constructor(device: number, image: Uint8Array) {
		this.#device = device;
		this.image = image;
		this.#udp.on("message", (message) => {
			const answer = message.toString();
			if (this.#waiting) this.#waiting(answer);
			else this.#answers.push(answer);
		});
		this.#server.on("connection", (socket) => {
			socket.on("error", () => {});
			this.#connections.push(socket);
			this.#server.emit("accepted");
		});
	}

	/** One that listens for the device at `device`, a UDP port on this machine. */
	static async start(device: number, image: Uint8Array): Promise<Uploader> {
		const uploader = new Uploader(device, image);
		uploader.#udp.bind(0, "127.0.0.1");
		uploader.#server.listen(0, "127.0.0.1");
		await Promise.all([once(uploader.#udp, "listening"), once(uploader.#server, "listening")]);
		return uploader;
	}

	get port(): number {
		return (this.#server.address() as AddressInfo).port;
	}

	/** The invitation for the image; fields may be other ones. */
	invitation(fields: { command?: number; port?: number; size?: number; md5?: string } = {}): string {
		const { command = 0, port = this.port, size = this.image.length } = fields;
		return `${command} ${port} ${size} ${fields.md5 ?? md5(this.image)}\n`;
	}

	send(datagram: string | Uint8Array): void {
		this.#udp.send(datagram, this.#device, "127.0.0.1");
	}

	/** Sends a datagram; the device's next answer, or undefined where none comes in time. */
	async ask(datagram: string | Uint8Array, milliseconds = 3000): Promise<string | undefined> {
		this.send(datagram);
		return this.answer(milliseconds);
	}

	async answer(milliseconds = 3000): Promise<string | undefined> {
		const answered = this.#answers.shift();
		if (answered !== undefined) return answered;
		return new Promise((resolve) => {
			const timer = setTimeout(() => done(undefined), milliseconds);
			const done = (answer: string | undefined) => {
				clearTimeout(timer);
				this.#waiting = undefined;
				resolve(answer);
			};
			this.#waiting = done;
		});
	}

	/** Invites, answers the challenge where one comes, and returns what the device says then. */
	async invite(password?: string, strong = false): Promise<string | undefined> {
		const answer = await this.ask(this.invitation());
		if (password === undefined || !answer?.startsWith("AUTH ")) return answer;
		const nonce = answer.slice(5);
		return this.ask(strong ? this.strongAnswer(password, nonce) : md5Answer(password, nonce));
	}

	strongAnswer(password: string, nonce: string, size = this.image.length, digest = md5(this.image)): string {
		const cnonce = randomBytes(32).toString("hex");
		const key = md5(Buffer.from(password));
		const response = createHmac("sha256", key).update(`${nonce}:${cnonce}:0:${size}:${digest}`).digest("hex");
		return `200 ${cnonce} ${response}\n`;
	}

	/** The device's connection. */
	async accept(): Promise<Socket> {
		if (this.#connections.length === 0) await once(this.#server, "accepted");
		const socket = this.#connections.shift();
		if (!socket) throw new Error("no connection");
		socket.resume();
		return socket;
	}

	/** Sends the image as espota does; what the device sent for each read, and what it said in the end. */
	async upload(): Promise<{ acknowledgements: string[]; result: string }> {
		const socket = await this.accept();
		const reader = new Reader(socket);
		const acknowledgements: string[] = [];
		for (let at = 0; at < this.image.length; at += CHUNK) {
			socket.write(this.image.subarray(at, at + CHUNK));
			const text = await reader.read(32);
			if (text === "") return { acknowledgements, result: "" };
			acknowledgements.push(text);
		}
		let result = "";
		while (!/[EO]/.test(result)) {
			const text = await reader.read(64);
			if (text === "") break;
			result = text;
		}
		socket.end();
		return { acknowledgements, result };
	}

	/** Idempotent. */
	close(): void {
		if (!this.#server.listening) return;
		this.#udp.close();
		this.#server.close();
		for (const socket of this.#connections) socket.destroy();
	}
}

/** The answer of espota and the IDE. */
export function md5Answer(password: string, nonce: string): string {
	const digest = (text: string) => createHash("md5").update(text).digest("hex");
	const cnonce = digest("whatever is about to be sent");
	return `200 ${cnonce} ${digest(`${digest(password)}:${nonce}:${cnonce}`)}\n`;
}

/** recv() of a blocking socket: what is there, at most so many bytes; empty when the peer has closed. */
export class Reader {
	readonly #socket: Socket;
	#received = "";
	#ended = false;
	#wake = () => {};

	constructor(socket: Socket) {
		this.#socket = socket;
		socket.on("data", (bytes) => {
			this.#received += bytes.toString();
			this.#wake();
		});
		for (const event of ["end", "close"]) {
			socket.on(event, () => {
				this.#ended = true;
				this.#wake();
			});
		}
	}

	async read(length: number): Promise<string> {
		while (this.#received === "" && !this.#ended) {
			await new Promise<void>((wake) => {
				this.#wake = wake;
			});
		}
		const text = this.#received.slice(0, length);
		this.#received = this.#received.slice(length);
		return text;
	}

	/** Everything up to the result, or the end; then closes, as uploaders do. */
	async result(): Promise<string> {
		let text = "";
		for (let piece = " "; piece !== "" && !/OK|ERROR.*\n/.test(text); text += piece)
			piece = await this.read(4096);
		this.#socket.end();
		return text;
	}
}
