/** What a request asks for, and whether it may. */
import type { HTTPRequest } from "embedded:network/http/server";
import { ErrorCode, type UpdateError } from "../errors";
import type { UpdateKind } from "../kind";
import { Answer, type Body } from "./answer";
import type { HTTPAuthentication } from "./authentication";
import { isOwnHost, isOwnOrigin } from "./origin";
import { type StatusSources, statusJSON, statusPage } from "./status";

export interface Site extends StatusSources {
	/** The update page, gzip, and where it is. */
	readonly page: Body;
	readonly path: string;
	readonly hostName: string;
	readonly authentication: HTTPAuthentication | undefined;
}

/** The path of a request's target. */
export function pathOf(target: string): string {
	const query = target.indexOf("?");
	return query < 0 ? target : target.slice(0, query);
}

/** With methods rather than functions: each function that another one names takes a slot of the engine's stack. */
export class Routes {
	private readonly site: Site;

	constructor(site: Site) {
		this.site = site;
	}

	/** The answer to a request of the address `peer`; undefined to one whose body is an update. */
	answer(request: HTTPRequest, peer: string): Answer | undefined {
		return this.stranger(request) ?? this.unauthorized(request, peer) ?? this.serve(request);
	}

	/** What a bare image is, by `?kind=`; a firmware where nothing is said. */
	kind({ path: target }: HTTPRequest): UpdateKind | undefined {
		for (const field of target.slice(pathOf(target).length + 1).split("&")) {
			if (!field.startsWith("kind=")) continue;
			const kind = field.slice("kind=".length);
			return kind === "firmware" || kind === "filesystem" ? kind : undefined;
		}
		return "firmware";
	}

	/** By the core's text, which scripts look for; it sends a browser to the start page when the board is up again. */
	success(request: HTTPRequest): Answer {
		const words = "Update Success! Rebooting...";
		return request.method === "POST"
			? this.html(request, `<META http-equiv="refresh" content="15;URL=/">${words}`)
			: this.text(request, 200, words);
	}

	/** A form is told by the text alone, as the core does it; a script by an honest status too. */
	failure(request: HTTPRequest, error: UpdateError): Answer {
		return request.method === "POST"
			? this.html(request, `Update error: ${error}`)
			: this.text(request, this.statusOf(error), `${error}`);
	}

	/** The refusal of what a page of somebody else has sent. */
	private stranger(request: HTTPRequest): Answer | undefined {
		const { headers } = request;
		if (!isOwnHost(headers.get("host"), this.site.hostName)) {
			return this.text(request, 403, "Forbidden: not a name of this board");
		}
		return this.changes(request) && !isOwnOrigin(headers)
			? this.text(request, 403, "Forbidden: sent by a page of somebody else")
			: undefined;
	}

	private unauthorized(request: HTTPRequest, peer: string): Answer | undefined {
		const { authentication } = this.site;
		if (!authentication) return undefined;
		const { method, path, headers } = request;
		const verdict = authentication.check(headers.get("authorization"), method, path, peer);
		if (verdict === "granted") return undefined;
		const challenge = authentication.challenge(verdict === "stale");
		const answer = this.text(request, 401, "Unauthorized", `\r\n${challenge}`);
		if (verdict === "wrong") answer.delay = authentication.delay;
		return answer;
	}

	private serve(request: HTTPRequest): Answer | undefined {
		const { site } = this;
		const path = pathOf(request.path);
		if (path === site.path) return this.changes(request) ? this.mayUpdate(request) : this.page(request);
		if (path !== "/" && path !== "/status") return this.text(request, 404, "Not Found");
		if (this.changes(request)) return this.text(request, 405, "Method Not Allowed", "\r\nallow: GET, HEAD");
		if (path === "/") return this.html(request, statusPage(site, site.path));
		return this.make(request, 200, "application/json", statusJSON(site));
	}

	private page(request: HTTPRequest): Answer {
		return this.html(request, this.site.page, "\r\ncontent-encoding: gzip");
	}

	private mayUpdate(request: HTTPRequest): Answer | undefined {
		const { method, headers } = request;
		if (method !== "PUT" && method !== "POST") {
			return this.text(request, 405, "Method Not Allowed", "\r\nallow: GET, HEAD, POST, PUT");
		}
		if (!this.kind(request)) {
			return this.text(request, 400, "Bad Request: kind=firmware or kind=filesystem wanted");
		}
		const hasBody = headers.has("content-length") || headers.has("transfer-encoding");
		return hasBody ? undefined : this.text(request, 411, "Length Required");
	}

	private statusOf({ code }: UpdateError): number {
		switch (code) {
			case ErrorCode.RUNNING_ALREADY:
				return 409;
			case ErrorCode.SPACE:
				return 413;
			case ErrorCode.BAD_MD5:
			case ErrorCode.FORM:
				return 400;
			default:
				return 422;
		}
	}

	private changes({ method }: HTTPRequest): boolean {
		return method !== "GET" && method !== "HEAD";
	}

	private text(request: HTTPRequest, status: number, words: string, lines?: string): Answer {
		return this.make(request, status, "text/plain; charset=utf-8", `${words}\n`, lines);
	}

	private html(request: HTTPRequest, body: Body | string, lines?: string): Answer {
		return this.make(request, 200, "text/html; charset=utf-8", body, lines);
	}

	private make(request: HTTPRequest, status: number, type: string, body: Body | string, lines = ""): Answer {
		return new Answer(status, type, body, lines, request.method === "HEAD");
	}
}
