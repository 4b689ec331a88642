/** The globals that XS has beyond ECMAScript, as far as the firmware uses them. */
import { chip } from "../virtual/chip";

export function installGlobals(): void {
	ArrayBuffer.fromString = (text) => new TextEncoder().encode(text).buffer;
	String.fromArrayBuffer = (bytes) => new TextDecoder().decode(new Uint8Array(bytes));
	globalThis.trace = (...text) => chip().uart(text.join(""));
}
