import { ErrorCode, UpdateError } from "../../ota/errors";
import { bootLoaderVersion } from "../arduino-core";
import { readElf } from "../elf/elf";
import { readImage } from "../read-image";
import { fillPackerWords, type ImageHeader, joinImages } from "./build-image";
import { bootLoaderImage } from "./elf-image";

export interface BootLoader {
	file: string;
	/** What it is, for people. */
	text: string;
	/** Whether it takes a compressed firmware. */
	inflates: boolean;
	/**
	 * The firmware file of an application's image. Throws UpdateError NOT_PACKED for what is no boot loader, RangeError,
	 * with the reason, for an application that it would not start.
	 */
	firmware(application: Uint8Array, options: FirmwareOptions): Uint8Array;
}

export interface FirmwareOptions {
	/** Of the boot loader's image. */
	header: ImageHeader;
	/** Fills in the Arduino packer's words. */
	packerWords: boolean;
}

/** Reads eboot.elf. Throws UpdateError FILE, or NOT_PACKED for what is none. */
export async function readBootLoader(file: string): Promise<BootLoader> {
	const bytes = await readImage(file);
	const elf = asProgram(file, () => readElf(bytes));
	// Since core 2.7, by the library uzlib.
	const inflates = elf.symbols.some(({ name }) => name.startsWith("uzlib_"));
	return {
		file,
		text: `eboot of Arduino core ${bootLoaderVersion(file)}, ${inflates ? "inflates" : "no"} gzip`,
		inflates,
		firmware(application, { header, packerWords }) {
			const firmware = joinImages(
				asProgram(file, () => bootLoaderImage(elf, header)),
				application,
			);
			if (packerWords) fillPackerWords(firmware);
			return firmware;
		},
	};
}

/** What `read` gives of a program in `file`: what it says is wrong with it is an UpdateError NOT_PACKED. */
export function asProgram<T>(file: string, read: () => T): T {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		throw new UpdateError(ErrorCode.NOT_PACKED, file, error.message);
	}
}

/** Throws UpdateError NOT_PACKED where a boot loader does not inflate: it would copy a gzip as it is, over itself. */
export function requireInflating(out: string, { inflates, file }: BootLoader): void {
	if (inflates) return;
	const reason = `${file} does not inflate a gzip, eboot does since Arduino core 2.7: give such a one to --bootloader`;
	throw new UpdateError(ErrorCode.NOT_PACKED, out, reason);
}
