import { isDigits } from "../http/head-reader";

/** A URL of http or https, taken apart. The engine on the device has no URL. */
export interface Address {
	secure: boolean;
	/** As it goes into the Host header, in lower case. */
	host: string;
	port: number;
	/** With its query; begins with a slash. */
	path: string;
}

const URL_MAX = 1024;

/** Throws RangeError where the text is no such URL: credentials belong elsewhere, and a fragment nowhere. */
export function parseURL(text: string): Address {
	const secure = text.slice(0, 8).toLowerCase() === "https://";
	if (!secure && text.slice(0, 7).toLowerCase() !== "http://") throw new RangeError("no http URL");
	if (text.length > URL_MAX) throw new RangeError("URL too long");
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code <= 32 || code >= 127) throw new RangeError("no URL");
	}
	const start = secure ? 8 : 7;
	let end = start;
	while (end < text.length && !"/?#".includes(text.charAt(end))) end += 1;
	const authority = text.slice(start, end).toLowerCase();
	const colon = authority.indexOf(":");
	const host = colon < 0 ? authority : authority.slice(0, colon);
	const digits = colon < 0 ? "" : authority.slice(colon + 1);
	const port = digits === "" ? (secure ? 443 : 80) : isDigits(digits) ? Number(digits) : 0;
	if (host === "" || host.includes("@") || authority.includes("@") || !(port > 0 && port < 65536)) {
		throw new RangeError("no host or port");
	}
	const hash = text.indexOf("#", end);
	const rest = text.slice(end, hash < 0 ? text.length : hash);
	return { secure, host, port, path: rest.startsWith("/") ? rest : `/${rest}` };
}

/** Where a Location header of an answer from `from` points. Throws RangeError. */
export function resolveLocation(location: string, from: Address): Address {
	if (location.startsWith("//")) return parseURL(`${from.secure ? "https:" : "http:"}${location}`);
	let end = 0;
	while (end < location.length && !"/?#".includes(location.charAt(end))) end += 1;
	// Behind the path's begin, or the query's, it is of no meaning.
	if (end > 0 && location.slice(end - 1, end + 2) === "://") return parseURL(location);
	const query = from.path.indexOf("?");
	const path = query < 0 ? from.path : from.path.slice(0, query);
	let target = location;
	if (location.startsWith("?")) target = path + location;
	else if (!location.startsWith("/")) target = path.slice(0, path.lastIndexOf("/") + 1) + location;
	return parseURL(formatURL({ ...from, path: target }));
}

export function sameOrigin(a: Address, b: Address): boolean {
	return a.secure === b.secure && a.host === b.host && a.port === b.port;
}

/** Host, and the port where it is not the usual one: what a Host header says. */
export function authorityOf({ secure, host, port }: Address): string {
	return port === (secure ? 443 : 80) ? host : `${host}:${port}`;
}

export function formatURL(address: Address): string {
	return `${address.secure ? "https" : "http"}://${authorityOf(address)}${address.path}`;
}

/** A host without its port. */
export function nameOf(authority: string): string {
	const colon = authority.indexOf(":");
	return colon < 0 ? authority : authority.slice(0, colon);
}
