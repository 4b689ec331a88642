/** `Digest` of the SDK's module `crypt`, on node:crypto. */
import { createHash, type Hash } from "node:crypto";
import { bytesOf, toArrayBuffer } from "./bytes";

const algorithms = new Map([
	["MD5", "md5"],
	["SHA1", "sha1"],
	["SHA256", "sha256"],
]);

export class Digest {
	readonly #algorithm: string;
	#hash: Hash | undefined;

	constructor(type: string) {
		const algorithm = algorithms.get(type);
		if (!algorithm) throw new Error("crypt: unsupported digest");
		this.#algorithm = algorithm;
		this.#hash = createHash(algorithm);
	}

	write(data: unknown): void {
		if (!this.#hash) throw new Error("crypt: digest is closed");
		this.#hash.update(typeof data === "string" ? data : bytesOf(data));
	}

	close(): ArrayBuffer {
		if (!this.#hash) throw new Error("crypt: digest is closed");
		const digest = toArrayBuffer(this.#hash.digest());
		this.#hash = undefined;
		return digest;
	}

	reset(): void {
		this.#hash = createHash(this.#algorithm);
	}
}
