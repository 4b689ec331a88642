import type { Address } from "../espota/address";
import type { Login } from "./login";
import { type Answer, type Body, request } from "./request";

/** Unknown, then with a password, then with a fresh nonce. */
const TRIES_MAX = 3;
/** An image is sent twice at most: again with a fresh nonce, or to a board that lets everyone see its form. */
const UPLOAD_TRIES_MAX = 2;

export interface SessionOptions {
	url: URL;
	address: Address;
	login: Login;
	/** Milliseconds without progress. */
	timeout: number;
	signal: AbortSignal;
}

/** Requests to one board, with the login that it wants. */
export class Session {
	readonly #options: SessionOptions;

	constructor(options: SessionOptions) {
		this.#options = options;
	}

	/** `timeout` in place of the session's, in ms. Throws UpdateError, as `request` and `Login.challenged`. */
	get(target: string, timeout?: number): Promise<Answer> {
		return this.#exchange("GET", target, {}, undefined, timeout);
	}

	/** Sends an update. Throws UpdateError, as `request` and `Login.challenged`. */
	send(
		method: "POST" | "PUT",
		target: string,
		headers: Readonly<Record<string, string>>,
		body: Body,
	): Promise<Answer> {
		return this.#exchange(method, target, headers, body);
	}

	async #exchange(
		method: "GET" | "POST" | "PUT",
		target: string,
		headers: Readonly<Record<string, string>>,
		body?: Body,
		timeout = this.#options.timeout,
	): Promise<Answer> {
		const { url, address, login, signal } = this.#options;
		for (let left = body ? UPLOAD_TRIES_MAX : TRIES_MAX; left > 0; left -= 1) {
			const authorization = login.authorization(method, target);
			const all = authorization === undefined ? headers : { ...headers, Authorization: authorization };
			const answer = await request({ url, address, method, target, headers: all, body, timeout, signal });
			if (answer.status !== 401) {
				login.accepted();
				return answer;
			}
			await login.challenged(answer.challenges);
		}
		throw login.refused();
	}
}
