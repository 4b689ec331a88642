/** What `GET /status` tells, and the page's head, which shows it. */
import { find } from "./text";

export type Kind = "firmware" | "filesystem";

export interface Status {
	name: string;
	version: string;
	chipId: string;
	runningMD5: string | null;
	/** Bytes. */
	freeSpace: Record<Kind, number>;
	/** Whether the boot loader inflates. */
	gzip: boolean;
	/** Whole seconds since the start. */
	uptime: number;
	update: {
		kind: Kind;
		result: "running" | "verified" | "took effect" | "did not take effect" | "failed";
		error: { code: number; text: string } | null;
		from: string;
	} | null;
}

/** A status, and when it came: ms of performance.now(). */
export interface Reading {
	status: Status;
	at: number;
}

/** ms. An ESP8266 that is there answers within one second. */
const STATUS_TIMEOUT = 3_000;

/** The last one that came. */
export let latest: Reading | undefined;

/** Reads the status and shows it. Gives undefined when the board does not tell. */
export async function readStatus(): Promise<Reading | undefined> {
	const stop = new AbortController();
	const timer = setTimeout(() => stop.abort(), STATUS_TIMEOUT);
	try {
		const response = await fetch("/status", { cache: "no-store", signal: stop.signal });
		const status = (await response.json()) as Status;
		show(status);
		latest = { status, at: performance.now() };
		return latest;
	} catch {
		return;
	} finally {
		clearTimeout(timer);
	}
}

/** The error of the last update, for the user. */
export function errorOf({ update }: Status): string {
	return update?.error ? `ERROR[${update.error.code}]: ${update.error.text}.` : "";
}

function show(status: Status): void {
	const { name, version, chipId, update, freeSpace } = status;
	// An application may have another /status.
	if (!freeSpace) throw new TypeError();
	find("h1").textContent = document.title = name;
	find("#about").textContent = `Version ${version}, chip ${chipId}`;
	find("#news").textContent = !update
		? "No update since its last start"
		: update.result === "running"
			? `An update of the ${update.kind} is under way, from ${update.from}. Wait until it is over.`
			: `Last update, ${update.kind}: ${update.result}. ${errorOf(status)}`;
}

/** Whether the board has started anew between `before` and `now`, which was asked for at `asked` (ms). */
export function restarted(before: Reading, now: Status, asked: number): boolean {
	// Less a second, for two clocks and whole seconds.
	const withoutRestart = before.status.uptime + (asked - before.at) / 1000 - 1;
	// Such a verdict is made by a start only.
	return now.uptime < withoutRestart || / effect/.test(now.update?.result ?? "");
}
