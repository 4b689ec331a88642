/** Answers to requests that the server never sees. */
const reasons: Readonly<Record<number, string>> = Object.freeze({
	400: "Bad Request",
	408: "Request Timeout",
	431: "Request Header Fields Too Large",
	501: "Not Implemented",
	505: "HTTP Version Not Supported",
});

export function refusal(status: number): string {
	return `HTTP/1.1 ${status} ${reasons[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
}
