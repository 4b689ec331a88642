/** Answers, as the SDK's server sends them: each header that it is given costs a packet of lwIP, which queues eight. */
import type { HTTPConnection, HTTPResponse } from "embedded:network/http/server";

/** Bytes written at once. */
const WRITE_MAX = 1024;

/** What an answer may consist of beside a text: a file in flash, the SDK's Resource. */
export interface Body {
	readonly byteLength: number;
	slice(begin: number, end: number): ArrayBuffer;
}

/** Of every answer. The first line tells an uploader that `PUT` is understood. */
const COMMON = `1\r
connection: close\r
cache-control: no-store\r
x-content-type-options: nosniff\r
content-type: `;

/** Of pages: nothing from elsewhere, and in nobody's frame. */
const PAGE = `\r
x-frame-options: DENY\r
content-security-policy: default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

export class Answer implements HTTPResponse {
	readonly status: number;
	readonly headers: HTTPResponse["headers"];
	/** Milliseconds until it may go out. */
	delay = 0;
	private readonly body: Body;
	private readonly headOnly: boolean;
	private written = 0;

	/** `lines`: more header lines, each with its end before it. `headOnly`: the answer to HEAD. */
	constructor(status: number, type: string, body: Body | string, lines = "", headOnly = false) {
		this.status = status;
		this.body = typeof body === "string" ? ArrayBuffer.fromString(body) : body;
		this.headOnly = headOnly;
		const { byteLength } = this.body;
		const common = COMMON + type + (type.startsWith("text/html") ? PAGE : "") + lines;
		// The server counts the body by the header of this name: of none it must not know.
		const headers: [string, string | number][] = headOnly
			? [["x-ota8266", `${common}\r\nContent-Length: ${byteLength}`]]
			: [
					["x-ota8266", common],
					["content-length", byteLength],
				];
		// More of it is not asked for.
		this.headers = { entries: () => headers.values() } as HTTPResponse["headers"];
	}

	/** Writes the next bytes of the body, `count` at most; false where the answer has none, and is complete. */
	write(connection: HTTPConnection, count: number): boolean {
		if (this.headOnly) return false;
		const start = this.written;
		this.written = Math.min(this.body.byteLength, start + Math.min(count, WRITE_MAX));
		if (this.written > start) connection.write(this.body.slice(start, this.written));
		return true;
	}
}
