/** The bytes of an ArrayBuffer or a view of bytes, as the SDK's natives take them. */
export function bytesOf(buffer: unknown): Uint8Array {
	if (ArrayBuffer.isView(buffer) && (buffer instanceof DataView || bytesPerElement(buffer) === 1)) {
		return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
	}
	if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
	throw new TypeError("invalid buffer");
}

function bytesPerElement(view: ArrayBufferView): number | undefined {
	return "BYTES_PER_ELEMENT" in view ? Number(view.BYTES_PER_ELEMENT) : undefined;
}

/** A copy in an ArrayBuffer of its own. */
export function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
	const copy = new Uint8Array(bytes.length);
	copy.set(bytes);
	return copy.buffer;
}
