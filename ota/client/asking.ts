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
	/** All of the body has come. */
	protected complete = false;
	/** Why the request has failed. */
	protected error: UpdateError | undefined;
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
		const { http, updater, board, running, md5, timeout = TIMEOUT } = this.options;
		const { kind, mode, address: first } = this.question;
		this.state = "asking";
		// The server compares with what runs.
		if (running.md5 === undefined && !this.measured) {
			this.measured = true;
			running.measure(() => {
				if (this.state === "asking") this.next();
			}, board);
			return;
		}
		this.complete = false;
		this.error = undefined;
		try {
			if (this.isOccupied) throw new UpdateError(ErrorCode.RUNNING_ALREADY);
			this.known = mode === "version" ? undefined : readResume(formatURL(first), kind, updater.recordSector);
			// What was begun without it may be another update than the one that must be.
			if (md5 !== undefined && this.known?.md5 !== md5.toLowerCase()) this.known = undefined;
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

	/** Whether another update is under way, or waits for the restart. */
	protected get isOccupied(): boolean {
		const { updater } = this.options;
		const { kind, mode } = this.question;
		return mode !== "version" && (updater.busy || (updater.stages(kind) && updater.awaitsRestart));
	}

	/** What came will not be taken up again. A flash that does not take this takes no update either. */
	protected forget(): void {
		try {
			clearResume(this.options.updater.recordSector);
		} catch {
			// The update that is opened next refuses then.
		}
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
			if (status === 206 || status === 416) this.forget();
			this.fail(error);
		}
	}

	private follow(): void {
		const { redirects = "same-origin" } = this.options;
		this.redirects += 1;
		if (this.redirects > REDIRECTS_MAX) throw new UpdateError(ErrorCode.REDIRECT, "too many");
		this.address = redirected(this.headers.get("location"), this.address, redirects);
		this.request?.close();
		this.error = undefined;
		this.state = "asking";
		this.next();
	}
}
