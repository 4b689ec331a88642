/** The firmware in a chosen file, as it gets into the flash. */
import {
	APPLICATION_OFFSET,
	bootImageFault,
	FIRMWARE_LENGTH_MIN,
	GZIP_MAGIC,
	IMAGE_MAGIC,
} from "../../ota/image";

/** The largest flash that an ESP8266 maps. */
const SIZE_MAX = 0x1000000;

/** Throws Error, with a sentence, where it is none. */
export async function readFirmware(file: Blob): Promise<Uint8Array> {
	if (file.size > SIZE_MAX) throw new Error("This file is larger than any flash.");
	let bytes: Uint8Array<ArrayBuffer>;
	try {
		bytes = new Uint8Array(await file.arrayBuffer());
	} catch {
		throw new Error("This file cannot be read. If it was built anew since you chose it, choose it again.");
	}
	if (bytes[0] === GZIP_MAGIC) bytes = await inflate(bytes);
	if (bytes[0] !== IMAGE_MAGIC)
		throw new Error("This is no firmware for the ESP8266: choose the .bin of your build.");
	if (bytes.length < FIRMWARE_LENGTH_MIN || bytes[APPLICATION_OFFSET] !== IMAGE_MAGIC) {
		throw new Error(
			"This is only a part of a firmware: choose the .bin that has boot loader and application.",
		);
	}
	const fault = bootImageFault(bytes);
	if (fault) throw new Error(`This firmware is damaged: ${fault}.`);
	return bytes;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
	const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
	const pieces: Uint8Array<ArrayBuffer>[] = [];
	let length = 0;
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) break;
			pieces.push(value);
			length += value.length;
			// A small file may become any size.
			if (length > SIZE_MAX) break;
		}
	} catch {
		throw new Error("This gzip is damaged: build it again.");
	}
	if (length > SIZE_MAX) throw new Error("This gzip holds more than any flash.");
	return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
