import { InvalidArgumentError } from "commander";
import { BOARD_LENGTH, isBoardID } from "../ota/claims";

/** Bytes of the flash chips that there are, as people call them. */
export const flashSizes: ReadonlyMap<string, number> = new Map([
	["512K", 0x80000],
	["1M", 0x100000],
	["2M", 0x200000],
	["4M", 0x400000],
	["8M", 0x800000],
	["16M", 0x1000000],
]);

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

/** Bits a second of a serial line. */
export function baudRate(text: string): number {
	const rate = /^\d{1,7}$/.test(text) ? Number(text) : 0;
	if (rate < 300 || rate > 4_000_000) throw new InvalidArgumentError("Give a rate from 300 to 4000000.");
	return rate;
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

/** The size of a flash, in bytes. */
export function flashSize(text: string): number {
	const size = flashSizes.get(text);
	if (size === undefined) throw new InvalidArgumentError(`Give one of ${[...flashSizes.keys()].join(", ")}.`);
	return size;
}

/** A version counter: a whole number of 32 bits. */
export function versionCounter(text: string): number {
	const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
	if (value < 0 || value > 0xffffffff)
		throw new InvalidArgumentError("Give a whole number up to 4294967295.");
	return value;
}

export function boardID(text: string): string {
	if (!isBoardID(text))
		throw new InvalidArgumentError(`Give 1 to ${BOARD_LENGTH} characters of plain ASCII.`);
	return text;
}

/** For an option that may be given more than once: what was given so far, and one more. */
export function more(text: string, before: readonly string[] = []): string[] {
	return [...before, text];
}
