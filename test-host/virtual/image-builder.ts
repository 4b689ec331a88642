/** Builds whole firmware files for the virtual board, in the layout of the Arduino packer. */
import {
	DESCRIPTOR_LENGTH,
	DESCRIPTOR_OFFSET,
	DESCRIPTOR_PLACE,
	writeDescriptor,
} from "../../ota/descriptor";
import { crc32 } from "../../ota/eboot";
import {
	APPLICATION_OFFSET,
	HEADER_LENGTH,
	imageEnd,
	MAP_LENGTH,
	MAP_START,
	SEGMENT_HEADER_LENGTH,
} from "../../ota/image";
import type { BootConfig } from "../../tools/image/boot-config";
import {
	buildImage,
	fillPackerWords,
	type ImageHeader,
	type ImageOptions,
	joinImages,
	type Segment,
	wholeWords,
} from "../../tools/image/build-image";
import type { OwnBootLoader } from "../../tools/image/own-boot-loader";
import { applicationStub, STUB_LENGTH } from "./application";
import { Noise } from "./noise";
import { modelStages, withOwnBoot } from "./own-boot/stages";
import { RTOS_BOOT_MARKER } from "./rtos-boot";

const EBOOT_ADDRESS = 0x4010f000;
const IRAM_ADDRESS = 0x40100000;
const RAM_ADDRESS = 0x3ffe8000;
/** Where the RTOS boot loader's code is loaded. */
const RTOS_BOOT_ADDRESS = 0x40108000;
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
	/** Whether the application confirms itself, where it is on trial; it does not where not given. */
	confirms?: boolean;
	/** Bytes of the whole file; what is missing is filled with noise, the same for the same input. */
	padTo?: number;
	/** Our boot loader in eboot's place, for these places; its second stage then comes behind. Without machine code where none is given. */
	ownBoot?: { config: BootConfig; stages?: OwnBootLoader };
}

/** A firmware file: boot loader sector, application image. Throws RangeError where `padTo` is too little. */
export function buildFirmware(options: FirmwareOptions): Uint8Array {
	const { script, name, version, padTo, ownBoot, confirms = false, ...header } = options;
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
	writeDescriptor(new DataView(irom.buffer), DESCRIPTOR_OFFSET - IROM_OFFSET, { name, version, confirms });
	irom.set(text, SCRIPT_OFFSET - IROM_OFFSET);

	const application = buildImage({
		...header,
		segments: [
			{ address: MAP_START + IROM_OFFSET, data: irom },
			{ address: IRAM_ADDRESS, data: applicationStub(SCRIPT_OFFSET, text.length) },
		],
		entry: IRAM_ADDRESS,
	});
	const image = joinImages(bootImage(header), application);
	const file = new Uint8Array(padTo ?? image.length);
	file.set(image);
	noise.fill(file.subarray(image.length));
	fillPackerWords(file);
	return ownBoot ? withOwnBoot(file, ownBoot.stages ?? modelStages, ownBoot.config) : file;
}

export interface SlotImageOptions extends FirmwareOptions {
	/** Flash offset of the slot that it is linked for; it runs in every slot at the same place of its MiB. */
	slot: number;
}

/**
 * An application's image for a slot: the mapped segment with stub, descriptor and script, and one for memory. Throws
 * RangeError where `padTo` is too little.
 */
export function buildSlotImage(options: SlotImageOptions): Uint8Array {
	const { script, name, version, padTo, slot, confirms = false, ...header } = options;
	const text = new TextEncoder().encode(script);
	const start = MAP_START + (slot % MAP_LENGTH) + HEADER_LENGTH + SEGMENT_HEADER_LENGTH;
	const descriptor = DESCRIPTOR_PLACE - HEADER_LENGTH - SEGMENT_HEADER_LENGTH;
	const stub = descriptor + DESCRIPTOR_LENGTH;
	const used = wholeWords(stub + STUB_LENGTH + text.length);
	const ram = new TextEncoder().encode("data of the application");
	const overhead = HEADER_LENGTH + 2 * SEGMENT_HEADER_LENGTH + wholeWords(ram.length);
	const smallest = imageEnd(overhead + used);
	if (padTo !== undefined && padTo < smallest) {
		throw new RangeError(`the image takes ${smallest} bytes, more than ${padTo}`);
	}
	const noise = new Noise(crc32(new TextEncoder().encode(name + version + script)));
	const mapped = new Uint8Array(padTo === undefined ? used : Math.max((padTo & ~15) - 4 - overhead, used));
	noise.fill(mapped.subarray(used));
	writeDescriptor(new DataView(mapped.buffer), descriptor, { name, version, confirms });
	mapped.set(applicationStub(start + stub + STUB_LENGTH, text.length), stub);
	mapped.set(text, stub + STUB_LENGTH);
	const image = buildImage({
		...header,
		segments: [
			{ address: start, data: mapped },
			{ address: RAM_ADDRESS, data: ram },
		],
		entry: start + stub,
	});
	const file = new Uint8Array(padTo ?? image.length);
	file.set(image);
	noise.fill(file.subarray(image.length));
	return file;
}

/** A stand-in for Espressif's RTOS boot loader: its image, as it lies at flash 0. */
export function buildRtosBoot(header: ImageHeader = {}): Uint8Array {
	const data = new TextEncoder().encode(RTOS_BOOT_MARKER);
	return buildImage({
		...header,
		segments: [{ address: RTOS_BOOT_ADDRESS, data }],
		entry: RTOS_BOOT_ADDRESS,
	});
}

function bootImage(header: ImageHeader): Uint8Array {
	const data = new TextEncoder().encode("ota8266 virtual boot loader, like eboot");
	return buildImage({ ...header, segments: [{ address: EBOOT_ADDRESS, data }], entry: EBOOT_ADDRESS });
}
