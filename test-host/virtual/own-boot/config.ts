/** The configuration of the boot loader in a flash: SPEC.md, section 10. */
import {
	type BootConfig,
	type BootStage,
	CONFIG_LENGTH,
	CONFIG_OFFSET,
	decodeBootConfig,
} from "../../../tools/image/boot-config";
import type { NorFlash } from "../nor";

const bytes = new Uint8Array(CONFIG_LENGTH);

/** Undefined where it is another boot loader. Throws PowerCut without power. */
export function readBootConfig(flash: NorFlash): (BootConfig & BootStage) | undefined {
	flash.read(CONFIG_OFFSET, bytes);
	return decodeBootConfig(bytes, 0);
}
