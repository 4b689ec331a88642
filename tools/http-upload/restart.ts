/** Watches a board of ours restart after an update, by what `GET /status` tells. */
import { setTimeout as delay } from "node:timers/promises";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { printable } from "../espota/text";
import type { Session } from "./session";

const STATUS = "/status";
/** A board restarts in 5 to 20 s: it copies the image, starts, and joins its network. */
const RESTART_TIMEOUT = 30_000;
const INTERVAL = 500;
/** A board that restarts takes connections and answers none. */
const ANSWER_TIMEOUT = 2000;
/** The board tells its uptime in whole seconds, and its clock is not ours. */
const UPTIME_SLACK = 2;

export interface Status {
	version: string;
	/** Seconds since the board's start. */
	uptime: number;
	/** How the last update went: `running`, `verified`, `took effect`, `did not take effect`, `failed`. */
	result: string;
	/** Why it failed, in the board's words. */
	text: string;
}

/** A status, and when it was told (performance.now). */
export interface Sighting extends Status {
	at: number;
}

export interface Restart {
	/** Version that runs now; undefined where the board tells none. */
	version: string | undefined;
	/** Version that ran before. */
	was: string;
	/** False where the board goes on running what it ran, as an application may choose. */
	restarted: boolean;
}

export interface WatchOptions {
	/** Milliseconds in all; 30,000 where not given. */
	timeout?: number | undefined;
	/** Milliseconds between looks; 500 where not given. */
	interval?: number | undefined;
	/** Milliseconds for each answer; 2,000 where not given. */
	answerTimeout?: number | undefined;
}

export interface RestartOptions extends WatchOptions {
	/** Bytes that were sent, which is told where the wait is abandoned. */
	sent: number;
	signal: AbortSignal;
}

/** What the board tells; undefined where it tells nothing that is understood. Throws UpdateError. */
export async function readStatus(session: Session): Promise<Sighting | undefined> {
	const { status, text } = await session.get(STATUS);
	const told = status === 200 ? parseStatus(text) : undefined;
	return told && { ...told, at: performance.now() };
}

export function parseStatus(text: string): Status | undefined {
	let all: unknown;
	try {
		all = JSON.parse(text);
	} catch {
		return undefined;
	}
	const version = field(all, "version");
	const uptime = field(all, "uptime");
	if (typeof version !== "string" || typeof uptime !== "number") return undefined;
	const update = field(all, "update");
	const words = field(field(update, "error"), "text");
	return {
		version: printable(version),
		uptime,
		result: String(field(update, "result") ?? ""),
		text: printable(typeof words === "string" ? words : ""),
	};
}

function field(value: unknown, name: string): unknown {
	return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/**
 * Resolves when the board has started anew, or goes on without a restart. Throws UpdateError NOT_IN_EFFECT
 * where it started what it ran before, NOT_BACK where it does not answer.
 */
export async function awaitRestart(
	session: Session,
	before: Sighting,
	options: RestartOptions,
): Promise<Restart> {
	const { timeout = RESTART_TIMEOUT, interval = INTERVAL, answerTimeout = ANSWER_TIMEOUT } = options;
	const { sent, signal } = options;
	const end = performance.now() + timeout;
	const was = before.version;
	let answered = false;
	while (performance.now() < end) {
		await delay(interval, undefined, { signal }).catch(() => undefined);
		if (signal.aborted) throw new UpdateError(ErrorCode.STOPPED, sent);
		const now = await look(session, answerTimeout);
		answered = now !== "nothing";
		if (now === "unknown") return { version: undefined, was, restarted: true };
		if (now === "nothing" || now.result === "running" || now.result === "verified") continue;
		if (now.result === "did not take effect" || now.result === "failed") {
			throw new UpdateError(ErrorCode.NOT_IN_EFFECT, now.version, now.text || now.result);
		}
		if (now.result === "took effect" || startedAfter(before, now)) {
			return { version: now.version, was, restarted: true };
		}
	}
	if (!answered) throw new UpdateError(ErrorCode.NOT_BACK, timeout / 1000);
	return { version: was, was, restarted: false };
}

/** What the board tells; `nothing` while it restarts, `unknown` where what runs now has no status. */
async function look(session: Session, timeout: number): Promise<Sighting | "nothing" | "unknown"> {
	try {
		const { status, text } = await session.get(STATUS, timeout);
		if (status === 404) return "unknown";
		const told = status === 200 ? parseStatus(text) : undefined;
		return told ? { ...told, at: performance.now() } : "nothing";
	} catch (error) {
		// A new password in the new firmware, or Ctrl-C, does not change by waiting.
		const { NO_ANSWER, BAD_ANSWER } = ErrorCode;
		if (error instanceof UpdateError && (error.code === NO_ANSWER || error.code === BAD_ANSWER))
			return "nothing";
		throw error;
	}
}

function startedAfter(before: Sighting, now: Sighting): boolean {
	return now.uptime + UPTIME_SLACK < before.uptime + (now.at - before.at) / 1000;
}
