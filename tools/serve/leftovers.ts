import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

/** Begins the name of what is being uploaded: hidden, so that it is no image, nor in the listing of a shell. */
export const TEMPORARY_PREFIX = ".upload-";
/** Milliseconds; no upload takes that long, also not one of another server on the same folder. */
const AGE = 86_400_000;

/** Removes what uploads have left in the folder of a channel where the server was killed. */
export async function removeLeftovers(folder: string): Promise<void> {
	for (const name of await readdir(folder)) {
		if (!name.startsWith(TEMPORARY_PREFIX)) continue;
		const path = join(folder, name);
		const { mtimeMs } = await stat(path);
		if (Date.now() - mtimeMs > AGE) await unlink(path);
	}
}
