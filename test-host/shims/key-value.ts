/**
 * `embedded:storage/key-value` (ECMA-419) as the SDK has it on the ESP8266 (modules/io/storage/flash): a log of entries in
 * one of the two sectors of the preferences, with the same flash operations in the same order, so that a power cut
 * does here what it does there. Only format "buffer". test-host/xs/key-value.c is the same for XS.
 *
 * A sector is a magic word and entries: path, NUL, key, NUL, type, length (16 bits), bytes, zeros up to a whole word.
 * What is cleared is zeros, what is free FF. A full sector is copied to the other one, without what is cleared.
 */
import { SECTOR } from "../../ota/image";
import { chip } from "../virtual/chip";
import { formatOf } from "./arguments";
import { bytesOf, toArrayBuffer } from "./bytes";
import { partitions } from "./flash";

const MAGIC = Uint8Array.of(0x41, 0x31, 0x21, 0x81);
const TYPE_BUFFER = 0x82;
const formats = ["buffer"] as const;
const PATH_MAX = 31;
const VALUE_MAX = 63;
const ENTRY_MAX = 128;

interface Entry {
	at: number;
	/** Bytes, whole words. */
	size: number;
	name: string;
	value: Uint8Array;
}

/** Flash offset of the first of the two sectors. */
function preferences(): number {
	// A table need not name them: the build is linked for their place.
	const partition = partitions().get("preferences") ?? chip().layout.get("preferences");
	if (!partition) throw new Error("no preferences");
	return partition.offset;
}

function read(at: number, length: number): Uint8Array {
	const bytes = new Uint8Array(length);
	chip().flash.read(at, bytes);
	return bytes;
}

/** The sector in use; where there is none, both are made anew. */
function current(): number {
	const { flash } = chip();
	const first = preferences();
	for (const sector of [first, first + SECTOR]) {
		if (Buffer.compare(read(sector, MAGIC.length), MAGIC) === 0) return sector;
	}
	for (const sector of [first, first + SECTOR]) flash.eraseSector(sector);
	flash.program(first, MAGIC);
	return first;
}

/** What a sector holds, and where it is free. Behind what is no entry nothing is found. */
function entriesOf(sector: number): { entries: Entry[]; free: number } {
	const log = read(sector, SECTOR);
	const entries: Entry[] = [];
	let at = MAGIC.length;
	while (at < SECTOR && log[at] !== 0xff) {
		if (log[at] === 0) {
			at += 1;
			continue;
		}
		const key = log.indexOf(0, at) + 1;
		const type = log.indexOf(0, key) + 1;
		const start = type + 3;
		if (key === 0 || type === 0 || log[type] !== TYPE_BUFFER || start > SECTOR)
			return { entries, free: SECTOR };
		const end = start + (log[type + 1] ?? 0) + ((log[type + 2] ?? 0) << 8);
		const size = ((end + 3) & ~3) - at;
		const name = Buffer.from(log.subarray(at, type)).toString("latin1");
		entries.push({ at: sector + at, size, name, value: log.subarray(start, end) });
		at += size;
	}
	return { entries, free: Math.min(at, SECTOR) };
}

class Storage {
	readonly #path: string;
	readonly #readOnly: boolean;
	#open = true;

	constructor(path: string, readOnly: boolean) {
		this.#path = path;
		this.#readOnly = readOnly;
	}

	close(): void {
		this.#open = false;
	}

	read(key: unknown): ArrayBuffer | undefined {
		const name = this.#nameOf(key);
		const found = entriesOf(current()).entries.find((entry) => entry.name === name);
		return found && toArrayBuffer(found.value);
	}

	write(key: unknown, value: unknown): void {
		const name = this.#nameOf(key);
		if (this.#readOnly) throw new Error("read-only");
		const bytes = bytesOf(value);
		const entry = encode(name, bytes);
		if (bytes.length > VALUE_MAX || entry.length > ENTRY_MAX) throw new Error("write failed");
		this.delete(key);
		let sector = current();
		if (SECTOR - entriesOf(sector).free < entry.length) sector = compact(sector);
		const { free } = entriesOf(sector);
		if (SECTOR - free < entry.length) throw new Error("write failed");
		chip().flash.program(sector + free, entry);
	}

	delete(key: unknown): void {
		const name = this.#nameOf(key);
		if (this.#readOnly) throw new Error("read-only");
		for (const entry of entriesOf(current()).entries) {
			if (entry.name === name) chip().flash.program(entry.at, new Uint8Array(entry.size));
		}
	}

	get format(): string {
		return "buffer";
	}

	#nameOf(key: unknown): string {
		if (!this.#open) throw new SyntaxError("closed");
		return `${this.#path}\0${key}\0`;
	}
}

function encode(name: string, value: Uint8Array): Uint8Array {
	const head = Buffer.from(name, "latin1");
	const entry = new Uint8Array((head.length + 3 + value.length + 3) & ~3);
	entry.set(head);
	entry.set([TYPE_BUFFER, value.length & 255, value.length >> 8], head.length);
	entry.set(value, head.length + 3);
	return entry;
}

/** Copies a sector's entries to the other one, which is used from its magic on: a cut in between loses what is not copied. */
function compact(from: number): number {
	const { flash } = chip();
	const first = preferences();
	const to = from === first ? first + SECTOR : first;
	flash.eraseSector(to);
	flash.program(to, MAGIC);
	let at = to + MAGIC.length;
	for (const entry of entriesOf(from).entries) {
		flash.program(at, read(entry.at, entry.size));
		at += entry.size;
	}
	flash.program(from, new Uint8Array(MAGIC.length));
	return to;
}

export default Object.freeze({
	open(options: { path: string; mode?: string; format?: string }): Storage {
		const { mode = "r+", format = "buffer" } = options;
		if (options.path === undefined) throw new Error("no path");
		const path = `${options.path}`;
		if (path.length === 0 || path.length > PATH_MAX) throw new Error("invalid");
		if (mode !== "r" && mode !== "r+") throw new Error("invalid mode");
		formatOf(format, formats);
		return new Storage(path, mode === "r");
	},
});
