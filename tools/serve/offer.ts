/** What a folder of images offers: for each channel, app and kind the newest version that is whole. */
import type { UpdateKind } from "../../ota/kind";
import type { Image } from "./image";
import type { ImageName } from "./image-name";
import { compareVersions, type Version } from "./version";

/** A file of a channel: an image, or why it is not offered. */
export interface FolderEntry extends ImageName {
	channel: string;
	file: string;
	image?: Image | undefined;
	fault?: string | undefined;
}

/** The images of one version: at most a raw one and a compressed one. */
export interface Release {
	version: Version;
	raw?: Image | undefined;
	gzip?: Image | undefined;
	/** With a signature behind them. */
	signed: boolean;
}

/** Never changes: another content of the folder is another Offer. */
export class Offer {
	readonly entries: readonly FolderEntry[];
	readonly #newest = new Map<string, Release>();
	readonly #apps = new Map<string, string[]>();

	constructor(entries: readonly FolderEntry[]) {
		this.entries = entries;
		for (const [key, files] of groupBy(entries, ({ app, ...place }) => `${placeKey(place)}/${app}`)) {
			const release = newestOf(files);
			const [first] = files;
			if (!release || !first) continue;
			this.#newest.set(key, release);
			const place = placeKey(first);
			this.#apps.set(place, [...(this.#apps.get(place) ?? []), first.app].sort());
		}
	}

	/** What a device of this app is to run, or undefined. */
	newest(channel: string, kind: UpdateKind, app: string): Release | undefined {
		return this.#newest.get(`${placeKey({ channel, kind })}/${app}`);
	}

	/** The apps that a channel has something for, by name. */
	apps(channel: string, kind: UpdateKind): readonly string[] {
		return this.#apps.get(placeKey({ channel, kind })) ?? [];
	}
}

function placeKey({ channel, kind }: { channel: string; kind: UpdateKind }): string {
	return `${channel}/${kind}`;
}

/** Node 20 has no Map.groupBy. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const key = keyOf(item);
		const group = groups.get(key);
		if (group) group.push(item);
		else groups.set(key, [item]);
	}
	return groups;
}

function newestOf(files: readonly FolderEntry[]): Release | undefined {
	let newest: Release | undefined;
	for (const version of groupBy(files, ({ version }) => version.text).values()) {
		const release = releaseOf(version);
		if (release && (!newest || compareVersions(release.version, newest.version) > 0)) newest = release;
	}
	return newest;
}

/** The images of one version, or undefined where none can be sent. */
function releaseOf(files: readonly FolderEntry[]): Release | undefined {
	// Where there is a signed file, a device may want a signature: one without would be refused, each time.
	const isSigned = files.some(({ signed }) => signed);
	const images = files.filter(({ signed }) => signed === isSigned).map(({ image }) => image);
	const raw = images.find((image) => image?.gzip === false);
	const gzip = images.find((image) => image?.gzip === true);
	const version = (raw ?? gzip)?.version;
	return version && { version, raw, gzip, signed: isSigned };
}
