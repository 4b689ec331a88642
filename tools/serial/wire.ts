/** A serial line to a board: a port of this machine, or one behind TCP. */
import type { UpdateError } from "../../ota/errors";
import { openSerialPort } from "./serial-port";
import { openTCP } from "./tcp-port";

export interface WireEvents {
	onData(bytes: Uint8Array): void;
	/** The other end is gone; once, and not after `close`. Why, where that is known. */
	onLost(reason?: UpdateError): void;
}

export interface Wire {
	write(bytes: Uint8Array): Promise<void>;
	/** Both lines at once; true is what holds the pin low. */
	setLines(dtr: boolean, rts: boolean): Promise<void>;
	setBaudRate(baudRate: number): Promise<void>;
	/** Idempotent. */
	close(): Promise<void>;
}

/** Whether DTR, RTS and the baud rate reach a board on this port. */
export function hasLines(port: string): boolean {
	return !port.startsWith("socket://");
}

/**
 * Opens `port`: /dev/ttyUSB0, COM3, socket://host:port (bytes alone) or rfc2217://host:port. Throws UpdateError PORT
 * where it is missing, busy or not allowed.
 */
export function openWire(port: string, baudRate: number, events: WireEvents): Promise<Wire> {
	return /^(socket|rfc2217):\/\//.test(port)
		? openTCP(port, baudRate, events)
		: openSerialPort(port, baudRate, events);
}
