import flash from "embedded:storage/flash";
import { type BootConfig, CONFIG_LENGTH, CONFIG_OFFSET, decodeConfig } from "./config";

/** The configuration of the boot loader in flash; undefined where it is another boot loader, or cannot be read. */
export function readConfig(): BootConfig | undefined {
	try {
		const running = flash.open({ path: "running", mode: "r" });
		// With a partition table it is a slot.
		const bytes = running.status().address === 0 ? running.read(CONFIG_LENGTH, CONFIG_OFFSET) : undefined;
		running.close();
		return bytes && decodeConfig(new DataView(bytes));
	} catch {
		return undefined;
	}
}
