/**
 * A serial port behind TCP, as esptool names them: socket://host:port has the bytes alone, rfc2217://host:port also
 * the baud rate, DTR and RTS (ser2net, and the board in software).
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { Rfc2217Client } from "./rfc2217-client";
import type { Wire, WireEvents } from "./wire";

/** What ser2net says to a second client, and the board in software too. */
const TAKEN = Buffer.from("Port already in use");
/** ms for a connection. */
const TIMEOUT = 5000;

export async function openTCP(port: string, baudRate: number, events: WireEvents): Promise<Wire> {
	const socket = await connectTo(port);
	let open = true;
	let taken = false;
	socket.once("data", (bytes) => {
		taken = bytes.subarray(0, TAKEN.length).equals(TAKEN);
	});
	socket.on("error", () => socket.destroy());
	socket.on("close", () => {
		const reason = "another program has it, a monitor perhaps: end that";
		if (open) events.onLost(taken ? new UpdateError(ErrorCode.PORT, port, reason) : undefined);
		open = false;
	});
	const write = (bytes: Uint8Array) =>
		new Promise<void>((resolve, reject) =>
			socket.write(bytes, (error) => (error ? reject(error) : resolve())),
		);
	const close = async () => {
		open = false;
		// What was written last is to arrive.
		if (!socket.destroyed) await new Promise<void>((done) => socket.end(done));
		socket.destroy();
	};
	if (port.startsWith("socket:")) {
		socket.on("data", events.onData);
		return { write, close, setLines: async () => {}, setBaudRate: async () => {} };
	}
	const client = new Rfc2217Client(write);
	socket.on("data", (bytes) => {
		const data = client.receive(bytes);
		if (data.length > 0) events.onData(data);
	});
	try {
		await client.open(baudRate);
	} catch {
		await close();
		throw new UpdateError(ErrorCode.PORT, port, "no RFC 2217 there, try socket://");
	}
	return {
		write: (bytes) => client.write(bytes),
		setLines: (dtr, rts) => client.setLines(dtr, rts),
		setBaudRate: (rate) => client.setBaudRate(rate),
		close,
	};
}

async function connectTo(port: string): Promise<Socket> {
	const url = URL.canParse(port) ? new URL(port) : undefined;
	if (!url?.hostname || url.port === "") {
		throw new UpdateError(ErrorCode.PORT, port, "give host and port, as in socket://127.0.0.1:3333");
	}
	const socket = connect(Number(url.port), url.hostname.replace(/^\[|\]$/g, ""));
	socket.setNoDelay();
	try {
		await once(socket, "connect", { signal: AbortSignal.timeout(TIMEOUT) });
	} catch (error) {
		socket.destroy();
		const { code } = error as NodeJS.ErrnoException;
		const reason = code === "ECONNREFUSED" ? "nobody listens there" : "no answer from there";
		throw new UpdateError(ErrorCode.PORT, port, reason);
	}
	return socket;
}
