/** What `ota8266 upload` does once its usage is right: checks the file, sends it, tells how that went. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { ErrorCode, UpdateError } from "../ota/errors";
import { askPassword } from "./ask-password";
import { upload } from "./espota";
import { httpUpload } from "./http-upload";
import { hostOf, portOf } from "./http-upload/request";
import type { Restart } from "./http-upload/restart";
import { imageInfo } from "./image-info";
import { Progress } from "./progress";
import { fileToSend, readImage } from "./read-image";

/** A board with ArduinoOTA, or one with a web update. */
export type Board =
	| { host: string; port: number; hostPort: number | undefined }
	| { url: URL; user: string; wait: boolean };

export interface SendOptions {
	/** Where not given, it is asked for on a terminal when the board wants one. */
	password?: string | undefined;
	filesystem?: boolean | undefined;
	/** Milliseconds. */
	timeout: number;
	/** Sends what looks damaged. */
	force?: boolean | undefined;
	/** Prints one JSON object. */
	json?: boolean | undefined;
}

/** What --json prints. */
interface Report {
	ok: boolean;
	/** About what the board has taken. */
	bytes: number;
	ms: number;
	md5?: string;
	file: string;
	host: string;
	port: number;
	/** Of a web update, without the login. */
	url?: string;
	/** Versions that run now and ran before, where the board told them. */
	version?: string;
	was?: string;
	error?: { code: number; text: string };
}

/** What both ways of sending need. */
interface Sending {
	image: Uint8Array;
	file: string;
	options: SendOptions;
	password: string | (() => Promise<string | undefined>) | undefined;
	onProgress: (done: number, total: number) => void;
	signal: AbortSignal;
}

interface Sent {
	bytes: number;
	ms: number;
	/** The board has compared what is in its flash. */
	verified: boolean;
	restart?: (() => Promise<Restart>) | undefined;
}

/** True when the board has verified the update, and runs it where it tells that. */
export async function sendImage(file: string, board: Board, options: SendOptions): Promise<boolean> {
	const { json, filesystem, force } = options;
	const stop = new AbortController();
	const { signal } = stop;
	const interrupt = (): void => stop.abort();
	const progress = json ? undefined : new Progress(process.stderr);
	const start = performance.now();
	const report: Report = { ok: false, bytes: 0, ms: 0, file, ...nameOf(board) };
	process.once("SIGINT", interrupt);
	try {
		const path = await fileToSend(file);
		report.file = path;
		if (path !== file && !json) process.stderr.write(`Sending the signed image ${path}\n`);
		const image = await readImage(path);
		const faults = filesystem || force ? [] : imageInfo(image).faults;
		// The board has no time to inflate a gzip or to compute the application's checksum.
		if (faults.length > 0) throw new UpdateError(ErrorCode.DAMAGED, path, faults.join("; "));
		report.md5 = createHash("md5").update(image).digest("hex");
		const ask = process.stdin.isTTY ? () => askPassword(`Password of ${report.host}: `, signal) : undefined;
		const onProgress = (done: number, total: number): void => {
			report.bytes = done;
			progress?.update(done, total);
		};
		const password = options.password ?? ask;
		const sending = { image, file: path, options, password, onProgress, signal };
		const { bytes, ms, verified, restart } = await send(board, sending);
		progress?.end();
		Object.assign(report, { bytes, ms });
		if (!json) process.stdout.write(doneText(bytes, ms, verified));
		if (restart) {
			const { version, was, restarted } = await restart();
			if (version !== undefined) Object.assign(report, { version, was });
			if (!json) process.stdout.write(restartText(version, was, restarted));
		}
		report.ok = true;
	} catch (error) {
		if (!(error instanceof UpdateError)) throw error;
		progress?.end();
		report.ms = Math.round(performance.now() - start);
		report.error = { code: error.code, text: error.message };
		if (!json) process.stderr.write(`${error.message}\n`);
	} finally {
		process.off("SIGINT", interrupt);
	}
	if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
	return report.ok;
}

function nameOf(board: Board): { host: string; port: number; url?: string } {
	if ("host" in board) return { host: board.host, port: board.port };
	const { url } = board;
	return { host: hostOf(url), port: portOf(url), url: url.origin + url.pathname + url.search };
}

async function send(board: Board, sending: Sending): Promise<Sent> {
	return "host" in board ? sendByArduinoOTA(board, sending) : sendByHTTP(board, sending);
}

async function sendByArduinoOTA(
	{ host, port, hostPort }: Extract<Board, { host: string }>,
	{ image, options, password, onProgress, signal }: Sending,
): Promise<Sent> {
	const { bytes, ms } = await upload({
		host,
		port,
		image,
		command: options.filesystem ? 100 : 0,
		password,
		hostPort,
		timeout: options.timeout,
		signal,
		onProgress: (_sent, accepted, total) => onProgress(accepted, total),
	});
	return { bytes, ms, verified: true };
}

async function sendByHTTP(
	{ url, user, wait }: Extract<Board, { url: URL }>,
	{ image, file, options, password, onProgress, signal }: Sending,
): Promise<Sent> {
	const { bytes, ms, ours, restart } = await httpUpload({
		url,
		image,
		kind: options.filesystem ? "filesystem" : "firmware",
		fileName: basename(file),
		user,
		password,
		onCleartext: () => {
			process.stderr.write(
				`${hostOf(url)} wants the password in clear, as everyone in its network can read\n`,
			);
		},
		timeout: options.timeout,
		watch: wait ? {} : undefined,
		signal,
		onProgress,
	});
	return { bytes, ms, verified: ours, restart };
}

function doneText(bytes: number, ms: number, verified: boolean): string {
	const result = verified ? "the board has verified them" : "the board has taken them";
	return `Done: ${bytes} bytes in ${(ms / 1000).toFixed(1)} s, ${result}\n`;
}

function restartText(version: string | undefined, was: string, restarted: boolean): string {
	if (!restarted) return `still running ${was}: the board has not restarted, the update waits for that\n`;
	if (version === undefined) return `restarted (was ${was}), what runs now does not tell its version\n`;
	return `now running ${version} (was ${was})\n`;
}
