/** One request and its answer, with what the log is going to say about it. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { DeviceRequest } from "./device-request";

export class Exchange {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	/** Without the query. */
	readonly path: string;
	/** Behind the question mark, as it came. */
	readonly query: string;
	device?: DeviceRequest | undefined;
	/** What was sent or received, `<channel>/<file>`. */
	file?: string | undefined;
	/** Why the answer is what it is. */
	reason = "";
	/** Bytes of the body that the network has taken. */
	bytes = 0;
	readonly #start = performance.now();

	constructor(request: IncomingMessage, response: ServerResponse) {
		this.request = request;
		this.response = response;
		const { url = "" } = request;
		const mark = url.indexOf("?");
		this.path = mark < 0 ? url : url.slice(0, mark);
		this.query = mark < 0 ? "" : url.slice(mark + 1);
	}

	get isHead(): boolean {
		return this.request.method === "HEAD";
	}

	/** Answers with a text, of which HEAD gets the length; without one there is no body at all. */
	answer(status: number, headers: OutgoingHttpHeaders = {}, body?: string): void {
		const { response } = this;
		const bytes = Buffer.from(body ?? "");
		// 304 says nothing about a length, or it would be that of the image.
		const length = status === 304 ? {} : { "Content-Length": bytes.length };
		response.writeHead(status, { ...headers, ...length });
		if (!this.isHead) this.bytes += bytes.length;
		response.end(this.isHead || bytes.length === 0 ? undefined : bytes);
	}

	/** Answers with what is wrong, for a person who looks. */
	refuse(status: number, reason: string, headers: OutgoingHttpHeaders = {}): void {
		this.reason = reason;
		this.answer(status, { ...headers, "Content-Type": "text/plain; charset=utf-8" }, `${reason}\n`);
	}

	/** The reason, and whether the answer was given to its end; once it is over. */
	get outcome(): string {
		const lost = "connection lost";
		if (this.response.writableFinished) return this.reason;
		return this.reason === "" ? lost : `${this.reason}; ${lost}`;
	}

	/** The line of the log, once the answer is over. */
	record(): Record<string, unknown> {
		const { request, response, device, path, query, file, bytes } = this;
		return {
			time: new Date().toISOString(),
			peer: peerOf(request.socket),
			method: request.method,
			path,
			query,
			...(device && { mac: device.mac, mode: device.mode, version: device.version }),
			status: response.headersSent ? response.statusCode : 0,
			bytes,
			ms: Math.round(performance.now() - this.#start),
			...(file !== undefined && { file }),
			reason: this.outcome,
		};
	}
}

/** The peer's address; an IPv4 one without the form that a socket for both gives it. */
export function peerOf({ remoteAddress }: { remoteAddress?: string | undefined }): string {
	return remoteAddress?.replace(/^::ffff:/, "") ?? "";
}
