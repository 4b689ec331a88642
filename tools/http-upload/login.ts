import { randomBytes } from "node:crypto";
import { ErrorCode, UpdateError } from "../../ota/errors";
import type { Password } from "../espota/handshake";
import { printable } from "../espota/text";
import { type Challenge, parseChallenges } from "./challenge";
import { type DigestChallenge, digestAuthorization, digestChallenge } from "./digest";

const CNONCE_LENGTH = 16;

export interface LoginOptions {
	user: string;
	/** The password, or who asks for it when the board wants one; it is asked at most once. */
	password?: Password | undefined;
	/** Called once, before a password is sent that others in the network can read. */
	onCleartext?: (() => void) | undefined;
	/** The connection is encrypted. */
	secure: boolean;
	/** Ends the question for the password. */
	signal: AbortSignal;
}

/** What the board is told to let us in, request by request. */
export class Login {
	readonly #options: LoginOptions;
	#password: string | undefined;
	#challenge: DigestChallenge | "basic" | undefined;
	/** Requests with this nonce. */
	#count = 0;
	/** The board has taken the password once: where it takes it no more, its nonce is too old. */
	#accepted = false;

	constructor(options: LoginOptions) {
		this.#options = options;
	}

	/** The Authorization header of the next request; undefined where the board wants none. */
	authorization(method: string, target: string): string | undefined {
		const { user } = this.#options;
		const password = this.#password;
		const challenge = this.#challenge;
		if (challenge === undefined || password === undefined) return undefined;
		if (challenge === "basic") return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
		this.#count += 1;
		const cnonce = randomBytes(CNONCE_LENGTH).toString("hex");
		return digestAuthorization({ challenge, user, password, method, target, count: this.#count, cnonce });
	}

	/** The board has let the last request in. */
	accepted(): void {
		this.#accepted = this.#challenge !== undefined;
	}

	/**
	 * The board has answered 401 with these WWW-Authenticate headers. Returns where another try has sense;
	 * throws UpdateError PASSWORD_NEEDED, WEB_AUTHENTICATION, STOPPED, or BAD_ANSWER for a login unknown here.
	 */
	async challenged(headers: readonly string[]): Promise<void> {
		const previous = this.#challenge;
		const next = strongest(headers.flatMap(parseChallenges));
		if (next === undefined) {
			const offered = headers.length > 0 ? printable(headers.join(", ")) : "nothing";
			throw new UpdateError(ErrorCode.BAD_ANSWER, `login by Digest or Basic wanted, ${offered} offered`);
		}
		const stale = next !== "basic" && (next.stale || this.#accepted);
		if (previous !== undefined && !stale) throw this.refused();
		this.#challenge = next;
		this.#count = 0;
		this.#accepted = false;
		this.#password ??= await this.#ask();
		if (next === "basic" && !this.#options.secure) this.#options.onCleartext?.();
	}

	refused(): UpdateError {
		return new UpdateError(ErrorCode.WEB_AUTHENTICATION, this.#options.user);
	}

	async #ask(): Promise<string> {
		const { password, signal } = this.#options;
		const text = typeof password === "function" ? await password() : password;
		if (signal.aborted) throw new UpdateError(ErrorCode.STOPPED, 0);
		if (!text) throw new UpdateError(ErrorCode.PASSWORD_NEEDED);
		return text;
	}
}

/** SHA-256 before MD5 before Basic; undefined where none of them is offered. */
function strongest(challenges: readonly Challenge[]): DigestChallenge | "basic" | undefined {
	const digests = challenges.flatMap((challenge) => digestChallenge(challenge) ?? []);
	const best = digests.find(({ hash }) => hash === "sha256") ?? digests[0];
	return best ?? (challenges.some(({ scheme }) => scheme === "basic") ? "basic" : undefined);
}
