import type { EventEmitter } from "node:events";
import { Bonjour, type Service } from "bonjour-service";
import { printable } from "./espota/text";

/** DNS-SD names ArduinoOTA's UDP port by a TCP service: `_arduino._tcp`. */
const SERVICE = "arduino";
/** Milliseconds between two questions: a datagram may be lost, and a board may be asleep. */
const REPEAT = 1000;

/** What the library hands on to its socket, where its typings have something else. */
type MulticastOptions = NonNullable<ConstructorParameters<typeof Bonjour>[0]>;

export interface Board {
	name: string;
	/** IPv4 where the board has one. */
	address: string;
	/** UDP port of ArduinoOTA. */
	port: number;
	/** Id in the Arduino core's boards.txt, empty where not told. */
	board: string;
	/** Whether it wants a password. */
	password: boolean;
}

export interface FindOptions {
	/** Milliseconds to listen. */
	timeout: number;
	/** Ends when so many boards were found; without, at the end of the time. */
	count?: number | undefined;
	/** For multicast DNS: `interface` (address of ours) and `port` where they are not the usual ones. */
	bonjour?: { interface?: string; port?: number } | undefined;
}

/** The boards that answer within the time, by name. Throws where multicast DNS cannot be used at all. */
export async function findBoards({
	timeout,
	count = Number.POSITIVE_INFINITY,
	bonjour = {},
}: FindOptions): Promise<Board[]> {
	const boards = new Map<string, Board>();
	await new Promise<void>((resolve, reject) => {
		const end = (error?: unknown): void => {
			clearTimeout(limit);
			clearInterval(repeat);
			browser.stop();
			mdns.destroy();
			if (error === undefined) resolve();
			else reject(error);
		};
		// A socket that is bound to an interface's address gets no multicast on Linux; bound to all, it does.
		const mdns = new Bonjour({ ...bonjour, bind: "0.0.0.0" } as MulticastOptions, end);
		onSocketError(mdns, end);
		const browser = mdns.find({ type: SERVICE }, (service) => {
			const board = boardOf(service);
			if (!board) return;
			boards.set(`${board.name} ${board.address}`, board);
			if (boards.size >= count) end();
		});
		const repeat = setInterval(() => browser.update(), REPEAT);
		const limit = setTimeout(() => end(), timeout);
	});
	return [...boards.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** What a service's records tell, or undefined where they tell no address. */
export function boardOf(
	service: Pick<Service, "name" | "port" | "addresses" | "referer" | "txt">,
): Board | undefined {
	const addresses = service.addresses ?? [];
	// Some boards leave the address record out: their datagram has come from it.
	const address = addresses.find((text) => text.includes(".")) ?? service.referer?.address ?? addresses[0];
	if (address === undefined) return undefined;
	const txt: { board?: unknown; auth_upload?: unknown } = service.txt ?? {};
	return {
		name: printable(service.name),
		address: printable(address),
		port: service.port,
		board: printable(String(txt.board ?? "")),
		password: txt.auth_upload === "yes",
	};
}

/** bonjour-service leaves the errors of its socket (a port that is taken) to nobody, which would end the process. */
function onSocketError(bonjour: Bonjour, callback: (error: unknown) => void): void {
	const { server } = bonjour as unknown as { server: { mdns: EventEmitter } };
	server.mdns.on("error", callback);
}
