/** The user's ESP8266 Arduino core: the Moddable SDK builds with one, and eboot comes out of one. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The core that the Moddable SDK 8 builds with. */
export const SDK_CORE = "esp8266-2.3.0";

/** The core that the SDK builds with, from its environment; undefined where that names none. */
export function sdkCore({ ARDUINO_ROOT, ESP_BASE }: NodeJS.ProcessEnv): string | undefined {
	return ARDUINO_ROOT ?? (ESP_BASE === undefined ? undefined : join(ESP_BASE, SDK_CORE));
}

/**
 * The version text of the core in a folder, or `unknown`. The folder's name counts first, since in git platform.txt
 * says 2.2.0 at the tag 2.3.0.
 */
export function coreVersion(folder: string): string {
	const named = /\d+\.\d+\.\d+$/.exec(basename(folder))?.[0];
	const release = /RELEASE\s+"([^"]+)"/.exec(text(join(folder, "cores/esp8266/core_version.h")))?.[1];
	const version = /^version=(.+)$/m.exec(text(join(folder, "platform.txt")))?.[1];
	return named ?? release?.replaceAll("_", ".") ?? version?.trim() ?? "unknown";
}

/** The version of the core that a boot loader's file lies in. */
export function bootLoaderVersion(file: string): string {
	return coreVersion(dirname(dirname(dirname(file))));
}

function text(file: string): string {
	return existsSync(file) ? readFileSync(file, "utf8") : "";
}
