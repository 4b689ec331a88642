/** The bytes of an ArrayBuffer or a view, as the SDK's natives take them. */
export function bytesOf(buffer: unknown): Uint8Array {
	if (ArrayBuffer.isView(buffer)) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
	if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
	throw new TypeError("no buffer");
}

/** A copy in an ArrayBuffer of its own. */
export function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
	const copy = new Uint8Array(bytes.length);
	copy.set(bytes);
	return copy.buffer;
}
