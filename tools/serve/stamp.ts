import type { BigIntStats } from "node:fs";

/** Tells one content of a file from another without reading it: inode, bytes, time of the last change in ns. */
export function stampOf({ ino, size, mtimeNs }: BigIntStats): string {
	return `${ino}:${size}:${mtimeNs}`;
}
