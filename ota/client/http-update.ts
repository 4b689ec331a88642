/**
 * Asks a server for updates as the ESP8266 Arduino core's ESP8266HTTPUpdate does: any server or script that serves
 * Arduino devices serves this one.
 */
import Timer from "timer";
import type { Board } from "../board";
import { ErrorCode, UpdateError } from "../errors";
import { isHex } from "../hex";
import type { UpdateKind } from "../kind";
import type { RunningFirmware } from "../running";
import type { Updater } from "../updater";
import type { Redirects } from "./answer";
import type { HTTPModules } from "./request";
import type { Credentials, Mode } from "./request-headers";
import { Session } from "./session";
import { type Address, parseURL } from "./url";

/** Lets the network finish. */
const RESTART_DELAY = 100;

/** Where to ask. */
export type Source = string | { url: string } | { host: string; port?: number; path?: string };

export interface HTTPUpdateOptions extends Credentials {
	updater: Updater;
	board: Board;
	running: RunningFirmware;
	http: HTTPModules;
	/** `same-origin` where not given; at most five, with credentials to the first server only, never from https to http. */
	redirects?: Redirects | undefined;
	/** Milliseconds for the answer, and for each 4,096 bytes; 8,000 where not given, as the core's. */
	timeout?: number | undefined;
	/** MD5 that an update must have, in place of the one that the server tells. */
	md5?: string | undefined;
	/**
	 * Restarts into a firmware by itself; true where not given. Else the application calls `updater.restart()`, and
	 * until then no other firmware is asked for.
	 */
	rebootOnSuccess?: boolean | undefined;
	/** False: not now. Asked before anything is sent. */
	mayUpdate?: (() => boolean) | undefined;
	/** There is an update: brings things to a safe state, then calls `done`; within 30 s, or it is for another time. */
	prepare?: ((kind: UpdateKind, done: () => void) => void) | undefined;
	onStart?: ((kind: UpdateKind) => void) | undefined;
	onProgress?: ((done: number, total: number) => void) | undefined;
	onEnd?: ((kind: UpdateKind) => void) | undefined;
	onError?: ((error: UpdateError) => void) | undefined;
}

/** How a question ended. */
export interface Outcome {
	/** `postponed`: the application, or another update, had no time for it. */
	result: "updated" | "no updates" | "available" | "failed" | "postponed";
	/** Why it failed, or was postponed. */
	error?: UpdateError | undefined;
	/** The version that the server has, where it was asked for. */
	version?: string | undefined;
	/** Seconds that the server asks to be left alone for. */
	retryAfter?: number | undefined;
}

/** What is asked of a server. */
export interface Question {
	kind: UpdateKind;
	mode: Mode;
	address: Address;
	/** What runs, in the server's words, or empty. */
	version: string;
}

type OnOutcome = (outcome: Outcome) => void;

export class HTTPUpdate {
	readonly #options: HTTPUpdateOptions;
	#session: Session | undefined;
	#restart: Timer | undefined;

	/** Throws RangeError where `md5` is none. */
	constructor(options: HTTPUpdateOptions) {
		if (options.md5 !== undefined && !isHex(options.md5, 32)) throw new RangeError("md5: 32 digits wanted");
		this.#options = options;
	}

	/** Whether it is asking, or updating. */
	get busy(): boolean {
		return this.#session !== undefined;
	}

	/** Updates the firmware where the server has another one; `version`: what runs, in the server's words. */
	update(source: Source, version?: string, onOutcome?: OnOutcome): void {
		this.#ask("firmware", "sketch", source, version, onOutcome);
	}

	/** Updates the filesystem. Nothing restarts. */
	updateFilesystem(source: Source, version?: string, onOutcome?: OnOutcome): void {
		this.#ask("filesystem", "spiffs", source, version, onOutcome);
	}

	/** Asks which version the server has. */
	availableVersion(source: Source, version?: string, onOutcome?: OnOutcome): void {
		this.#ask("firmware", "version", source, version, onOutcome);
	}

	/** Abandons what is under way, without an outcome. */
	close(): void {
		Timer.clear(this.#restart);
		this.#restart = undefined;
		this.#session?.close();
		this.#session = undefined;
	}

	#ask(kind: UpdateKind, mode: Mode, source: Source, version = "", onOutcome: OnOutcome = () => {}): void {
		const { updater, mayUpdate } = this.#options;
		const busy = this.#session !== undefined || this.#restart !== undefined || updater.busy;
		let error: UpdateError | undefined;
		if (busy) error = new UpdateError(ErrorCode.RUNNING_ALREADY);
		else if (mode !== "version" && mayUpdate?.() === false) error = new UpdateError(ErrorCode.NOT_NOW);
		if (error) {
			onOutcome({ result: "postponed", error });
			return;
		}
		let address: Address;
		try {
			address = addressOf(source);
		} catch (cause) {
			onOutcome({ result: "failed", error: new UpdateError(ErrorCode.BAD_URL, (cause as Error).message) });
			return;
		}
		this.#session = new Session(this.#options, { kind, mode, address, version }, (outcome) => {
			this.#session = undefined;
			const { rebootOnSuccess = true } = this.#options;
			if (outcome.result === "updated" && updater.stages(kind) && rebootOnSuccess) {
				this.#restart = Timer.set(() => updater.restart(), RESTART_DELAY);
			}
			onOutcome(outcome);
		});
	}
}

function addressOf(source: Source): Address {
	if (typeof source === "string") return parseURL(source);
	if ("url" in source) return parseURL(source.url);
	const { host, port = 80, path = "/" } = source;
	return parseURL(`http://${host}:${port}${path.startsWith("/") ? "" : "/"}${path}`);
}
