/** The user's ESP8266 Arduino core: the Moddable SDK builds with one, and the boot loader comes out of one. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

/** Where a core has its boot loader. */
const EBOOT = "bootloaders/eboot/eboot.elf";
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

/**
 * The boot loader of the newest core that is found: the Arduino IDE's, PlatformIO's, or the one of the SDK. A
 * newer one inflates, and forgets its command only when the copy is done. Undefined where there is no core.
 */
export function findBootLoader(environment: NodeJS.ProcessEnv, home = homedir()): string | undefined {
	const arduino = [".arduino15", "Library/Arduino15", "AppData/Local/Arduino15"]
		.map((folder) => join(home, folder, "packages/esp8266/hardware/esp8266"))
		.flatMap((folder) => folders(folder).map((name) => join(folder, name)));
	const platformIO = join(home, ".platformio/packages/framework-arduinoespressif8266");
	const cores = [...arduino, platformIO, sdkCore(environment) ?? ""]
		.filter((folder) => folder !== "" && existsSync(join(folder, EBOOT)))
		.map((folder) => ({ folder, version: coreVersion(folder) }))
		// Of equal versions the first counts.
		.sort((one, other) => other.version.localeCompare(one.version, "en", { numeric: true }));
	// "unknown" is above all numbers: it comes last.
	const core = cores.find(({ version }) => version !== "unknown") ?? cores[0];
	return core && join(core.folder, EBOOT);
}

/** The version of the core that a boot loader's file lies in. */
export function bootLoaderVersion(file: string): string {
	return coreVersion(dirname(dirname(dirname(file))));
}

function folders(folder: string): string[] {
	return existsSync(folder) ? readdirSync(folder) : [];
}

function text(file: string): string {
	return existsSync(file) ? readFileSync(file, "utf8") : "";
}
