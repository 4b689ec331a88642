/**
 * `embedded:storage/key-value` (ECMA-419) for the ESP8266, of the format "buffer", over the SDK's preferences: the
 * SDK's own module of this name (8.2.3, modules/io/storage/flash) does not compile for this chip, and keeps its
 * entries in the same log.
 */

import Preference from "preference";

const PATH_MAX = 31;

class Storage {
	private readonly path: string;
	private readonly readOnly: boolean;
	private open = true;

	constructor(path: string, readOnly: boolean) {
		this.path = path;
		this.readOnly = readOnly;
	}

	get format(): "buffer" {
		return "buffer";
	}

	read(key: string): ArrayBuffer | undefined {
		this.require(false);
		const value = Preference.get(this.path, key);
		return value instanceof ArrayBuffer ? value : undefined;
	}

	write(key: string, value: ByteBuffer): void {
		this.require(true);
		// The preferences take a whole ArrayBuffer only.
		const view = ArrayBuffer.isView(value) ? value : new Uint8Array(value);
		const bytes = new Uint8Array(view.byteLength);
		bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
		Preference.set(this.path, key, bytes.buffer);
	}

	delete(key: string): void {
		this.require(true);
		Preference.delete(this.path, key);
	}

	close(): void {
		this.open = false;
	}

	private require(writable: boolean): void {
		if (!this.open) throw new SyntaxError("closed");
		if (writable && this.readOnly) throw new Error("read-only");
	}
}

export type { Storage };

export default Object.freeze({
	open(options: { path: string; mode?: "r" | "r+"; format?: "buffer" }): Storage {
		const { path, mode = "r+", format = "buffer" } = options;
		if (typeof path !== "string" || path.length === 0 || path.length > PATH_MAX)
			throw new Error("invalid path");
		if (mode !== "r" && mode !== "r+") throw new Error("invalid mode");
		if (format !== "buffer") throw new RangeError("invalid format");
		return new Storage(path, mode === "r");
	},
});
