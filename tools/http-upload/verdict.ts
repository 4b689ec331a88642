/** What the answers of a board's web update mean. */
import { ErrorCode, UpdateError } from "../../ota/errors";
import { printable } from "../espota/text";
import type { Answer } from "./request";

/** The Arduino core's words, and ours. */
const SUCCESS = "Update Success";
const FAILURE = "Update error:";
/** The header that our boards send with every answer. */
const OURS = "x-ota8266";

export function isOurs({ headers }: Answer): boolean {
	return headers[OURS] !== undefined;
}

/** Throws where the answer to `GET` is not the page of a web update. `place` is its URL, for people. */
export function checkPage(answer: Answer, place: string): void {
	const { status } = answer;
	if (status >= 200 && status < 300) return;
	// 405 and 501: there is something, but no page.
	if (status === 404 || status === 405 || status === 501) {
		throw new UpdateError(ErrorCode.NO_WEB_UPDATE, place, status);
	}
	throw refusal(answer);
}

/**
 * Throws where the answer to an upload tells of no success: DEVICE with the board's words, BUSY, REDIRECTED,
 * BAD_ANSWER. The Arduino core answers 200 to good and bad.
 */
export function checkUpload(answer: Answer): void {
	const { status, text, early } = answer;
	if (status < 200 || status >= 300) throw refusal(answer);
	const said = words(answer);
	if (text.includes(FAILURE)) {
		throw new UpdateError(ErrorCode.DEVICE, said.slice(said.indexOf(FAILURE) + FAILURE.length).trim());
	}
	if (early) throw new UpdateError(ErrorCode.BAD_ANSWER, `${said}, before all bytes were sent`);
	if (!text.includes(SUCCESS)) throw new UpdateError(ErrorCode.BAD_ANSWER, said);
}

function refusal(answer: Answer): UpdateError {
	const { status, headers } = answer;
	if (status >= 300 && status < 400) {
		return new UpdateError(ErrorCode.REDIRECTED, printable(headers.location ?? "another place"));
	}
	if (status === 409 || status === 429 || status === 503) {
		return new UpdateError(ErrorCode.BUSY, words(answer), retryTime(headers["retry-after"]));
	}
	return new UpdateError(ErrorCode.DEVICE, words(answer));
}

/** The text without its HTML, or the status where there is none. */
function words({ status, reason, text }: Answer): string {
	const plain = printable(text.replace(/<[^>]*>/g, " ").replace(/\s+/g, " "));
	return plain === "" ? printable(`${status} ${reason}`) : plain;
}

/** Retry-After, seconds or a date, for people. */
function retryTime(value: string | undefined): string {
	if (value === undefined) return "later";
	const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
	return Number.isFinite(seconds) ? `in ${Math.max(1, seconds)} s` : "later";
}
