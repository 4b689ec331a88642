/** Small firmware files of exactly as many sectors as wanted. */
import { SECTOR } from "../../ota/image";
import { buildImage, fillPackerWords, joinImages } from "../../tools/image/build-image";
import { Noise } from "../virtual/noise";

const IROM = 0x40201010;
const IRAM = 0x40100000;
const DRAM = 0x3ffe8000;
/** Headers of three segments, two small ones' data, the line of the checksum. */
const OVERHEAD = 8 + 3 * 8 + 32 + 16 + 16;
/** In the place of a boot loader, as every file has it; a board with eboot has the same. */
const EBOOT = buildImage({
	segments: [{ address: 0x4010f000, data: new Uint8Array(16) }],
	entry: 0x4010f000,
});
/** In the first segment's data: "OTA8", version 1, the flag. */
const DESCRIPTOR_AT = 16;
const DESCRIPTOR = Uint8Array.from(Buffer.from("OTA8\x01\0\x01\0", "latin1"));

export interface FirmwareOptions {
	seed: number;
	/** Bytes of the file, its sector for the boot loader too. */
	length: number;
	/** It says in its descriptor that it confirms itself. */
	confirms?: boolean;
	/** Bytes after which its noise repeats, so that it can be compressed. */
	period?: number;
	/** Whether the Arduino packer's words are filled in, which its checksum does not count. */
	packed?: boolean;
}

/** Filled with noise; what is written of its last sector may be little. */
export function firmware({
	seed,
	length,
	packed = false,
	confirms = true,
	period,
}: FirmwareOptions): Uint8Array {
	const noise = new Noise(seed);
	const irom = noise.fill(new Uint8Array((length - SECTOR - OVERHEAD) & ~15));
	if (period !== undefined)
		for (let at = period; at < irom.length; at += period) irom.copyWithin(at, 0, period);
	if (confirms) irom.set(DESCRIPTOR, DESCRIPTOR_AT);
	if (packed) irom.fill(0, 0, 8);
	const application = buildImage({
		segments: [
			{ address: IROM, data: irom },
			{ address: IRAM, data: noise.fill(new Uint8Array(32)) },
			{ address: DRAM, data: noise.fill(new Uint8Array(16)) },
		],
		entry: IRAM + 4,
	});
	const file = joinImages(EBOOT, application);
	if (packed) fillPackerWords(file);
	return file;
}

/** Of a firmware's file what an update writes. */
export function applicationOf(file: Uint8Array): Uint8Array {
	return file.subarray(SECTOR);
}
