/**
 * A serial port behind TCP, as esptool names them: socket://host:port has the bytes alone, rfc2217://host:port also
 * the baud rate, DTR and RTS (ser2net, and the board in software).
 */
import { once } from "node:events";
import { connect } from "node:net";
import { ErrorCode, UpdateError } from "../../ota/errors";
import {
	ANSWER,
	BINARY,
	baudRateBytes,
	COM_PORT,
	comPort,
	DO,
	DTR_OFF,
	DTR_ON,
	escapeTelnet,
	IAC,
	RTS_OFF,
	RTS_ON,
	SET_BAUD_RATE,
	SET_CONTROL,
	SUPPRESS_GO_AHEAD,
	TelnetDecoder,
	WILL,
} from "./telnet";
import type { Wire, WireEvents } from "./wire";

/** What ser2net says to a second client, and the board in software too. */
const TAKEN = Buffer.from("Port already in use");
/** ms for a connection, and for an answer of RFC 2217. */
const TIMEOUT = 5000;

export async function openTCP(port: string, baudRate: number, events: WireEvents): Promise<Wire> {
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
		const reason = code === "ECONNREFUSED" ? "nobody listens there" : (code ?? "no answer");
		throw new UpdateError(ErrorCode.PORT, port, reason);
	}
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
	if (url.protocol === "socket:") {
		socket.on("data", (bytes) => events.onData(bytes));
		return { write, close, setLines: async () => {}, setBaudRate: async () => {} };
	}

	const waiting = new Map<number, () => void>();
	const decoder = new TelnetDecoder({
		onNegotiation: () => {},
		onComPort: (command) => waiting.get(command)?.(),
	});
	socket.on("data", (bytes) => {
		const data = decoder.push(bytes);
		if (data.length > 0) events.onData(data);
	});
	/** Waits for the far end's answer, so that what follows comes after it. */
	const command = async (number: number, value: Iterable<number>): Promise<void> => {
		const answered = new Promise<void>((resolve, reject) => {
			const timer = setTimeout(
				() => reject(new UpdateError(ErrorCode.PORT, port, "no RFC 2217 there, try socket://")),
				TIMEOUT,
			);
			waiting.set(number + ANSWER, () => {
				clearTimeout(timer);
				resolve();
			});
		});
		await write(comPort(number, value));
		await answered;
	};
	const wire: Wire = {
		write: (bytes) => write(escapeTelnet(bytes)),
		setBaudRate: (rate) => command(SET_BAUD_RATE, baudRateBytes(rate)),
		async setLines(dtr, rts) {
			await command(SET_CONTROL, [dtr ? DTR_ON : DTR_OFF]);
			await command(SET_CONTROL, [rts ? RTS_ON : RTS_OFF]);
		},
		close,
	};
	try {
		for (const option of [BINARY, SUPPRESS_GO_AHEAD, COM_PORT]) {
			await write(Uint8Array.of(IAC, WILL, option, IAC, DO, option));
		}
		await wire.setBaudRate(baudRate);
	} catch (error) {
		await close();
		throw error;
	}
	return wire;
}
