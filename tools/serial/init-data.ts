/**
 * The radio's settings that Espressif's SDK looks for in the flash, four sectors before its end. They are
 * Espressif's file, taken from the user's SDK and not from here. A firmware of Moddable or of the Arduino core has
 * its own among its code, so that it does without.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ErrorCode, UpdateError } from "../../ota/errors";
import { readBounded } from "../read-image";

/** From the flash's end. */
export const INIT_DATA_OFFSET = 0x4000;
const LENGTH = 128;
/** The version of the format. */
const FIRST_BYTE = 0x05;
const FILE = "ESP8266_RTOS_SDK/components/esp8266/firmware/esp_init_data_default.bin";

/** The file in the SDK that ESP_BASE names, or in ~/esp; undefined where there is none. */
export function findInitData(environment: NodeJS.ProcessEnv): string | undefined {
	const folders = [environment.ESP_BASE, join(homedir(), "esp")];
	return folders.flatMap((folder) => (folder ? [join(folder, FILE)] : [])).find((file) => existsSync(file));
}

/** Throws UpdateError FILE where it is none of this kind. */
export async function readInitData(file: string): Promise<Uint8Array> {
	const bytes = await readBounded(file, LENGTH, "are no init data, which have 128");
	if (bytes.length !== LENGTH || bytes[0] !== FIRST_BYTE) {
		throw new UpdateError(ErrorCode.FILE, file, "no init data: 128 bytes that begin with 05 are");
	}
	return bytes;
}
