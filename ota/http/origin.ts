/**
 * Who sent a browser here. A page of somebody else must not post to the board: neither as itself (its origin is
 * told) nor through a name of its own that it has pointed at the board's address (the Host is that name).
 */
const DIGIT_MAX = 57;
const DIGITS = "0123456789";

/** Without the port. */
function hostOf(host: string): string {
	const colon = host.lastIndexOf(":");
	return host.lastIndexOf("]") < colon ? host.slice(0, colon) : host;
}

/**
 * Whether a Host header names this board: an address, which nobody can point elsewhere; `localhost`; or `name`,
 * with a number behind it where another board had the name, and with `.local`. None at all comes from no browser.
 */
export function isOwnHost(host: string | undefined, name: string): boolean {
	if (host === undefined) return true;
	let given = hostOf(host.toLowerCase());
	if (given === "localhost" || isAddress(given)) return true;
	if (given.endsWith(".")) given = given.slice(0, -1);
	if (given.endsWith(".local")) given = given.slice(0, -6);
	const own = name.toLowerCase();
	if (given.startsWith(`${own}-`) && given.length === own.length + 2 && DIGITS.includes(given.slice(-1))) {
		given = given.slice(0, -2);
	}
	return given === own;
}

/** An IPv6 address in brackets, or an IPv4 one: no name ends in a digit that is resolved as a name. */
function isAddress(host: string): boolean {
	if (host.startsWith("[")) return true;
	for (let i = 0; i < host.length; i++) {
		const code = host.charCodeAt(i);
		if (code > DIGIT_MAX || (code < 48 && code !== 46)) return false;
	}
	return host !== "";
}

/** Whether a request that changes something comes from a page of this board, or from no browser at all. */
export function isOwnOrigin(headers: Map<string, string>): boolean {
	const site = headers.get("sec-fetch-site");
	if (site !== undefined && site !== "same-origin" && site !== "none") return false;
	const origin = headers.get("origin")?.toLowerCase();
	if (origin === undefined) return true;
	const host = headers.get("host")?.toLowerCase();
	return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
