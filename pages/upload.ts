/** One file on its way to the board. */
import type { Kind } from "./status";

/** How it ended: the board's answer, or none. */
export interface Answer {
	/** The HTTP status; 0 without an answer. */
	code: number;
	text: string;
	cancelled: boolean;
	/** Bytes that were sent. */
	sent: number;
}

/** ms without a byte or an answer. The board gives up after 10 s, and verifies for a few seconds. */
const STALL_TIMEOUT = 30_000;
/** Characters; a longer answer is cut. */
const TEXT_MAX = 300;

/** Sends `bytes`. `onProgress` is told how many are sent, `onCancel` how to stop it. Always resolves. */
export function upload(
	kind: Kind,
	bytes: Uint8Array<ArrayBuffer>,
	md5: string,
	onProgress: (sent: number) => void,
	onCancel: (cancel: () => void) => void,
): Promise<Answer> {
	return new Promise((resolve) => {
		// fetch tells no progress of what is sent.
		const request = new XMLHttpRequest();
		let sent = 0;
		let cancelled = false;
		let stall = 0;
		const alive = () => {
			clearTimeout(stall);
			stall = window.setTimeout(() => request.abort(), STALL_TIMEOUT);
		};
		request.upload.onprogress = ({ loaded }) => {
			alive();
			sent = loaded;
			onProgress(sent);
		};
		request.onloadend = () => {
			clearTimeout(stall);
			resolve({
				code: request.status,
				text: request.responseText.trim().slice(0, TEXT_MAX),
				cancelled,
				sent,
			});
		};
		// The application chooses where this page lies.
		request.open("PUT", `${location.pathname}?kind=${kind}`);
		request.setRequestHeader("x-MD5", md5);
		onCancel(() => {
			cancelled = true;
			request.abort();
		});
		alive();
		request.send(bytes);
	});
}
