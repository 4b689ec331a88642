/**
 * `embedded:update` (ECMA-419) on this project's Updater, which the application hands in once: there is one
 * update at a time, whoever makes it. Mode "a" streams through the Updater. Mode "w" writes each piece to its
 * place in the partition, and in the end streams what the flash then holds, so that both are verified alike.
 * The image that is complete boots with the Updater's own `restart`.
 */
import type { Flash, FlashStatus } from "embedded:storage/flash";
import flash from "embedded:storage/flash";
import type { Update as UpdateInterface, UpdateOptions } from "embedded:update";
import type { Update as Transaction } from "../../ota/update";
import type { Updater } from "../../ota/updater";
import { PIECE, ScatteredImage } from "./scattered-image";

const PARTITION = "nextota";
const BYTE_LENGTH_MAX = 0xffffffff;

let updater: Updater | undefined;

export function useUpdater(one: Updater): void {
	updater = one;
}

interface Start {
	transaction: Transaction;
	/** Mode "w" only. */
	scattered: ScatteredImage | undefined;
	byteLength: number | undefined;
}

class Update implements UpdateInterface {
	readonly #transaction: Transaction;
	readonly #scattered: ScatteredImage | undefined;
	readonly #byteLength: number | undefined;
	#isOpen = true;

	constructor({ transaction, scattered, byteLength }: Start) {
		this.#transaction = transaction;
		this.#scattered = scattered;
		this.#byteLength = byteLength;
	}

	write(bytes: ByteBuffer, byteOffset?: number): void {
		const it = Update.#open(this);
		const source = bytesOf(bytes);
		if (!it.#transaction.isOpen) throw new Error("complete or failed");
		if (it.#scattered) {
			if (byteOffset === undefined) throw new SyntaxError("no offset");
			it.#scattered.write(source, +byteOffset);
			return;
		}
		if (byteOffset !== undefined) throw new Error("an offset in mode a");
		// Of no bytes the Updater makes no update; any byte is one too many.
		if (it.#byteLength === 0 && source.length > 0) throw new RangeError("more than the update has");
		it.#transaction.write(source);
	}

	complete(): void {
		const it = Update.#open(this);
		if (!it.#transaction.isOpen) throw new Error("complete or failed");
		try {
			const scattered = it.#scattered;
			const end = scattered?.checkWhole() ?? 0;
			// Sector by sector to where it lies: the Updater has each one before it erases it.
			for (let at = 0; scattered && at < end; at += PIECE) it.#transaction.write(scattered.read(at, end));
			it.#transaction.complete();
		} finally {
			it.#end();
		}
	}

	close(): void {
		const it = Update.#of(this);
		it.#isOpen = false;
		it.#end();
	}

	get format(): "buffer" {
		Update.#open(this);
		return "buffer";
	}

	set format(value: "buffer") {
		Update.#open(this);
		checkFormat(value);
	}

	/** Abandons what is not complete. */
	#end(): void {
		this.#transaction.close();
		this.#scattered?.close();
	}

	static #of(it: unknown): Update {
		const object: object = Object(it);
		if (!(#transaction in object)) throw new SyntaxError("no update");
		return object;
	}

	static #open(it: unknown): Update {
		const update = Update.#of(it);
		if (!update.#isOpen) throw new SyntaxError("closed");
		return update;
	}
}

/** Throws RangeError, for a symbol TypeError. */
function checkFormat(format: unknown): void {
	if (`${format}` !== "buffer") throw new RangeError("unknown format");
}

/** Throws SyntaxError for nothing, TypeError for what is no bytes. */
function bytesOf(bytes: ByteBuffer | undefined): Uint8Array {
	if (bytes === undefined) throw new SyntaxError("no bytes");
	if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
	const isView = bytes instanceof DataView || (ArrayBuffer.isView(bytes) && bytesPerElement(bytes) === 1);
	if (!isView) throw new TypeError("no bytes");
	return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bytesPerElement(view: ArrayBufferView): number | undefined {
	return (view as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT;
}

/** What an open, writable partition `nextota` says of itself. Throws SyntaxError for what is no open partition. */
function statusOf(partition: unknown): FlashStatus {
	const own = flash.open({ path: PARTITION, mode: "r" });
	const { address } = own.status();
	const { status, write } = own;
	own.close();
	const found = status.call(partition as Flash);
	// Nothing to write: nothing but the partition's right to be written is looked at.
	write.call(partition as Flash, new ArrayBuffer(0), 0);
	if (found.address !== address) throw new Error(`the partition is not ${PARTITION}`);
	return found;
}

function lengthOf(byteLength: number | undefined, size: number): number | undefined {
	if (byteLength === undefined) return undefined;
	const length = +byteLength;
	if (!(length >= 0 && length <= BYTE_LENGTH_MAX && length <= size && Number.isInteger(length))) {
		throw new RangeError("no length of an update here");
	}
	return length;
}

export default Object.freeze({
	open(options: UpdateOptions): Update {
		const { partition, mode = "a", format = "buffer", byteLength } = options;
		if (partition === undefined) throw new Error("no partition");
		const { size } = statusOf(partition);
		const access = `${mode}`;
		if (access !== "a" && access !== "w") throw new RangeError("unknown mode");
		checkFormat(format);
		const length = lengthOf(byteLength, size);
		if (!updater) throw new Error("no Updater: give it to useUpdater first");
		// What was scattered lies at the partition's start, where the Updater puts what it does not know the
		// length of.
		const isScattered = access === "w";
		const transaction = updater.open({
			kind: "firmware",
			byteLength: isScattered || length === 0 ? undefined : length,
		});
		try {
			const scattered = isScattered ? new ScatteredImage(PARTITION, length) : undefined;
			return new Update({ transaction, scattered, byteLength: length });
		} catch (error) {
			transaction.close();
			throw error;
		}
	},
});
