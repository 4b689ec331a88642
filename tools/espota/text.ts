/** Longest text of a device that is shown. */
const LENGTH_MAX = 200;

/** What a device wrote, made fit for a terminal: printable ASCII on one line. */
export function printable(text: string): string {
	return text
		.trim()
		.slice(0, LENGTH_MAX)
		.replace(/[^\x20-\x7e]/g, "?");
}
