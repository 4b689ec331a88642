/**
 * One question to a server for an update, and the update that it answers with. States, in order:
 *   asking     the request is out
 *   judging    its answer has begun
 *   preparing  there is an update; the application brings things to a safe state
 *   opening    it begins
 *   restoring  what is staged of it already is read again
 *   receiving  its bytes come
 *   waiting    the connection broke; the request goes out again, for the rest
 *   ended
 */
import { ErrorCode, UpdateError } from "../errors";
import { SECTOR } from "../image";
import { beginResume, isResumable, markResume, type Resumable, readResume } from "../resume";
import type { Update } from "../update";
import { coreError, offered, retryAfter } from "./answer";
import { Asking } from "./asking";
import type { HTTPUpdateOptions, Outcome, Question } from "./http-update";
import { formatURL } from "./url";

/** Bytes read at once. A TCP segment has 1,460, but the memory is short. */
const PIECE = 1024;
/** Breaks in a row that did not bring a sector; and how long it waits after each. */
const BREAKS_MAX = 5;
const BREAK_DELAY = 1000;
/** Milliseconds for an application to reach a safe state. */
const PREPARE_LIMIT = 30_000;

export class Session extends Asking {
	private readonly onOutcome: (outcome: Outcome) => void;
	/** What is being downloaded, and whether it can be taken up again. */
	private what: Resumable | undefined;
	private resumable = false;
	private update: Update | undefined;
	private piece: Uint8Array | undefined;
	/** Bytes of the body that wait. */
	private available = 0;
	/** Breaks since the last sector. */
	private breaks = 0;

	constructor(options: HTTPUpdateOptions, question: Question, onOutcome: (outcome: Outcome) => void) {
		super(options, question);
		this.onOutcome = onOutcome;
		this.next();
	}

	/** Abandons it, without an outcome. */
	close(error?: UpdateError): void {
		this.state = "ended";
		this.stopTimer();
		this.request?.close();
		this.request = undefined;
		this.update?.close(error);
	}

	/** Kept, since a turn comes with every sector. Little is done here: a call takes a dozen slots of the stack. */
	protected readonly turn = (): void => {
		this.timer = undefined;
		// A status says more than a connection that ended behind it.
		if (this.error && this.state !== "judging") {
			this.broken(this.error);
			return;
		}
		switch (this.state) {
			case "asking":
			case "waiting":
				this.ask();
				break;
			case "judging":
				this.judge();
				break;
			case "preparing":
				this.end({ result: "postponed", error: new UpdateError(ErrorCode.NOT_NOW) });
				break;
			case "opening":
				this.open();
				break;
			case "restoring":
				this.restore();
				break;
			case "receiving":
				this.receive();
		}
	};

	readable(count: number): void {
		this.available = count;
		if (this.state === "receiving") this.next();
	}

	/** Checks what is known before the first byte, and lets the application get ready. */
	protected prepare(): void {
		const { updater, md5, prepare } = this.options;
		const { kind, address } = this.question;
		if (this.error) {
			this.broken(this.error);
			return;
		}
		if (this.isOccupied) throw new UpdateError(ErrorCode.RUNNING_ALREADY);
		const room = updater.freeSpace(kind);
		if (this.status === 206 && this.known) this.what = this.known;
		else {
			this.known = undefined;
			this.what = offered(this.headers, { kind, source: formatURL(address), md5, room });
		}
		const { md5: digest, tag } = this.what;
		const version = this.headers.get("x-version") ?? "";
		this.headers.clear();
		if (kind === "firmware" && updater.onTrial) throw new UpdateError(ErrorCode.ON_TRIAL);
		if (kind === "firmware" && updater.refuses({ md5: digest, tag, version })) {
			throw new UpdateError(ErrorCode.ROLLED_BACK);
		}
		// Once broken and taken up again, the application is ready already.
		if (!prepare || this.breaks > 0) {
			this.state = "opening";
			this.next();
			return;
		}
		this.state = "preparing";
		this.request?.pause();
		this.next(PREPARE_LIMIT);
		prepare(kind, () => {
			if (this.state !== "preparing") return;
			this.stopTimer();
			this.request?.resume();
			this.state = "opening";
			this.next();
		});
	}

	private open(): void {
		const { updater, onStart, onProgress } = this.options;
		const known = this.known;
		const what = this.what;
		if (!what) return;
		try {
			if (this.isOccupied || !this.isStaged()) throw new UpdateError(ErrorCode.RUNNING_ALREADY);
			this.update = updater.open({
				kind: what.kind,
				byteLength: what.byteLength || undefined,
				md5: what.md5 || undefined,
				tag: what.tag || undefined,
				from: `server ${this.address.host}`,
				isAsked: true,
				staged: known?.staged,
				...(onProgress && { onProgress }),
			});
			// The record lies where a firmware may that was verified before.
			this.resumable =
				what.byteLength > 0 && !updater.awaitsRestart && isResumable(what, updater.stages(what.kind));
		} catch (error) {
			this.fail(error);
			return;
		}
		if (!known) this.keep(() => beginResume(what, updater.recordSector));
		this.state = known ? "restoring" : "receiving";
		this.next();
		if (this.breaks === 0) onStart?.(what.kind);
	}

	/** Whether what was known to be staged still is: another update may have come while the server answered. */
	private isStaged(): boolean {
		const { known } = this;
		if (!known) return true;
		const { recordSector } = this.options.updater;
		return readResume(known.source, known.kind, recordSector)?.staged.byteLength === known.staged.byteLength;
	}

	/** Without the record of what came an update is as good, but begins anew where it breaks. */
	private keep(record: () => void): void {
		if (!this.resumable) return;
		try {
			record();
		} catch {
			this.resumable = false;
			this.forget();
		}
	}

	private restore(): void {
		try {
			if (!this.update?.restore()) this.state = "receiving";
		} catch (error) {
			this.forget();
			this.fail(error);
			return;
		}
		this.next();
	}

	private receive(): void {
		while (this.available > 0) {
			const count = Math.min(this.available, PIECE);
			this.piece ??= new Uint8Array(PIECE);
			const piece = count === PIECE ? this.piece : this.piece.subarray(0, count);
			if (!this.request?.read(piece)) return;
			this.available -= count;
			let programmed = false;
			try {
				programmed = this.update?.write(piece) ?? false;
			} catch (error) {
				this.forget();
				this.fail(error);
				return;
			}
			// The application may have closed it.
			if (this.state !== "receiving") return;
			if (!programmed) continue;
			this.breaks = 0;
			const { received = 0, sentMode } = this.update ?? {};
			// A piece may end behind the sector that it fills; the last sector may not be a whole one.
			if (received % SECTOR < count) {
				const { recordSector } = this.options.updater;
				this.keep(() => markResume((received / SECTOR) | 0, sentMode, recordSector));
			}
			this.next();
			return;
		}
		if (this.complete) this.finish();
		else this.update?.eraseAhead();
	}

	private finish(): void {
		const { kind } = this.question;
		try {
			this.update?.complete();
			this.forget();
		} catch (error) {
			this.forget();
			this.fail(error);
			return;
		}
		this.options.onEnd?.(kind);
		this.end({ result: "updated" });
	}

	over(error: UpdateError | undefined): void {
		this.complete = !error;
		this.error = error;
		if (error || this.state === "receiving") this.next();
	}

	/** The request has failed. */
	private broken(error: UpdateError): void {
		const { state } = this;
		const isBroken = state === "receiving" || state === "restoring" || this.breaks > 0;
		this.error = undefined;
		if (!isBroken || !this.resumable || this.breaks === BREAKS_MAX) {
			this.fail(error);
			return;
		}
		this.update?.close(error);
		this.breaks += 1;
		this.available = 0;
		this.state = "waiting";
		this.next(BREAK_DELAY << (this.breaks - 1));
	}

	protected fail(cause: unknown): void {
		if (this.state === "ended") return;
		const error = coreError(cause);
		const started = this.update !== undefined;
		this.update?.close(error);
		const patience = retryAfter(this.headers);
		if (started) this.options.onError?.(error);
		this.end({
			result: resultOf(error.code, started),
			error,
			...(patience !== undefined && { retryAfter: patience }),
		});
	}

	protected end(outcome: Outcome): void {
		if (this.state === "ended") return;
		this.close(outcome.error);
		this.onOutcome(outcome);
	}
}

/** What an error makes of the question; `started`: of the update that it was answered with. */
function resultOf(code: ErrorCode, started: boolean): Outcome["result"] {
	if (code === ErrorCode.RUNS_ALREADY || code === ErrorCode.ROLLED_BACK) return "no updates";
	const isBusy = code === ErrorCode.RUNNING_ALREADY || code === ErrorCode.ON_TRIAL;
	return isBusy && !started ? "postponed" : "failed";
}
