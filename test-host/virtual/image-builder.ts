/** Builds whole firmware files for the virtual board, in the layout of the Arduino packer. */
import { DESCRIPTOR_LENGTH, DESCRIPTOR_OFFSET, writeDescriptor } from "../../ota/descriptor";
import { crc32 } from "../../ota/eboot";
import { APPLICATION_OFFSET, HEADER_LENGTH, imageEnd, SEGMENT_HEADER_LENGTH } from "../../ota/image";
import {
	buildImage,
	fillPackerWords,
	type ImageHeader,
	type ImageOptions,
	joinImages,
	type Segment,
	wholeWords,
} from "../../tools/image/build-image";
import { applicationStub, STUB_LENGTH } from "./application";
import { Noise } from "./noise";

const EBOOT_ADDRESS = 0x4010f000;
const IRAM_ADDRESS = 0x40100000;
/** The flash cache maps flash 0 here, so that the first segment's data lies in the file where it is mapped. */
const FLASH_ADDRESS = 0x40200000;
const IROM_OFFSET = APPLICATION_OFFSET + HEADER_LENGTH + SEGMENT_HEADER_LENGTH;
const SCRIPT_OFFSET = DESCRIPTOR_OFFSET + DESCRIPTOR_LENGTH;
/** Of an application: the header, both segment headers, the stub. */
const APPLICATION_OVERHEAD = HEADER_LENGTH + 2 * SEGMENT_HEADER_LENGTH + STUB_LENGTH;

export { buildImage, type ImageOptions, type Segment };

export interface FirmwareOptions extends ImageHeader {
	/** The bundled application, which the virtual board runs. */
	script: string;
	name: string;
	version: string;
	/** Bytes of the whole file; what is missing is filled with noise, the same for the same input. */
	padTo?: number;
}

/** A firmware file: boot loader sector, application image. Throws RangeError where `padTo` is too little. */
export function buildFirmware(options: FirmwareOptions): Uint8Array {
	const { script, name, version, padTo, ...header } = options;
	const text = new TextEncoder().encode(script);
	const used = wholeWords(SCRIPT_OFFSET - IROM_OFFSET + text.length);
	const smallest = APPLICATION_OFFSET + imageEnd(APPLICATION_OVERHEAD + used);
	if (padTo !== undefined && padTo < smallest) {
		throw new RangeError(`the firmware takes ${smallest} bytes, more than ${padTo}`);
	}
	// Of its own for each firmware, so that two of them have no page in common.
	const noise = new Noise(crc32(new TextEncoder().encode(name + version + script)));
	// Images end on 16 bytes, their last word at least is padding and checksum; the rest is a tail behind it.
	const imageLength = ((padTo ?? smallest) - APPLICATION_OFFSET) & ~15;
	const room = padTo === undefined ? used : imageLength - 4 - APPLICATION_OVERHEAD;
	const irom = new Uint8Array(Math.max(room, used));
	noise.fill(irom.subarray(used));
	writeDescriptor(new DataView(irom.buffer), DESCRIPTOR_OFFSET - IROM_OFFSET, { name, version });
	irom.set(text, SCRIPT_OFFSET - IROM_OFFSET);

	const application = buildImage({
		...header,
		segments: [
			{ address: FLASH_ADDRESS + IROM_OFFSET, data: irom },
			{ address: IRAM_ADDRESS, data: applicationStub(SCRIPT_OFFSET, text.length) },
		],
		entry: IRAM_ADDRESS,
	});
	const image = joinImages(bootImage(header), application);
	const file = new Uint8Array(padTo ?? image.length);
	file.set(image);
	noise.fill(file.subarray(image.length));
	fillPackerWords(file);
	return file;
}

function bootImage(header: ImageHeader): Uint8Array {
	const data = new TextEncoder().encode("ota8266 virtual boot loader, like eboot");
	return buildImage({ ...header, segments: [{ address: EBOOT_ADDRESS, data }], entry: EBOOT_ADDRESS });
}
