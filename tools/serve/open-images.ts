import { type FileHandle, open } from "node:fs/promises";
import { type Image, OPEN_FLAGS } from "./image";
import { stampOf } from "./stamp";

export interface OpenImage {
	readonly handle: FileHandle;
	/** Whether the file still is what the catalogue knows. */
	isUnchanged(): Promise<boolean>;
	/** Once. The last one closes the file. */
	release(): void;
}

interface Shared {
	handle: Promise<FileHandle>;
	users: number;
}

/** Images that are being sent, each open once however many devices take it. */
export class OpenImages {
	readonly #open = new Map<string, Shared>();

	/** The image, to be released; undefined where the file is gone or another one now. */
	async acquire({ path, stamp }: Image): Promise<OpenImage | undefined> {
		const key = `${stamp} ${path}`;
		const shared = this.#open.get(key) ?? { handle: open(path, OPEN_FLAGS), users: 0 };
		this.#open.set(key, shared);
		shared.users += 1;
		const release = (): void => {
			shared.users -= 1;
			if (shared.users > 0) return;
			if (this.#open.get(key) === shared) this.#open.delete(key);
			// Waits for a read that is under way; one that fails leaves nothing to be done.
			shared.handle.then((handle) => handle.close()).catch(() => {});
		};
		try {
			const handle = await shared.handle;
			const isUnchanged = async (): Promise<boolean> =>
				stampOf(await handle.stat({ bigint: true })) === stamp;
			if (await isUnchanged()) return { handle, isUnchanged, release };
		} catch {
			// Said by the result.
		}
		release();
		return undefined;
	}
}
