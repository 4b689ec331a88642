/**
 * The UDP half of ArduinoOTA: invites the device until it takes the update or refuses. States, in order:
 *   inviting   the invitation is out and repeated
 *   asking     the device wants a password and the user is asked; the clock stands still
 *   answered   the password is proved; the invitation is repeated as before, because a device that lost our
 *              answer, or gave up waiting for the user, tells so with another challenge
 *   ended
 */
import { createSocket, type Socket } from "node:dgram";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { type Address, plainAddress } from "./address";
import { answerText, invitationText, type Offer } from "./authentication";
import { printable } from "./text";

/** A device that challenges again and again is not one of ours, nor Arduino's. */
const CHALLENGES_MAX = 8;

export type Password = string | (() => Promise<string | undefined>);

export interface HandshakeOptions {
	device: Address;
	/** UDP port of the device. */
	port: number;
	offer: Offer;
	/** The password, or who asks for it; it is asked at most once. */
	password?: Password | undefined;
	/** Milliseconds in all, without the time that the user takes to type. */
	timeout: number;
	/** Milliseconds after which the invitation is sent again. */
	resendInterval: number;
	/** Ends the handshake without an error. */
	signal: AbortSignal;
}

type State = "inviting" | "asking" | "answered" | "ended";

/**
 * Resolves when the device takes the update (or `signal` ends it). Throws UpdateError NO_ANSWER,
 * PASSWORD_NEEDED, AUTHENTICATION, DEVICE or BAD_ANSWER.
 */
export function shakeHands(options: HandshakeOptions): Promise<void> {
	return new Promise((resolve, reject) => {
		new Handshake(options, resolve, reject).start();
	});
}

class Handshake {
	readonly #options: HandshakeOptions;
	readonly #resolve: () => void;
	readonly #reject: (error: unknown) => void;
	/** One for all messages: the device sends its answers to the port that the first one came from. */
	readonly #socket: Socket;
	#state: State = "inviting";
	#password: string | undefined;
	#nonce = "";
	#answer = "";
	#challenges = 0;
	#limit: NodeJS.Timeout | undefined;
	#resend: NodeJS.Timeout | undefined;

	constructor(options: HandshakeOptions, resolve: () => void, reject: (error: unknown) => void) {
		this.#options = options;
		this.#resolve = resolve;
		this.#reject = reject;
		this.#socket = createSocket(options.device.family === 6 ? "udp6" : "udp4");
	}

	start(): void {
		const { signal } = this.#options;
		if (signal.aborted) {
			this.#end();
			return;
		}
		signal.addEventListener("abort", this.#aborted);
		this.#socket.on("error", () => this.#unanswered());
		this.#socket.on("message", (message, { address }) => {
			// Only the invited device may say what happens to its update.
			if (plainAddress(address) === plainAddress(this.#options.device.address)) {
				this.#receive(message.toString("latin1"));
			}
		});
		this.#invite();
		this.#startClock();
	}

	readonly #aborted = (): void => this.#end();

	#receive(text: string): void {
		if (this.#state === "ended") return;
		const nonce = /^AUTH ([0-9a-f]{64}|[0-9a-f]{32})\s*$/i.exec(text)?.[1];
		if (nonce !== undefined) this.#challenged(nonce);
		else if (text.trim() === "OK") this.#end();
		else if (text.startsWith("Authentication Failed")) this.#fail(ErrorCode.AUTHENTICATION);
		else if (text.startsWith("ERR")) {
			this.#fail(ErrorCode.DEVICE, printable(text.replace(/^ERR: /, "")));
		} else this.#fail(ErrorCode.BAD_ANSWER, printable(text));
	}

	#challenged(nonce: string): void {
		this.#challenges += 1;
		if (this.#challenges > CHALLENGES_MAX) {
			this.#fail(ErrorCode.BAD_ANSWER, "challenged again and again");
			return;
		}
		const known = this.#nonce === nonce && this.#answer !== "";
		this.#nonce = nonce;
		if (this.#state === "asking") return;
		if (known) this.#send(this.#answer);
		else if (this.#password !== undefined) this.#prove(this.#password);
		else this.#ask().catch((error: unknown) => this.#end(error));
	}

	async #ask(): Promise<void> {
		this.#state = "asking";
		this.#stopClock();
		const { password } = this.#options;
		const text = typeof password === "function" ? await password() : password;
		if (this.#isEnded) return;
		if (!text) {
			this.#fail(ErrorCode.PASSWORD_NEEDED);
			return;
		}
		this.#password = text;
		this.#state = "answered";
		this.#prove(text);
		this.#startClock();
	}

	/** A method of its own, since the state may have changed while the user was asked. */
	get #isEnded(): boolean {
		return this.#state === "ended";
	}

	#prove(password: string): void {
		this.#answer = answerText(this.#nonce, password, this.#options.offer);
		this.#send(this.#answer);
	}

	#invite(): void {
		this.#send(invitationText(this.#options.offer));
	}

	#send(text: string): void {
		const { device, port } = this.#options;
		// A datagram that cannot be sent is a lost one: the next one may find the network up.
		this.#socket.send(text, port, device.address, () => undefined);
	}

	#startClock(): void {
		const { timeout, resendInterval } = this.#options;
		this.#limit = setTimeout(() => this.#unanswered(), timeout);
		this.#resend = setInterval(() => this.#invite(), resendInterval);
	}

	#unanswered(): void {
		const { device, port } = this.#options;
		this.#fail(ErrorCode.NO_ANSWER, device.address, port);
	}

	#stopClock(): void {
		clearTimeout(this.#limit);
		clearInterval(this.#resend);
	}

	#fail(code: ErrorCode, ...values: readonly (string | number)[]): void {
		this.#end(new UpdateError(code, ...values));
	}

	#end(error?: unknown): void {
		if (this.#state === "ended") return;
		this.#state = "ended";
		this.#stopClock();
		this.#options.signal.removeEventListener("abort", this.#aborted);
		this.#socket.close();
		if (error === undefined) this.#resolve();
		else this.#reject(error);
	}
}
