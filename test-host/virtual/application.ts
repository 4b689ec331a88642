/**
 * What the virtual board's CPU runs: not machine code but a script in the flash, which a stub at the entry of
 * the loaded image names: 16 bytes of marker text, where the script is (a flash offset, or in a slot the address where
 * it is mapped) and its length (two words).
 */
import { isMapped } from "../../ota/image";
import type { Memory } from "./memory";
import type { NorFlash } from "./nor";
import { hex32 } from "./uart";

export const STUB_LENGTH = 24;
const MARKER = "ota8266-virtual1";

export type Application =
	| { kind: "script"; script: string }
	/** Nothing there to run: a real board prints an exception and resets. */
	| { kind: "wild jump"; reason: string }
	/** Firmware for a real board. */
	| { kind: "machine code"; reason: string };

/** The stub of an image whose script (UTF-8) lies `length` bytes long at `offset`. */
export function applicationStub(offset: number, length: number): Uint8Array {
	const stub = new Uint8Array(STUB_LENGTH);
	stub.set(new TextEncoder().encode(MARKER));
	const view = new DataView(stub.buffer);
	view.setUint32(MARKER.length, offset, true);
	view.setUint32(MARKER.length + 4, length, true);
	return stub;
}

/** What runs after a jump to `entry`. Throws PowerCut where the flash has no power. */
export function findApplication(flash: NorFlash, entry: number, memory: Memory): Application {
	const where = `0x${hex32(entry)}`;
	const stub = memory.read(entry, STUB_LENGTH);
	if (!stub) return { kind: "wild jump", reason: `jump to ${where}, where nothing was loaded` };
	const marker = new TextDecoder("latin1").decode(stub.subarray(0, MARKER.length));
	if (marker !== MARKER || stub.length < STUB_LENGTH) {
		return {
			kind: "machine code",
			reason: "application is machine code, which the virtual board does not run",
		};
	}
	const view = new DataView(stub.buffer, stub.byteOffset, STUB_LENGTH);
	const offset = view.getUint32(MARKER.length, true);
	const length = view.getUint32(MARKER.length + 4, true);
	let bytes: Uint8Array | undefined = new Uint8Array(length);
	if (isMapped(offset)) bytes = memory.read(offset, length);
	else if (offset + length <= flash.size) flash.read(offset, bytes);
	else bytes = undefined;
	if (bytes?.length !== length) {
		return { kind: "wild jump", reason: `jump to ${where}, whose script lies beyond the flash` };
	}
	try {
		return { kind: "script", script: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
	} catch {
		return { kind: "wild jump", reason: `jump to ${where}, whose script is damaged` };
	}
}
