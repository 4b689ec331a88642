import { realpath } from "node:fs/promises";
import { sep } from "node:path";

/** Where `path` really is, or undefined where a symbolic link leads out of `root` (itself without links). Throws where it is nowhere. */
export async function inside(root: string, path: string): Promise<string | undefined> {
	const real = await realpath(path);
	return real.startsWith(root.endsWith(sep) ? root : root + sep) ? real : undefined;
}
