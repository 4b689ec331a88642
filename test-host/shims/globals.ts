/** The globals that XS has beyond ECMAScript, as far as the firmware uses them. */
import { chip } from "../virtual/chip";

export function installGlobals(): void {
	// XS refuses what is no UTF-8, and keeps a byte order mark.
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	ArrayBuffer.fromString = (text) => new TextEncoder().encode(text).buffer;
	String.fromArrayBuffer = (bytes) => decoder.decode(new Uint8Array(bytes));
	BigInt.fromArrayBuffer = (bytes) => BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);
	globalThis.trace = (...text) => chip().uart(text.map((one) => `${one}`).join(""));
}
