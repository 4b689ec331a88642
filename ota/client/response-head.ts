import { BAD_REQUEST, Head, HeadReader, isDigits } from "../http/head-reader";

/** A redirect's address of some length is in it. */
const KEPT_MAX = 1024;

const wanted = Object.freeze([
	"content-length",
	"content-range",
	"etag",
	"location",
	"retry-after",
	"transfer-encoding",
	"x-md5",
	"x-version",
]);

/** The head of an answer, as the SDK's client may see it: with a length, or with an end that is the connection's. */
export class ResponseHead extends HeadReader {
	status = 0;

	constructor() {
		super(wanted, KEPT_MAX);
	}

	/** Whether the body ends with its last chunk. */
	get isChunked(): boolean {
		return this.bodyLength === undefined;
	}

	/** Whether the body ends with the connection. */
	get isOpen(): boolean {
		return !this.hasLength && !this.isChunked && !this.isBare;
	}

	/** Whether the status says that there is no body, whatever the headers do. */
	private get isBare(): boolean {
		return this.status === 204 || this.status === 205 || this.status === 304;
	}

	/** `HTTP/1.1 200 OK`; the reason may lack, the client wants a space before it. */
	protected firstLine(line: string): number {
		const status = Number(line.slice(9, 12));
		const isWhole = line.charAt(8) === " " && (line.length === 12 || line.charAt(12) === " ");
		if (!isWhole || !isDigits(line.slice(9, 12))) return BAD_REQUEST;
		if (!line.startsWith("HTTP/1.") || status < 100 || status >= 600) return BAD_REQUEST;
		this.status = status;
		this.replace(`HTTP/1.1 ${status} `);
		return Head.MORE;
	}

	protected header(name: string, value: string): number {
		if (name === "content-length") return this.bodyHeader(name, value);
		// To the client a header without a value ends the head.
		if (name !== "transfer-encoding") return value === "" ? Head.DROP : Head.MORE;
		const result = this.bodyHeader(name, value);
		return result === Head.MORE ? Head.DROP : result;
	}

	/** What comes before the answer proper is dropped. */
	protected last(): number {
		if (this.isBare) this.bodyLength = 0;
		return this.status < 200 ? Head.MORE : Head.END;
	}
}
