/** The folder of images, looked at again and again: what is whole and at rest is offered. */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Examination, examine } from "./image";
import { isChannelName, parseImageName } from "./image-name";
import { inside } from "./inside";
import { type FolderEntry, Offer } from "./offer";
import { stampOf } from "./stamp";

/** Files of a folder that are looked at; the others are told of. Each costs a `stat` a second. */
export const FILES_MAX = 10_000;
/** Milliseconds for which a file must not have changed: what is still being copied keeps changing. */
export const SETTLE = 2000;

export interface CatalogueOptions {
	/** Without symbolic links. */
	root: string;
	/** Milliseconds; SETTLE where not given. */
	settle?: number | undefined;
	/** Something that a person should know, once. */
	onNotice: (text: string) => void;
}

interface Sight {
	/** When a file was first seen with this stamp, in ms of this process: the clock of a file server may be ahead. */
	since: number;
	stamp: string;
	examination?: Examination | undefined;
}

export class Catalogue {
	/** What is offered now. */
	offer = new Offer([]);
	readonly #options: Required<Omit<CatalogueOptions, "settle">> & { settle: number };
	#sights = new Map<string, Sight>();
	#notices = new Set<string>();
	#running: Promise<void> = Promise.resolve();
	/** Files that need not rest: an upload has just been made, checked and closed. */
	readonly #trusted = new Set<string>();

	constructor(options: CatalogueOptions) {
		this.#options = { ...options, settle: options.settle ?? SETTLE };
	}

	/** Looks at the folder; one look at a time. Where it cannot be read, what was offered stays offered. */
	refresh(): Promise<void> {
		this.#running = this.#running.then(() => this.#look());
		return this.#running;
	}

	/** Offers a file, `<channel>/<file>`, that nobody is writing to any more. */
	async include(place: string): Promise<void> {
		this.#trusted.add(place);
		await this.refresh();
		this.#trusted.delete(place);
	}

	async #look(): Promise<void> {
		const sights = new Map<string, Sight>();
		const notices = new Set<string>();
		const notice = (text: string): void => {
			if (!this.#notices.has(text) && !notices.has(text)) this.#options.onNotice(text);
			notices.add(text);
		};
		try {
			const entries: FolderEntry[] = [];
			for (const channel of await folder(this.#options.root)) {
				if (!isChannelName(channel.name)) continue;
				await this.#lookAtChannel(channel, { entries, sights, notice });
			}
			this.offer = new Offer(entries);
			this.#sights = sights;
		} catch (error) {
			notice(`${this.#options.root}: ${message(error)}; what was offered before stays offered`);
		}
		this.#notices = notices;
	}

	async #lookAtChannel({ name: channel }: Dirent, found: Found): Promise<void> {
		const { root } = this.#options;
		try {
			const path = await inside(root, join(root, channel));
			if (path === undefined) return found.notice(`${channel}: leads out of ${root}, ignored`);
			if (!(await stat(path)).isDirectory()) return;
			for (const file of await folder(path)) {
				if (found.sights.size >= FILES_MAX) return found.notice(`more than ${FILES_MAX} files, ignored`);
				await this.#lookAtFile(channel, path, file, found);
			}
		} catch (error) {
			found.notice(`${channel}: ${message(error)}, ignored`);
		}
	}

	async #lookAtFile(channel: string, folder: string, entry: Dirent, found: Found): Promise<void> {
		const { name: file } = entry;
		const name = parseImageName(file);
		const place = `${channel}/${file}`;
		if (!name) {
			if (/^[^.].*\.bin(\.|$)/.test(file)) {
				found.notice(`${place}: is named unlike <app>-<version>.bin, as lamp-1.2.0.bin, ignored`);
			}
			return;
		}
		try {
			const plain = join(folder, file);
			const path = entry.isSymbolicLink() ? await inside(this.#options.root, plain) : plain;
			if (path === undefined) return found.notice(`${place}: leads out of the folder, ignored`);
			const stats = await stat(path, { bigint: true });
			if (!stats.isFile()) return;
			const sight = this.#sightOf(place, stampOf(stats));
			found.sights.set(place, sight);
			if (!sight.examination && this.#isAtRest(place, sight, Number(stats.mtimeMs))) {
				const examination = await examine(path, name);
				// Another content than the one that was seen at rest: that one has to rest, too.
				if (examination.stamp === sight.stamp) {
					sight.examination = examination;
					if ("image" in examination) this.#options.onNotice(`${place}: offered`);
				}
			}
			const { examination } = sight;
			if (!examination) {
				found.entries.push({ ...name, channel, file, fault: "waits until nobody writes to it any more" });
			} else if ("image" in examination) {
				found.entries.push({ ...name, channel, file, image: examination.image });
			} else {
				found.entries.push({ ...name, channel, file, fault: examination.fault });
				found.notice(`${place}: ${examination.fault}, not offered`);
			}
		} catch (error) {
			// Gone since the folder was read; or nothing that can be opened.
			if (!isGone(error)) found.notice(`${place}: ${message(error)}, ignored`);
		}
	}

	#sightOf(place: string, stamp: string): Sight {
		const before = this.#sights.get(place);
		return before?.stamp === stamp ? before : { since: performance.now(), stamp };
	}

	#isAtRest(place: string, { since }: Sight, mtimeMs: number): boolean {
		const { settle } = this.#options;
		if (this.#trusted.has(place)) return true;
		return Date.now() - mtimeMs >= settle || performance.now() - since >= settle;
	}
}

interface Found {
	entries: FolderEntry[];
	sights: Map<string, Sight>;
	notice: (text: string) => void;
}

async function folder(path: string): Promise<Dirent[]> {
	const entries = await readdir(path, { withFileTypes: true });
	return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isGone(error: unknown): boolean {
	return (error as NodeJS.ErrnoException).code === "ENOENT";
}

function message(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
