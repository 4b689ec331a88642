import { InvalidArgumentError } from "commander";

/** A TCP or UDP port. */
export function portNumber(text: string): number {
	const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
	if (value < 1 || value > 65535) throw new InvalidArgumentError("Give a port from 1 to 65535.");
	return value;
}

/** A port to listen on; 0 is any that is free. */
export function listeningPort(text: string): number {
	const port = Number(text);
	if (!/^\d+$/.test(text) || port > 65535) {
		throw new InvalidArgumentError("a port is a number from 0 to 65535.");
	}
	return port;
}

/** A name or an address. */
export function hostName(text: string): string {
	if (text.trim() === "") throw new InvalidArgumentError("Give a name or an address.");
	if (/^[^:]+:\d+$/.test(text)) throw new InvalidArgumentError("Give the port with --port.");
	return text;
}

/** The URL of a web update; its path is /update where none is given. */
export function webURL(text: string): URL {
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (url?.protocol !== "http:" && url?.protocol !== "https:") {
		throw new InvalidArgumentError("Give a URL as http://192.168.1.50/update.");
	}
	if (url.pathname === "/") url.pathname = "/update";
	url.hash = "";
	for (const part of [url.username, url.password]) {
		if (decoded(part) === undefined) throw new InvalidArgumentError("Write a % in the login as %25.");
	}
	if (url.username !== "") userName(decoded(url.username) ?? "");
	return url;
}

/** A part of a URL without its percent signs; undefined where one is no escape. */
export function decoded(part: string): string | undefined {
	try {
		return decodeURIComponent(part);
	} catch {
		return undefined;
	}
}

/** A user's name: RFC 7617 ends it at the first colon, and no header carries control characters. */
export function userName(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these it is about.
	if (!/^[^:\x00-\x1f\x7f]+$/.test(text)) throw new InvalidArgumentError("Give a name without a colon.");
	return text;
}

/** Seconds as milliseconds; at most a day. */
export function seconds(text: string): number {
	const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
	if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError("Give a number of seconds above 0.");
	return Math.max(1, Math.round(value * 1000));
}
