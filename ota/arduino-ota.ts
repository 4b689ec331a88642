/**
 * Receives updates as the Arduino core's ArduinoOTA does: an invitation by UDP, a password where one is set,
 * then the bytes by TCP, the device as client. States, in order:
 *   waiting     for invitations, and for answers to the challenges that are out
 *   updating    a transfer is under way
 *   done        the update is verified; the device restarts, or waits for the application to do it
 *   closed
 */
import UDP from "embedded:io/socket/udp";
import Timer from "timer";
import { Advertisement } from "./advertisement";
import { PasswordGuard, passwordHash } from "./authentication";
import { type Board, defaultHostName } from "./board";
import { ErrorCode, UpdateError } from "./errors";
import { isHex } from "./hex";
import {
	type Authentication,
	type Invitation,
	MESSAGE_LENGTH_MAX,
	parseAuthentication,
	parseInvitation,
} from "./invitation";
import { kindOf, type UpdateKind } from "./kind";
import { Transfer } from "./transfer";
import type { Update } from "./update";
import type { Updater } from "./updater";

const PORT = 8266;
/** The NodeMCU 1.0 in the Arduino core's boards.txt. */
const BOARD = "nodemcuv2";
/**
 * Invitations that wait for their challenge or its answer, one of an address: a stranger who invites all the
 * time keeps nobody else away.
 */
const PENDING_MAX = 4;
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

type State = "waiting" | "updating" | "done" | "closed";

/** An invitation, and who sent it. */
interface Pending {
	invitation: Invitation;
	address: string;
	port: number;
	/** Empty while the challenge has to wait because of a wrong password. */
	nonce: string;
	/** Ends the wait for an answer. */
	limit: Timer | undefined;
}

export class ArduinoOTA {
	readonly #options: ArduinoOTAOptions;
	readonly #udp: Socket;
	readonly #guard: PasswordGuard | undefined;
	readonly #advertisement: Advertisement | undefined;
	#state: State = "waiting";
	/** The oldest first. */
	#pending: Pending[] = [];
	/** The one that the update is of. */
	#accepted: Pending | undefined;
	#transfer: Transfer | undefined;
	/** The begin or the restart that is to come in a turn of its own. */
	#next: Timer | undefined;
	/** Set while challenges have to wait because of a wrong password. */
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
			const hostName = options.hostName || defaultHostName(board);
			const authentication = this.#guard !== undefined;
			this.#advertisement = new Advertisement({ hostName, port, board: boardId, authentication });
		}
	}

	/** Stops listening; an update under way is abandoned. */
	close(): void {
		if (this.#state === "closed") return;
		this.#state = "closed";
		Timer.clear(this.#next);
		Timer.clear(this.#penalty);
		this.#forget();
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
		if (message.length > MESSAGE_LENGTH_MAX || this.#isClosed || this.#state === "done") return;
		const invitation = parseInvitation(message);
		if (invitation) this.#invited({ invitation, address, port, nonce: "", limit: undefined });
		else if (this.#state === "waiting") {
			const pending = this.#pending.find((one) => one.address === address && one.port === port);
			const answer = pending?.nonce ? parseAuthentication(message) : undefined;
			if (pending && answer) this.#answered(pending, answer);
		}
	}

	#invited(pending: Pending): void {
		if (kindOf(pending.invitation.command) === undefined) return;
		if (this.#state === "updating") {
			if (!isRepeated(pending, this.#accepted)) {
				this.#reply(pending, refusal(new UpdateError(ErrorCode.RUNNING_ALREADY)));
			} else if (this.#transfer && !this.#transfer.connected) this.#reply(pending, "OK");
			return;
		}
		const guard = this.#guard;
		if (!guard) {
			this.#accept(pending, false);
			return;
		}
		const known = this.#pending.find((one) => one.address === pending.address);
		if (isRepeated(pending, known)) {
			// The same again: our answer was lost. The nonce stays, for the answer that may be on its way.
			if (known?.nonce) this.#reply(known, `AUTH ${known.nonce}`);
			return;
		}
		if (known) this.#drop(known);
		else if (this.#pending.length === PENDING_MAX) this.#drop(this.#pending[0]);
		this.#pending.push(pending);
		if (this.#penalty === undefined) this.#challenge(guard, pending);
	}

	#challenge(guard: PasswordGuard, pending: Pending): void {
		pending.nonce = guard.challenge();
		pending.limit = Timer.set(() => {
			pending.limit = undefined;
			this.#drop(pending);
		}, CHALLENGE_TIMEOUT);
		this.#reply(pending, `AUTH ${pending.nonce}`);
	}

	/** A nonce counts once, whatever the answer. */
	#answered(pending: Pending, answer: Authentication): void {
		const guard = this.#guard;
		if (!guard) return;
		this.#drop(pending);
		if (guard.verify(answer, pending.nonce, pending.invitation)) {
			this.#accept(pending, answer.response.length === 64);
			return;
		}
		this.#reply(pending, "Authentication Failed");
		Timer.clear(this.#penalty);
		this.#penalty = Timer.set(() => {
			this.#penalty = undefined;
			for (const one of this.#pending) if (!one.nonce) this.#challenge(guard, one);
		}, guard.delay);
		this.#options.onError?.(Stage.AUTH, new UpdateError(ErrorCode.PASSWORD, pending.address));
	}

	#drop(pending: Pending | undefined): void {
		if (!pending) return;
		Timer.clear(pending.limit);
		this.#pending = this.#pending.filter((one) => one !== pending);
	}

	#forget(): void {
		for (const { limit } of this.#pending) Timer.clear(limit);
		this.#pending = [];
	}

	/** Begins in a turn of its own: from within a datagram's, the engine's stack would not do. */
	#accept(pending: Pending, prompt: boolean): void {
		this.#state = "updating";
		this.#accepted = pending;
		this.#forget();
		this.#next = Timer.set(() => this.#begin(pending, prompt));
	}

	#begin(pending: Pending, prompt: boolean): void {
		const { updater, timeout = 10_000, onStart, onProgress, onError } = this.#options;
		const { invitation, address } = pending;
		const { command, port, size: byteLength, md5 } = invitation;
		const kind = kindOf(command) ?? "firmware";
		this.#next = undefined;
		let update: Update;
		try {
			update = updater.open({
				kind,
				byteLength,
				md5,
				from: `ArduinoOTA ${address}`,
				...(onProgress && { onProgress }),
			});
		} catch (error) {
			this.#reply(pending, refusal(error as UpdateError));
			this.#state = "waiting";
			onError?.(Stage.BEGIN, error as UpdateError);
			return;
		}
		this.#reply(pending, "OK");
		onStart?.(kind);
		onProgress?.(0, byteLength);
		// The application may have closed this from there.
		if (this.#state !== "updating") {
			update.close();
			return;
		}
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
		this.#state = "waiting";
		if (error) {
			let stage: Stage = update.received === byteLength ? Stage.END : Stage.RECEIVE;
			if (error.code === ErrorCode.CONNECT) stage = Stage.CONNECT;
			onError?.(stage, error);
			return;
		}
		onEnd?.(kind);
		if (!rebootOnSuccess || this.#isClosed) return;
		this.#state = "done";
		this.#next = Timer.set(() => updater.restart(), RESTART_DELAY);
	}

	/** The application may close this from any of its callbacks. */
	get #isClosed(): boolean {
		return this.#state === "closed";
	}

	#reply({ address, port }: Pending, text: string): void {
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

function isRepeated(a: Pending, b: Pending | undefined): boolean {
	if (!b || a.address !== b.address || a.port !== b.port) return false;
	const [x, y] = [a.invitation, b.invitation];
	return x.command === y.command && x.port === y.port && x.size === y.size && x.md5 === y.md5;
}
