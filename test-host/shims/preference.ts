/**
 * The SDK's module `preference` (modules/files/preference), as far as it keeps buffers: in the same log of the flash as
 * the stand-in for embedded:storage/key-value.
 */
import storage from "./key-value";

const VALUE_MAX = 63;
const store = (domain: string) => storage.open({ path: domain, format: "buffer" });

export default Object.freeze({
	set(domain: string, key: string, value: ArrayBuffer): void {
		if (!(value instanceof ArrayBuffer)) throw new Error("unsupported type");
		if (value.byteLength > VALUE_MAX) throw new Error("can't save prefs");
		store(domain).write(key, value);
	},
	get: (domain: string, key: string): ArrayBuffer | undefined => store(domain).read(key),
	delete: (domain: string, key: string): void => store(domain).delete(key),
});
