/** A question to a server, until its answer is understood; what then comes is a Session's. */
import Timer from "timer";
import { ErrorCode, UpdateError } from "../errors";
import { clearResume, type Resumable, readResume, type Staged } from "../resume";
import { isRedirect, isRest, redirected, statusError } from "./answer";
import type { HTTPUpdateOptions, Outcome, Question } from "./http-update";
import { HTTPGet, type RequestOwner } from "./request";
import { requestHeaders } from "./request-headers";
import { type Address, formatURL } from "./url";

/** Milliseconds, as the core waits. */
const TIMEOUT = 8000;
const REDIRECTS_MAX = 5;

export type State =
	| "asking"
	| "judging"
	| "preparing"
	| "opening"
	| "restoring"
	| "receiving"
	| "waiting"
	| "ended";

export abstract class Asking implements RequestOwner {
	protected readonly options: HTTPUpdateOptions;
	protected readonly question: Question;
	protected state: State = "asking";
	protected address: Address;
	protected request: HTTPGet | undefined;
	/** The answer. */
	protected status = 0;
	protected headers = new Map<string, string>();
	/** What was staged already when the question went out. */
	protected known: (Resumable & { staged: Staged }) | undefined;
	/** The next turn, or the end of a wait. */
	protected timer: Timer | undefined;
	private redirects = 0;
	private measured = false;

	constructor(options: HTTPUpdateOptions, question: Question) {
		this.options = options;
		this.question = question;
		this.address = question.address;
	}

	abstract readable(count: number): void;
	abstract over(error: UpdateError | undefined): void;
	/** What is due in the state. */
	protected abstract readonly turn: () => void;
	/** There is an update. */
	protected abstract prepare(): void;
	protected abstract fail(cause: unknown): void;
	protected abstract end(outcome: Outcome): void;

	protected next(delay = 0): void {
		if (this.state !== "ended") this.timer ??= Timer.set(this.turn, delay);
	}

	protected stopTimer(): void {
		Timer.clear(this.timer);
		this.timer = undefined;
	}

	protected ask(): void {
		const { http, running, timeout = TIMEOUT } = this.options;
		const { kind, mode, address: first } = this.question;
		this.state = "asking";
		// The server compares with what runs.
		if (running.md5 === undefined && !this.measured) {
			this.measured = true;
			running.measure(() => this.next());
			return;
		}
		try {
			this.known = mode === "version" ? undefined : readResume(formatURL(first), kind);
			const headers = requestHeaders(this.options, this.question, this.address, this.known);
			this.request = new HTTPGet({ http, owner: this, address: this.address, headers, timeout });
		} catch (error) {
			this.fail(error);
		}
	}

	answered(status: number, headers: Map<string, string>): void {
		this.status = status;
		this.headers = headers;
		this.state = "judging";
		this.next();
	}

	protected judge(): void {
		const { status, headers } = this;
		const { mode } = this.question;
		try {
			if (isRedirect(status)) this.follow();
			else if (status === 304) this.end({ result: "no updates" });
			else if (status === 200 && mode === "version") {
				const version = headers.get("x-version");
				if (version === undefined) throw new UpdateError(ErrorCode.VERSION_UNKNOWN);
				this.end({ result: "available", version });
			} else if (status === 200) this.prepare();
			else if (status === 206 && this.known) {
				if (!isRest(headers, this.known)) throw new UpdateError(ErrorCode.WRONG_RANGE);
				this.prepare();
			} else throw statusError(status);
		} catch (error) {
			if (status === 206 || status === 416) clearResume();
			this.fail(error);
		}
	}

	private follow(): void {
		const { redirects = "same-origin" } = this.options;
		this.redirects += 1;
		if (this.redirects > REDIRECTS_MAX) throw new UpdateError(ErrorCode.REDIRECT, "too many");
		this.address = redirected(this.headers.get("location"), this.address, redirects);
		this.request?.close();
		this.state = "asking";
		this.next();
	}
}
