/**
 * The highest version counter that was accepted of each kind, kept in the preferences: SPEC.md, section 7. The SDK's
 * log of preferences can lose what lies behind an entry in whose clearing the power goes. So a new counter is a new
 * entry as long as there are some to be had, and the highest one counts.
 */
import storage, { type Storage } from "embedded:storage/key-value";
import { crc32 } from "../eboot";
import { ErrorCode, UpdateError } from "../errors";
import type { UpdateKind } from "../kind";

const PATH = "ota8266";
/** Of each kind: 32 bytes of 4 KiB each. Few products raise a counter as often. */
const ENTRIES = 16;
const ENTRY_LENGTH = 8;
const CRC_OFFSET = 4;
const NONE = -1;

/** Undefined where none was. Throws UpdateError READ. */
export function acceptedCounter(kind: UpdateKind): number | undefined {
	try {
		const store = storage.open({ path: PATH, mode: "r", format: "buffer" });
		let highest = NONE;
		for (let i = 0; i < ENTRIES; i++) highest = Math.max(highest, read(store, kind, i));
		store.close();
		return highest === NONE ? undefined : highest;
	} catch {
		throw new UpdateError(ErrorCode.READ);
	}
}

/** Keeps a counter where it is higher than what is kept. Throws UpdateError READ or WRITE. */
export function acceptCounter(kind: UpdateKind, counter: number): void {
	const accepted = acceptedCounter(kind);
	if (accepted !== undefined && accepted >= counter) return;
	try {
		write(kind, counter);
	} catch {
		throw new UpdateError(ErrorCode.WRITE);
	}
	// What is not kept would let an older one in.
	if (acceptedCounter(kind) !== counter) throw new UpdateError(ErrorCode.WRITE);
}

/** Into the first entry that is free, or else has the lowest counter. */
function write(kind: UpdateKind, counter: number): void {
	const store = storage.open({ path: PATH, format: "buffer" });
	let entry = 0;
	let lowest = read(store, kind, 0);
	for (let i = 1; i < ENTRIES && lowest !== NONE; i++) {
		const found = read(store, kind, i);
		if (found >= lowest) continue;
		entry = i;
		lowest = found;
	}
	store.write(nameOf(kind, entry), encode(counter));
	store.close();
}

function encode(counter: number): Uint8Array {
	const bytes = new Uint8Array(ENTRY_LENGTH);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, counter, true);
	view.setUint32(CRC_OFFSET, crc32(bytes, CRC_OFFSET), true);
	return bytes;
}

function nameOf(kind: UpdateKind, entry: number): string {
	return `${kind}${entry}`;
}

/** NONE where there is no such entry, or a damaged one. */
function read(store: Storage, kind: UpdateKind, entry: number): number {
	const bytes: unknown = store.read(nameOf(kind, entry));
	if (!(bytes instanceof ArrayBuffer) || bytes.byteLength !== ENTRY_LENGTH) return NONE;
	const view = new DataView(bytes);
	const isWhole = view.getUint32(CRC_OFFSET, true) === crc32(new Uint8Array(bytes), CRC_OFFSET);
	return isWhole ? view.getUint32(0, true) : NONE;
}
