/**
 * Receives updates as the Arduino core's ArduinoOTA does: an invitation by UDP, a password where one is set,
 * then the bytes by TCP, the device as client. States, in order:
 *   idle        waits for an invitation
 *   delayed     an invitation came, but after a wrong password the challenge has to wait
 *   challenged  a nonce is out, for the peer that invited
 *   updating    a transfer is under way
 *   done        the update is verified; the device restarts, or waits for the application to do it
 *   closed
 */
import UDP from "embedded:io/socket/udp";
import Timer from "timer";
import { Advertisement } from "./advertisement";
import { PasswordGuard, passwordHash } from "./authentication";
import type { Board } from "./board";
import { ErrorCode, UpdateError } from "./errors";
import { isHex } from "./hex";
import { type Invitation, MESSAGE_LENGTH_MAX, parseAuthentication, parseInvitation } from "./invitation";
import { kindOf, type UpdateKind } from "./kind";
import { Transfer } from "./transfer";
import type { Update } from "./update";
import type { Updater } from "./updater";

const PORT = 8266;
/** The NodeMCU 1.0 in the Arduino core's boards.txt. */
const BOARD = "nodemcuv2";
/** How long a peer may take to answer a challenge; espota itself waits as long for ours. */
const CHALLENGE_TIMEOUT = 10_000;
/** Lets the network finish what onEnd sent. The core waits as long. */
const RESTART_DELAY = 100;

/** Where an update failed: the core's ota_error_t. */
export const Stage = Object.freeze({ AUTH: 0, BEGIN: 1, CONNECT: 2, RECEIVE: 3, END: 4 } as const);
export type Stage = (typeof Stage)[keyof typeof Stage];

export interface ArduinoOTAOptions {
	updater: Updater;
	board: Board;
	/** UDP port, 8266 where not given. */
	port?: number | undefined;
	/** `esp8266-` and the chip id in hexadecimal where not given. */
	hostName?: string | undefined;
	password?: string | undefined;
	/** MD5 of the password in hexadecimal, in place of the password. */
	passwordHash?: string | undefined;
	/** Refuses the MD5 answer of espota and the IDE; `ota8266 upload` gives the strong one. */
	strongAuthentication?: boolean | undefined;
	/** Restarts into the update by itself; true where not given. Else the application calls `updater.restart()`. */
	rebootOnSuccess?: boolean | undefined;
	/** Milliseconds without 4,096 more bytes before a transfer is given up; 10,000 where not given. */
	timeout?: number | undefined;
	/** Announces the board by DNS-SD; true where not given. */
	dnssd?: boolean | undefined;
	/** Id of the board in the Arduino core's boards.txt, for the IDE; `nodemcuv2` where not given. */
	boardId?: string | undefined;
	onStart?(kind: UpdateKind): void;
	onProgress?(done: number, total: number): void;
	onEnd?(kind: UpdateKind): void;
	onError?(stage: Stage, error: UpdateError): void;
}

/** The SDK's typings leave out that it can be closed. */
type Socket = UDP & { close(): void };

type State = "idle" | "delayed" | "challenged" | "updating" | "done" | "closed";

export class ArduinoOTA {
	readonly #options: ArduinoOTAOptions;
	readonly #udp: Socket;
	readonly #guard: PasswordGuard | undefined;
	readonly #advertisement: Advertisement | undefined;
	#state: State = "idle";
	#invitation: Invitation | undefined;
	/** Who sent the invitation. */
	#address = "";
	#port = 0;
	#transfer: Transfer | undefined;
	/** Ends the wait for an answer. */
	#limit: Timer | undefined;
	/** Set while a challenge has to wait because of a wrong password. */
	#penalty: Timer | undefined;

	/** Throws where the port is taken, RangeError where passwordHash is no MD5. */
	constructor(options: ArduinoOTAOptions) {
		this.#options = options;
		const { board, password, port = PORT, boardId = BOARD, dnssd = true } = options;
		const hash = options.passwordHash?.toLowerCase() || (password ? passwordHash(password) : "");
		if (hash && !isHex(hash, 32)) throw new RangeError("passwordHash: 32 hexadecimal digits wanted");
		if (hash) this.#guard = new PasswordGuard({ board, hash, strong: options.strongAuthentication ?? false });
		this.#udp = new UDP({ port, onReadable: (packets) => this.#readable(packets) }) as Socket;
		if (dnssd) {
			const chipId = board.chipId.toString(16).padStart(6, "0");
			const hostName = options.hostName || `esp8266-${chipId}`;
			const authentication = this.#guard !== undefined;
			this.#advertisement = new Advertisement({ hostName, port, board: boardId, authentication });
		}
	}

	/** Stops listening; an update under way is abandoned. */
	close(): void {
		if (this.#state === "closed") return;
		this.#state = "closed";
		Timer.clear(this.#limit);
		Timer.clear(this.#penalty);
		this.#transfer?.close();
		this.#advertisement?.close();
		this.#udp.close();
	}

	#readable(packets: number): void {
		for (; packets > 0 && this.#state !== "closed"; packets--) {
			const packet = this.#udp.read();
			if (packet) this.#receive(new Uint8Array(packet), packet.address, packet.port);
		}
	}

	/** Takes one datagram. */
	#receive(message: Uint8Array, address: string, port: number): void {
		if (message.length > MESSAGE_LENGTH_MAX || this.#state === "closed" || this.#state === "done") return;
		const invitation = parseInvitation(message);
		if (invitation) this.#invited(invitation, address, port);
		else if (this.#state === "challenged" && address === this.#address && port === this.#port) {
			const answer = parseAuthentication(message);
			if (answer) this.#answered(answer);
		}
	}

	#invited(invitation: Invitation, address: string, port: number): void {
		if (kindOf(invitation.command) === undefined) return;
		const repeated = address === this.#address && port === this.#port && equals(invitation, this.#invitation);
		if (this.#state === "updating") {
			if (!repeated) this.#send(refusal(new UpdateError(ErrorCode.RUNNING_ALREADY)), address, port);
			else if (this.#transfer && !this.#transfer.connected) this.#reply("OK");
			return;
		}
		this.#invitation = invitation;
		this.#address = address;
		this.#port = port;
		if (!this.#guard) this.#accept(invitation, false);
		else if (this.#penalty !== undefined) this.#state = "delayed";
		// The same again: our answer was lost. The nonce stays, for the answer that may be on its way.
		else if (repeated && this.#state === "challenged") this.#reply(`AUTH ${this.#guard.nonce}`);
		else this.#challenge(this.#guard);
	}

	#challenge(guard: PasswordGuard): void {
		this.#state = "challenged";
		this.#reply(`AUTH ${guard.challenge()}`);
		Timer.clear(this.#limit);
		this.#limit = Timer.set(() => {
			guard.forget();
			this.#idle();
		}, CHALLENGE_TIMEOUT);
	}

	#answered(answer: { cnonce: string; response: string }): void {
		const guard = this.#guard;
		const invitation = this.#invitation;
		if (!guard || !invitation) return;
		if (guard.verify(answer, invitation)) {
			this.#accept(invitation, answer.response.length === 64);
			return;
		}
		this.#reply("Authentication Failed");
		this.#idle();
		this.#penalty = Timer.set(() => {
			this.#penalty = undefined;
			if (this.#state === "delayed") this.#challenge(guard);
		}, guard.delay);
		this.#options.onError?.(Stage.AUTH, new UpdateError(ErrorCode.PASSWORD, this.#address));
	}

	/** Begins in a turn of its own: from within a datagram's, the engine's stack would not do. */
	#accept(invitation: Invitation, prompt: boolean): void {
		this.#state = "updating";
		Timer.clear(this.#limit);
		this.#limit = Timer.set(() => this.#begin(invitation, prompt));
	}

	#begin(invitation: Invitation, prompt: boolean): void {
		const { updater, timeout = 10_000, onStart, onProgress, onError } = this.#options;
		const { command, port, size: byteLength, md5 } = invitation;
		const kind = kindOf(command) ?? "firmware";
		this.#limit = undefined;
		let update: Update;
		try {
			update = updater.open({
				kind,
				byteLength,
				md5,
				...(onProgress && { onProgress }),
			});
		} catch (error) {
			this.#reply(refusal(error as UpdateError));
			this.#idle();
			onError?.(Stage.BEGIN, error as UpdateError);
			return;
		}
		this.#reply("OK");
		onStart?.(kind);
		onProgress?.(0, byteLength);
		// The application may have closed this from there.
		if (this.#state !== "updating") {
			update.close();
			return;
		}
		const address = this.#address;
		const onDone = (error: UpdateError | undefined) => this.#done(kind, byteLength, update, error);
		try {
			this.#transfer = new Transfer({ address, port, byteLength, update, timeout, prompt, onDone });
		} catch {
			update.close();
			onDone(new UpdateError(ErrorCode.CONNECT, address, port));
		}
	}

	#done(kind: UpdateKind, byteLength: number, update: Update, error: UpdateError | undefined): void {
		const { onEnd, onError, rebootOnSuccess = true, updater } = this.#options;
		this.#transfer = undefined;
		if (this.#isClosed) return;
		this.#idle();
		if (error) {
			let stage: Stage = update.received === byteLength ? Stage.END : Stage.RECEIVE;
			if (error.code === ErrorCode.CONNECT) stage = Stage.CONNECT;
			onError?.(stage, error);
			return;
		}
		onEnd?.(kind);
		if (!rebootOnSuccess || this.#isClosed) return;
		this.#state = "done";
		this.#limit = Timer.set(() => updater.restart(), RESTART_DELAY);
	}

	/** The application may close this from any of its callbacks. */
	get #isClosed(): boolean {
		return this.#state === "closed";
	}

	#idle(): void {
		Timer.clear(this.#limit);
		this.#limit = undefined;
		this.#invitation = undefined;
		this.#state = "idle";
	}

	#reply(text: string): void {
		this.#send(text, this.#address, this.#port);
	}

	#send(text: string, address: string, port: number): void {
		try {
			this.#udp.write(ArrayBuffer.fromString(text), address, port);
		} catch {
			// A datagram that cannot be sent is a lost one; the uploader asks again or gives up.
		}
	}
}

function refusal(error: UpdateError): string {
	return `ERR: ${error}\n`;
}

function equals(a: Invitation, b: Invitation | undefined): boolean {
	return (
		b !== undefined && a.command === b.command && a.port === b.port && a.size === b.size && a.md5 === b.md5
	);
}
