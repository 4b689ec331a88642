import { ErrorCode, UpdateError } from "../../ota/errors";
import { readElf } from "../elf/elf";
import { readBounded } from "../read-image";
import { asProgram, type BootLoader } from "./boot-loader";
import type { ImageHeader } from "./build-image";
import { applicationImage, reservesPackerWords } from "./elf-image";

/** With all that debuggers want. */
const PROGRAM_MAX = 0x8000000;

export interface ElfFirmwareOptions {
	bootLoader: BootLoader;
	header: ImageHeader;
	/** Bytes that the flash's layout has for boot loader and application. */
	room: number;
}

/**
 * The firmware file of an application as it was linked, to be flashed at 0 or sent as an update. Throws UpdateError
 * FILE, or NOT_PACKED for what the boot loader would not start, or has no room in the flash.
 */
export async function elfFirmware(file: string, options: ElfFirmwareOptions): Promise<Uint8Array> {
	const { bootLoader, header, room } = options;
	const bytes = await readBounded(file, PROGRAM_MAX, "are no program for an ESP8266");
	const elf = asProgram(file, () => readElf(bytes));
	const image = asProgram(file, () => applicationImage(elf, header));
	const packerWords = reservesPackerWords(elf);
	const firmware = asProgram(file, () => bootLoader.firmware(image, { header, packerWords }));
	if (firmware.length > room) {
		const reason = `the firmware has ${firmware.length} bytes, the flash's layout has room for ${room}`;
		throw new UpdateError(ErrorCode.NOT_PACKED, file, reason);
	}
	return firmware;
}
