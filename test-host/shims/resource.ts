/** The SDK's module `Resource`: files of the manifest's `data`, as its C (modules/files/resource) takes arguments. */
import { chip } from "../virtual/chip";
import { integerOf } from "./arguments";
import { toArrayBuffer } from "./bytes";

function find(path: readonly unknown[]): Uint8Array | undefined {
	if (path.length === 0) throw new SyntaxError("no path");
	return chip().resources?.get(`${path[0]}`);
}

export default class Resource {
	readonly #bytes: Uint8Array;

	/** Throws URIError where there is none of that name. */
	constructor(...path: readonly unknown[]) {
		const bytes = find(path);
		if (!bytes) throw new URIError(`no resource ${path[0]}`);
		this.#bytes = bytes;
	}

	static exists(...path: readonly unknown[]): boolean {
		return find(path) !== undefined;
	}

	get byteLength(): number {
		return Resource.#bytesOf(this).length;
	}

	/** From `begin` to `end`, each of which counts as 0 where it is given as undefined; all of it where not given. */
	slice(...range: readonly unknown[]): ArrayBuffer {
		const bytes = Resource.#bytesOf(this);
		const begin = Math.max(integerOf(range[0]), 0);
		let end = bytes.length;
		if (range.length > 1) {
			const wanted = integerOf(range[1]);
			end = wanted < begin ? begin : Math.min(wanted, bytes.length);
		}
		if (begin > end) throw new RangeError("begins behind the end");
		return toArrayBuffer(bytes.subarray(begin, end));
	}

	static #bytesOf(it: unknown): Uint8Array {
		const object: object = Object(it);
		if (!(#bytes in object)) throw new SyntaxError("not a Resource");
		return object.#bytes;
	}
}
