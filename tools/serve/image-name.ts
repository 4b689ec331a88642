/** What the name of a file says: `<app>-<version>.bin`, `.fs.bin` for a filesystem; then `.gz`, then `.signed`. */
import type { UpdateKind } from "../../ota/kind";
import { parseVersion, type Version } from "./version";

export interface ImageName {
	app: string;
	version: Version;
	kind: UpdateKind;
	gzip: boolean;
	signed: boolean;
}

/** Longer than any name in a descriptor (24); what a page and a log line still show well. */
export const APP_LENGTH_MAX = 64;
/** What file systems take. */
const NAME_LENGTH_MAX = 255;
/** The first part that may be a version is the version: apps may have a minus sign in their name. */
const SYNTAX =
	/^([A-Za-z0-9][A-Za-z0-9._-]*?)-(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+?)?)(\.fs)?\.bin(\.gz)?(\.signed)?$/;
const CHANNEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

/** What the name says, or undefined where it is no name of an image. */
export function parseImageName(file: string): ImageName | undefined {
	if (file.length > NAME_LENGTH_MAX) return undefined;
	const [, app = "", text = "", filesystem, gzip, signed] = SYNTAX.exec(file) ?? [];
	const version = parseVersion(text);
	if (!version || app.length > APP_LENGTH_MAX) return undefined;
	return {
		app,
		version,
		kind: filesystem ? "filesystem" : "firmware",
		gzip: gzip !== undefined,
		signed: signed !== undefined,
	};
}

/** Letters, digits, `.`, `_`, `-`, at most 32, the first a letter or a digit: so never a way to another folder. */
export function isChannelName(text: string): boolean {
	return CHANNEL.test(text);
}
