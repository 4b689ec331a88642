import { BAD_REQUEST, Head, HeadReader } from "./head-reader";

export { HEAD_MAX, Head } from "./head-reader";

/** What is kept: a request line, Digest's answer of some 350 bytes, and six short headers. */
export const KEPT_MAX = 768;

const VERSION_NOT_SUPPORTED = 505;

/** The head of a request, as the SDK's server may see it. */
export class RequestHead extends HeadReader {
	/** The client waits for `100 Continue` before it sends the body. */
	expectsContinue = false;
	/** It asks for another protocol, as WebSocket does, and `upgrade` is among the wanted headers. */
	upgrades = false;
	private hasHost = false;
	private modern = false;

	/** `wanted`: names of headers that are kept, in lower case; `expect` is read in any case, and not kept. */
	constructor(wanted: readonly string[]) {
		super(["expect", ...wanted], KEPT_MAX);
	}

	/** `GET /path HTTP/1.1`; an older HTTP/1.0 is kept as that too, since its answers differ in nothing of ours. */
	protected firstLine(line: string): number {
		const [method = "", target = "", protocol = "", more] = line.split(" ");
		if (more !== undefined || method === "" || !target.startsWith("/") || !protocol.startsWith("HTTP/")) {
			return BAD_REQUEST;
		}
		this.modern = protocol === "HTTP/1.1";
		if (!this.modern && protocol !== "HTTP/1.0") return VERSION_NOT_SUPPORTED;
		this.replace(`${method} ${target} HTTP/1.1`);
		return Head.MORE;
	}

	protected header(name: string, value: string): number {
		switch (name) {
			case "content-length":
			case "transfer-encoding":
				return this.bodyHeader(name, value);
			case "host":
				if (this.hasHost) return BAD_REQUEST;
				this.hasHost = true;
				break;
			case "expect":
				this.expectsContinue = this.modern && value.toLowerCase() === "100-continue";
				return Head.DROP;
			case "upgrade":
				this.upgrades = true;
				break;
		}
		return Head.MORE;
	}

	protected last(): number {
		return this.modern && !this.hasHost ? BAD_REQUEST : Head.END;
	}
}
