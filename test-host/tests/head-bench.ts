/** A head of HTTP, given byte by byte to what reads it. */
import { Head, type HeadReader } from "../../ota/http/head-reader";

export interface HeadOutcome {
	/** Head.MORE where the head has not ended, Head.END, or the status of a refusal. */
	result: number;
	/** What passes. */
	kept: string;
	/** Bytes that it took. */
	taken: number;
}

export function giveHead(head: HeadReader, text: string): HeadOutcome {
	let taken = 0;
	let result: number = Head.MORE;
	for (const byte of Buffer.from(text, "latin1")) {
		taken += 1;
		result = head.write(byte);
		if (result !== Head.MORE) break;
	}
	const kept = Buffer.from(head.kept.subarray(0, head.length)).toString("latin1");
	return { result, kept, taken };
}
