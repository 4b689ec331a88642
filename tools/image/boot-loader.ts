import { ErrorCode, UpdateError } from "../../ota/errors";
import { bootLoaderVersion } from "../arduino-core";
import { readElf } from "../elf/elf";
import { readImage } from "../read-image";
import type { ImageHeader } from "./build-image";
import { bootLoaderImage } from "./elf-image";

export interface BootLoader {
	file: string;
	/** Of the core that it lies in; `unknown` elsewhere. */
	version: string;
	/** Whether it takes a compressed firmware: eboot does since core 2.7, by the library uzlib. */
	inflates: boolean;
	/** Its image for a firmware with this header. Throws UpdateError NOT_PACKED. */
	image(header: ImageHeader): Uint8Array;
}

/** Reads eboot.elf. Throws UpdateError FILE, or NOT_PACKED for what is none. */
export async function readBootLoader(file: string): Promise<BootLoader> {
	const bytes = await readImage(file);
	const elf = asProgram(file, () => readElf(bytes));
	const inflates = elf.symbols.some(({ name }) => name.startsWith("uzlib_"));
	const image = (header: ImageHeader) => asProgram(file, () => bootLoaderImage(elf, header));
	return { file, version: bootLoaderVersion(file), inflates, image };
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

export function bootLoaderText({ file, version, inflates }: BootLoader): string {
	return `eboot of Arduino core ${version}, ${inflates ? "inflates" : "no"} gzip, ${file}`;
}
