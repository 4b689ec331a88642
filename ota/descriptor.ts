/**
 * The application's descriptor: name and version text inside the firmware file, and whether it confirms itself, so that an updater, the
 * boot verdict and `ota8266 info` can say what an image is. SPEC.md draws it. It lies 16 bytes into the irom
 * segment, behind the two words that the Arduino packer may fill; an image without one is as good an image.
 */
import { APPLICATION_OFFSET, HEADER_LENGTH, SEGMENT_HEADER_LENGTH } from "./image";

/** Where it lies in the application's image. */
export const DESCRIPTOR_PLACE = HEADER_LENGTH + SEGMENT_HEADER_LENGTH + 16;
/** Where it lies in a firmware's file for eboot, and so in flash. */
export const DESCRIPTOR_OFFSET = APPLICATION_OFFSET + DESCRIPTOR_PLACE;
export const DESCRIPTOR_LENGTH = 64;
/** Bytes of a name and of a version text, zero-padded ASCII. */
export const NAME_LENGTH = 24;
export const VERSION_LENGTH = 32;

/** "OTA8", little-endian. */
const MAGIC = 0x3841544f;
const FORMAT = 1;
const FLAGS_OFFSET = 6;
const CONFIRMS = 1;
const NAME_OFFSET = 8;
const VERSION_OFFSET = NAME_OFFSET + NAME_LENGTH;

export interface Descriptor {
	name: string;
	version: string;
	/** The application confirms itself, so that a boot loader may go back from it where it does not. */
	confirms: boolean;
}

/** The descriptor in `view` at `offset`, or undefined where there is none (or not all of one). */
export function readDescriptor(view: DataView, offset: number): Descriptor | undefined {
	if (offset + DESCRIPTOR_LENGTH > view.byteLength) return undefined;
	if (view.getUint32(offset, true) !== MAGIC || view.getUint16(offset + 4, true) !== FORMAT) return undefined;
	return {
		confirms: (view.getUint16(offset + FLAGS_OFFSET, true) & CONFIRMS) !== 0,
		name: readText(view, offset + NAME_OFFSET, NAME_LENGTH),
		version: readText(view, offset + VERSION_OFFSET, VERSION_LENGTH),
	};
}

/** The version text of the descriptor that `view` is; empty where it is none. */
export function versionIn(view: DataView): string {
	return readDescriptor(view, 0)?.version ?? "";
}

/** Writes a descriptor; what is too long for its field, or not printable ASCII, is cut there. */
export function writeDescriptor(view: DataView, offset: number, descriptor: Descriptor): void {
	view.setUint32(offset, MAGIC, true);
	view.setUint16(offset + 4, FORMAT, true);
	view.setUint16(offset + FLAGS_OFFSET, descriptor.confirms ? CONFIRMS : 0, true);
	writeText(view, offset + NAME_OFFSET, NAME_LENGTH, descriptor.name);
	writeText(view, offset + VERSION_OFFSET, VERSION_LENGTH, descriptor.version);
}

/** Zero-padded ASCII of at most `length` bytes; ends at the first byte that is not printable. */
export function readText(view: DataView, offset: number, length: number): string {
	let text = "";
	for (let i = 0; i < length; i++) {
		const byte = view.getUint8(offset + i);
		if (byte < 0x20 || byte > 0x7e) break;
		text += String.fromCharCode(byte);
	}
	return text;
}

export function writeText(view: DataView, offset: number, length: number, text: string): void {
	let end = 0;
	while (end < length && end < text.length) {
		const code = text.charCodeAt(end);
		if (code < 0x20 || code > 0x7e) break;
		view.setUint8(offset + end, code);
		end += 1;
	}
	for (; end < length; end++) view.setUint8(offset + end, 0);
}
