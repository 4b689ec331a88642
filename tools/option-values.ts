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

/** Seconds as milliseconds; at most a day. */
export function seconds(text: string): number {
	const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
	if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError("Give a number of seconds above 0.");
	return Math.max(1, Math.round(value * 1000));
}
