/** The manifest that a build makes around an application's: what only the build knows goes into its settings. */
import { NAME_LENGTH, VERSION_LENGTH } from "../../ota/descriptor";
import { ErrorCode, UpdateError } from "../../ota/errors";

export interface MadeManifestOptions {
	/** The application's, a whole path. */
	manifest: string;
	name: string;
	version: string;
	/** The setting of this name; undefined where nothing is signed. */
	publicKeys: string | undefined;
	/** Whether the boot loader takes a gzip. */
	inflates: boolean;
	/** Which of several layouts for a size of flash the chip's C files have; undefined where there is one. */
	filesystemMiB: number | undefined;
}

/** The manifest's text. Throws UpdateError FILE for a name or a version that a descriptor has no place for. */
export function madeManifest(options: MadeManifestOptions): string {
	const { manifest, name, version, publicKeys, inflates, filesystemMiB } = options;
	requireText(manifest, "name", name, NAME_LENGTH);
	requireText(manifest, "version", version, VERSION_LENGTH);
	const made = {
		include: manifest,
		config: {
			...(publicKeys !== undefined && { publicKeys }),
			...(!inflates && { bootLoaderInflates: false }),
		},
		// What begins with # becomes a string in C: modules/descriptor, modules/flash.
		defines: {
			ota8266: {
				name: `#${name}`,
				version: `#${version}`,
				...(filesystemMiB !== undefined && { filesystem_mib: filesystemMiB }),
			},
		},
	};
	return `${JSON.stringify(made, undefined, "\t")}\n`;
}

function requireText(manifest: string, setting: string, text: string, length: number): void {
	// As it stands in C, between quotes.
	if (/^[\x20-\x7e]+$/.test(text) && text.length <= length && !/["\\]/.test(text)) return;
	const reason = `config has no ${setting} of 1 to ${length} characters of plain ASCII`;
	throw new UpdateError(ErrorCode.FILE, manifest, reason);
}
